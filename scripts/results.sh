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

# kunit_result_id: of the patches for this kernel, and how their tests are run. The page
# has kernels that were not laid out here.
kunit_result_id() {
	{
		sed -nE "s/^version='(.*)'/linux \1/p" "$top/kernels/$KERNEL.conf" 2>/dev/null || g log -1 --format=%s base
		stack_id
		cat "$top"/kunit/*.kunitconfig "$top/kunit/kmsg.h" "$top/kunit/modules/init.c" "$top"/kunit/sleep/*
	} | sha256sum | cut -d' ' -f1
}

# made_of KERNEL VARIANT: was it built from the tree as it is?
made_of() {
	local from=$ref

	[ "$2" != stock ] || from=base
	[ "$(cut -d' ' -f1 "$(dirname "$(realpath "$1")")/commit")" = "$(g rev-parse "$from^{tree}")" ]
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

# measured COMPILER [QEMU]: the head of a file of numbers: what, by what, when.
measured() {
	echo "# $(g log -1 --format=%s base) and patches/$SERIES${STAGE:+, of which $STAGE}, $("$1" --version | head -n 1)," \
		"${2:+$("$2" --version | head -n 1), }$(date -u +%Y-%m-%d)"
}

# head_of FILE: that and the line before it, in one.
head_of() { sed -n '1,2s/^# //p' "$1" | joined '; '; }

# board_fails BOARD VARIANT: which of its three runs did not pass.
board_fails() {
	local run

	for run in "$2" "$2-missing" "$2-restart"; do
		[ "$(kept boards "$1" "$run" result)" = pass ] || echo "$run"
	done
}

# joined SEPARATOR: lines as one.
joined() { awk -v separator="$1" 'NR > 1 { printf "%s", separator } { printf "%s", $0 }'; }

# case_rows: of a result, what became of each case, the complaints, and the end.
case_rows() {
	awk '
		sub(/^ok /, "") { print $0 "|ok"; next }
		sub(/^skip /, "") { print $0 "|skip"; next }
		sub(/^not run /, "") { print $0 "|not run"; next }
		sub(/^not ok /, "") { print $0 "|FAILED"; next }
		/^splat / { splats++ }
		sub(/^end /, "") { end = $0 }
		END { print "complaints of the kernel|" splats + 0; print "how it ended|" end }'
}

# side_by_side HEAD STOCK STACK: two files of such rows.
side_by_side() {
	awk -F'|' -v kind="$1" '
		NR == 1 { printf "  %-28s%-16s%s\n", "", "stock", kind }
		NR == FNR { stock[$1] = $2; next }
		{ printf "  %-28s%-16s%s\n", $1, $1 in stock ? stock[$1] : "-", $2 }' "$2" "$3"
}

# and_list: lines, without commas, as "a", "a and b" or "a, b, and c".
and_list() { joined ', ' | sed -E 's/^([^,]*), ([^,]*)$/\1 and \2/; s/,.*, /&and /'; }

# cells TEXT...: a line with tabs.
cells() { local IFS=$'\t'; echo "$*"; }

# table HEAD...: of Markdown, from such lines.
table() {
	printf '| %s ' "$@"
	echo '|'
	printf '| --- %.0s' "$@"
	echo '|'
	sed 's/\t/ | /g; s/^/| /; s/$/ |/'
}

# A page is written from a draft: "draft PAGE" copies it to $build, "between NAME PAGE" puts
# standard input between the marks of that name, and "written" puts it in place.
draft() { usable "$build"; mkdir -p "$build" && cp "$top/$1" "$build/"; }

between() {
	local page=$build/${2##*/}

	grep -qx "<!-- $1 -->" "$page" || die "$2 has no mark <!-- $1 -->"
	{ echo; cat; echo; } | cat -s >"$page.part"
	sed -i -e "/^<!-- $1 -->\$/,/^<!-- end -->\$/{//!d}" -e "/^<!-- $1 -->\$/r $page.part" "$page"
	rm "$page.part"
}

# written PAGE [SOURCE check]: or "check" says whether the page is the same.
written() {
	local page=$build/${1##*/} rc=0

	if [ "${3-}" != check ]; then
		mv "$page" "$top/$1"
		say "written: $1"
		return
	fi
	cmp -s "$top/$1" "$page" || rc=1
	result $rc "$1 is what $2"
	[ $rc -eq 0 ] || diff -U0 "$top/$1" "$page" | sed -n '4,8s/^/  /p' | cut -c1-200 || true
}
