# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by those that run boards and drivers, and by those that write the pages. The
# last result of each is kept in results/, a line each: WHAT VARIANT KEY VALUE. Its "id"
# is that of what it ran on: sources, configuration and device tree. A result whose id is
# not today's is stale.

# What every result depends on, besides the driver.
core_paths=(include/linux/dmaengine.h drivers/base/{base.h,core.c,dd.c,power/main.c,power/power.h}
	drivers/dma/{dmaengine.c,dmaengine.h,virt-dma.c,virt-dma.h,of-dma.c,dmatest.c})
# And what many clients are made of.
sound_paths=(sound/soc/soc-generic-dmaengine-pcm.c sound/soc/soc-core.c)

# uncommented BLOB PATH: its id, of C without its comments: they change nothing that runs.
uncommented() {
	local file=$build/uncommented/$1 id

	[[ $2 == *.[ch] ]] || { echo "$1"; return; }
	[ -s "$file" ] || {
		mkdir -p "$build/uncommented"
		g cat-file blob "$1" | gcc -fpreprocessed -dD -E -P -x c - 2>/dev/null | sha256sum | cut -d' ' -f1 >"$file.$$" ||
			die "gcc cannot take the comments out of $2"
		mv "$file.$$" "$file"
	}
	read -r id <"$file"
	echo "$id"
}

# tree_id stock|VARIANT PATH...: these in the tree.
tree_id() {
	local commit=$ref files blob path

	[ "$1" != stock ] || commit=base
	g log -1 --format=%s base
	for path in "${core_paths[@]}" "${sound_paths[@]}" "${@:2}"; do
		files=$(g ls-tree -r --format='%(objectname) %(path)' "$commit" "$path")
		# One that is not there would never make anything stale.
		[ -n "$files" ] || die "$path, which results depend on, is not in $commit"
		while read -r blob path; do
			uncommented "$blob" "$path"
		done <<<"$files"
	done
}

# lab_id DRIVER VARIANT [STEP,...]: not of the other drivers of that kernel.
lab_id() {
	local file=$top/lab/drivers/$1.dts

	{
		# shellcheck disable=SC2046 # words
		tree_id "$2" $(lab_field "$1" source) $(lab_field "$1" flag)
		# What is said of it may change.
		sed -E '/^\/\/ (known|slow|unreachable)/d' "$file"
		cat "$top/lab/virt.dtsi" "$top/lab/config" "$top/boards/common.config" "$top/boards/$(lab_arch "$1").config"
		[ "$(lab_arch "$1")" = arm ] || cat "$top/lab/devices.c"
		echo "${3-}"
	} | sha256sum | cut -d' ' -f1
}

# board_id BOARD VARIANT
board_id() {
	local dir=$top/boards/$1

	{
		# shellcheck disable=SC2046 # words
		tree_id "$2" $(sed -nE 's/^sources="(.*)"/\1/p' "$dir/board.conf")
		# What is said of it may change.
		sed '/^#/d; /^remark=/d; /^without=/d; /^$/d' "$dir/board.conf"
		find "$dir" -name '*.dts*' | sort | xargs -r cat
		cat "$dir/config" "$top/boards/common.config" "$top/boards/$(board_arch "$1").config"
		[ "$(board_arch "$1")" != arm ] || cat "$top/lab/config"
	} | sha256sum | cut -d' ' -f1
}

# kunit_result_id: of the patches for this kernel, and how their tests are run.
kunit_result_id() {
	{
		stack_id
		cat "$top"/kunit/*.kunitconfig "$top/kunit/kmsg.h" "$top/kunit/modules/init.c" "$top"/kunit/sleep/*
	} | sha256sum | cut -d' ' -f1
}

# keep STORE WHAT VARIANT: standard input is its result now.
keep() {
	local store=$top/results/$1

	{
		grep -v "^$2 $3 " "$store" 2>/dev/null || true
		sed "s/^/$2 $3 /"
	} | sort -s -k1,2 >"$store.part"
	mv "$store.part" "$store"
}

# kept STORE WHAT VARIANT [KEY]: that result, or the values of KEY.
kept() { sed -n "s/^$2 $3 ${4:+$4 }//p" "$top/results/$1" 2>/dev/null || true; }

# stale STORE WHAT VARIANT ID: " (stale)" if it is not of today's tree.
stale() { [ "$(kept "$1" "$2" "$3" id)" = "$4" ] || echo ' (stale)'; }

# written PAGE NEW check|'': puts a new page in place, or says whether it is the same.
written() {
	if [ -z "$3" ]; then
		mv "$2" "$1"
		say "written: ${1#"$top"/}"
		return
	fi
	local rc=0

	cmp -s "$1" "$2" || rc=1
	result $rc "${1#"$top"/} is what results/ gives"
	[ $rc -eq 0 ] || diff -U0 "$1" "$2" | sed -n '4,8s/^/  /p' | cut -c1-200 || true
	rm -f "$2"
}
