# shellcheck shell=bash disable=SC2034 # used by those that source this
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by every script: which kernel, which series, where things go.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "== $*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# need TOOL...: they come from packages that "make setup" or "make setup-more" installs.
need() {
	local tool verb

	for tool in "$@"; do
		! command -v "$tool" >/dev/null || continue
		case $tool in
		clang* | ld.lld* | llvm-* | spatch | ocamlopt | sphinx-build | dh | dpkg-buildpackage | \
		rsync | depmod | modprobe | gnuplot) verb=setup-more ;;
		*) verb=setup ;;
		esac
		die "no $tool here; run: make $verb"
	done
}

# result STATUS TEXT: a line of a test. Sets "failed".
failed=0
result() {
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2"
		failed=1
	fi
}

# timed TEXT COMMAND...: say what is happening and how long it took.
timed() {
	local text=$1 start=$SECONDS rc

	shift
	say "$text ..."
	"$@"
	rc=$?
	[ $rc -ne 0 ] || say "$text: $((SECONDS - start)) s"
	return $rc
}

# logged LOG TEXT COMMAND...: the same, with the output in a file.
logged() {
	local log=$1 text=$2 start=$SECONDS rc

	shift 2
	mkdir -p "$(dirname "$log")"
	say "$text ..."
	"$@" >"$log" 2>&1
	rc=$?
	[ $rc -ne 0 ] || say "$text: $((SECONDS - start)) s"
	return $rc
}

# free_space GIB: a full disk shows up as a hundred strange errors.
free_space() {
	local free

	mkdir -p "$build"
	free=$(df -Pk "$build" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$free" -ge "$1" ] ||
		die "$build has $free GiB free and needs $1; make room or move the checkout"
}

# usable DIR: what is to be written belongs to this user, and git reads it.
usable() {
	local dir=$1 why

	while [ ! -e "$dir" ]; do dir=$(dirname "$dir"); done
	[ -w "$dir" ] ||
		die "$dir belongs to $(stat -c %U "$dir"), and you cannot write there; make a checkout of your own"
	[ ! -d "$1/linux" ] || why=$(git -C "$1/linux" rev-parse --git-dir 2>&1) ||
		die "git does not read $1/linux: ${why%%$'\n'*}"
}

# One run at a time per kernel: two would build in the same folders.
lock() {
	usable "$build"
	mkdir -p "$build"
	[ -z "${DEVLINK_LOCKED-}" ] || return 0
	need flock
	exec 9>"$build/.lock"
	flock -n 9 || die "another run is busy in $build; wait for it or end it"
	export DEVLINK_LOCKED=1
}

# check_input [ARGUMENT...], those of the script: nothing is fetched or built with a
# setting that cannot work.
check_input() {
	local variable value why archs='um x86_64 arm64 arm'
	local -a words

	[[ $top != *[[:space:]:]* ]] ||
		die "kbuild does not build in \"$top\": the path has a space or a colon; move the checkout"
	for variable in ROUNDS TIME V; do
		value=${!variable-}
		[[ -z $value || $value =~ ^[1-9][0-9]{0,6}$ ]] || die "$variable=$value is not a number above 0"
	done
	for variable in SEED SLOW; do
		value=${!variable-}
		[[ -z $value || $value =~ ^[0-9]{1,9}$ ]] || die "$variable=$value is not a number"
	done
	# Words, not patterns.
	read -ra words <<<"${BOARD-}"
	for value in "${words[@]}"; do
		[[ " $(all_boards | paste -sd' ') " == *" $value "* ]] ||
			die "no board $value for $SERIES; BOARD= is one of: $(all_boards | paste -sd' ')"
	done
	read -ra words <<<"${DRIVER-}"
	for value in "${words[@]}"; do
		[[ $value != */* && -f $top/lab/drivers/$value.dts ]] ||
			die "no driver $value; DRIVER= is one or more of lab/drivers/*.dts"
		why=$(lab_field "$value" unreachable)
		[ -z "$why" ] || die "the lab cannot run $value: $why"
	done
	[ "$(basename "$0") ${1-}" != 'kunit modules' ] || archs='x86_64 arm64 arm'
	for value in ${ARCHS-}; do
		[[ " $archs " == *" $value "* ]] || die "no architecture $value here; ARCHS= is one or more of: $archs"
	done
	for value in ${MUTANT-}; do
		[[ $value != *..* && -f $top/kunit/mutants/$value.diff ]] ||
			die "no mutant $value; MUTANT= is FOLDER/NAME of a kunit/mutants/FOLDER/NAME.diff"
	done
	case ${CONFIG-} in
	*/*) grep -qs '^CONFIG_' "$CONFIG" || die "CONFIG=$CONFIG is not a kernel configuration" ;;
	esac
	# A tree that git does not trust would be taken for a folder without git.
	case $KERNEL in
	*/*)
		[ ! -e "$KERNEL/.git" ] || why=$(git -C "$KERNEL" rev-parse --git-dir 2>&1) ||
			die "git does not read KERNEL=$KERNEL: ${why%%$'\n'*}"
		;;
	esac
}

KERNEL=${KERNEL:-7.3}
case $KERNEL in
*/*)
	[ -d "$KERNEL" ] || die "KERNEL=$KERNEL is not a folder"
	KERNEL=$(cd "$KERNEL" && pwd)
	grep -qs '^PATCHLEVEL = ' "$KERNEL/Makefile" ||
		die "KERNEL=$KERNEL is not a Linux source: its Makefile does not set PATCHLEVEL"
	name=$(basename "$KERNEL" | tr -c 'A-Za-z0-9._\n-' _)-$(printf %s "$KERNEL" | sha256sum | cut -c1-8)
	;;
*)
	[ -f "$top/kernels/$KERNEL.conf" ] ||
		die "no kernel $KERNEL; KERNEL= is one of: $(cd "$top/kernels" && printf '%s\n' *.conf | sed 's/\.conf$//' | paste -sd' '), or a source tree: /path/to/linux"
	name=$KERNEL
	;;
esac

series_given=${SERIES-}
if [ -z "${SERIES-}" ]; then
	SERIES=7.3
	# A kernel of its own, or one that takes the patches of another.
	[ ! -d "$top/patches/$KERNEL" ] || SERIES=$KERNEL
	case $KERNEL in
	*/*) ;;
	*) SERIES=$(sed -n "s/^series=//p;\$s/.*/$SERIES/p" "$top/kernels/$KERNEL.conf" | head -n 1) ;;
	esac
fi
patches=$top/patches/$SERIES
[[ $SERIES != */* && -d $patches ]] ||
	die "SERIES=$SERIES is not a folder of patches/; there is: $(cd "$top/patches" && echo *)"
# Who has no file "series" stores only what differs from 7.3, and takes the rest.
home=$patches
[ -f "$home/series" ] || home=$top/patches/7.3

build=$top/build/$name
linux=$build/linux		# the tree to work in
src=$build/src			# a second work tree, switched between variants
logs=$build/log
export KERNEL SERIES

# Which trees of others git may read stays this person's to say.
if [ -z "${DEVLINK_SAFE+set}" ]; then
	DEVLINK_SAFE=$({ git config --global --get-all safe.directory; git config --system --get-all safe.directory; } 2>/dev/null || true)
	export DEVLINK_SAFE
fi
# The same names and dates for everybody: the same commits, and ccache hits.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
# No clean-up in the background, which would go on and hold the lock.
export GIT_CONFIG_COUNT=2
export GIT_CONFIG_KEY_0=gc.auto GIT_CONFIG_VALUE_0=0
export GIT_CONFIG_KEY_1=maintenance.auto GIT_CONFIG_VALUE_1=false
while read -r folder; do
	[ -n "$folder" ] || continue
	export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=safe.directory" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=$folder"
	GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
done <<<"$DEVLINK_SAFE"
export KBUILD_BUILD_USER=dmaengine KBUILD_BUILD_HOST=devlink
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026'
export LOCALVERSION="" LC_ALL=C
jobs=$(nproc)

ccache=
if command -v ccache >/dev/null; then
	ccache="$top/scripts/ccache "
	export CCACHE_DIR=${CCACHE_DIR:-$top/build/ccache} CCACHE_BASEDIR=$build
	export CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}
fi

g() { git -C "$linux" "$@"; }

# Sets "entries", the stack as FOLDER/NAME.patch in the order of "series", and
# "folders". A line of "omit" is a patch or a folder that this kernel goes without.
read_stack() {
	[ -f "$home/series" ] || die "no patches/$(basename "$home")/series, which orders the patches"
	mapfile -t entries < <(sed -E 's/[[:space:]].*|#.*//; /^$/d' "$home/series" | {
		if [ "$home" != "$patches" ] && [ -f "$patches/omit" ]; then
			awk 'NR == FNR { sub(/#.*/, ""); if (NF) omit[$1]; next }
				{ folder = $0; sub("/[^/]*$", "", folder) }
				!($0 in omit) && !(folder in omit)' "$patches/omit" -
		else
			cat
		fi
	})
	mapfile -t folders < <(printf '%s\n' "${entries[@]%/*}" | uniq)
	[ "$(printf '%s\n' "${folders[@]}" | sort | uniq -d)" = "" ] ||
		die "patches/$(basename "$home")/series: not in one piece: $(printf '%s\n' "${folders[@]}" | sort | uniq -d | paste -sd' ')"
}

# patch_file ENTRY
patch_file() { [ -f "$patches/$1" ] && echo "$patches/$1" || echo "$home/$1"; }

# patch_files [FOLDER...]: the patches of these, or of all, in order.
patch_files() {
	local entry

	for entry in "${entries[@]}"; do
		if [ $# -eq 0 ] || [[ " $* " == *" ${entry%/*} "* ]]; then patch_file "$entry"; fi
	done
}

# cover_field FOLDER NAME: of the header of its cover letter.
cover_field() {
	local file=$patches/$1/cover-letter

	[ -f "$file" ] || file=$home/$1/cover-letter
	[ ! -f "$file" ] || awk -v name="$2: " '
		/^$/ { exit }
		index($0, name) == 1 { on = 1; value = substr($0, length(name) + 1); next }
		on && /^[ \t]/ { sub(/^[ \t]+/, " "); value = value $0; next }
		{ on = 0 }
		END { if (value != "") print value }' "$file"
}

# cover_text FOLDER
cover_text() {
	local file=$patches/$1/cover-letter

	[ -f "$file" ] || file=$home/$1/cover-letter
	sed '1,/^$/d' "$file"
}

# with_needs FOLDER...: these and all that they need, in the order of the stack.
with_needs() {
	local folder todo=("$@") wanted=' '

	while [ ${#todo[@]} -gt 0 ]; do
		folder=${todo[0]} todo=("${todo[@]:1}")
		[[ $wanted != *" $folder "* ]] || continue
		[[ " ${folders[*]} " == *" $folder "* ]] ||
			die "no folder $folder in patches/$(basename "$home")/series, which lists them"
		wanted+="$folder "
		# shellcheck disable=SC2207 # words
		todo+=($(cover_field "$folder" Needs))
	done
	for folder in "${folders[@]}"; do
		[[ $wanted != *" $folder "* ]] || echo "$folder"
	done
}

# has_folder FOLDER: is it in what is looked at?
has_folder() {
	# shellcheck disable=SC2086 # words
	with_needs ${STAGE:-"${folders[@]}"} | grep -x "$1" >/dev/null
}

# The patches of STAGE= with what it needs, or all.
wanted_files() {
	# shellcheck disable=SC2046,SC2086 # words
	patch_files ${STAGE:+$(with_needs $STAGE)}
}

# What the tree was made from; changes with any byte of it.
stack_id() {
	{ printf '%s\n' "${entries[@]}"; patch_files | tr '\n' '\0' | xargs -0 -r cat; } |
		sha256sum | cut -d' ' -f1
}

# The stamp of the tree: that, and where each branch was when it was the same as
# the patches.
write_stamp() {
	{
		stack_id
		g for-each-ref --format='%(objectname) %(refname:short)' refs/heads |
			grep -xE "[0-9a-f]+ ($(printf '%s\n' stack "${folders[@]}" | paste -sd'|'))"
	} >"$build/stack.stamp"
}

# unwritten stack|all: what is in the tree and in no patch, a line each; "all": also what
# is on other branches than those of the stack.
unwritten() {
	local commit branch was lost

	g status --porcelain -uall | sed -n '1,5s/^.../uncommitted: /p'
	[ -f "$build/stack.stamp" ] || return 0
	# Commits that say what a patch says do not count, nor do those that moved.
	was=$(sed -n '2,$s/ stack$//p' "$build/stack.stamp")
	lost=$(
		g log --cherry-pick --right-only --no-merges --format='commit: %s' "$was...stack"
		# shellcheck disable=SC2046 # words
		g log --format='commit: %s' $([ "$1" != all ] || echo --branches) HEAD --not base stack $(sed 1d "$build/stack.stamp" | cut -d' ' -f1)
	)
	[ -n "$lost" ] || lost=$(while read -r commit branch; do
		[ "$(g rev-parse -q --verify "refs/heads/$branch")" = "$commit" ] || echo "branch moved: $branch"
	done < <(sed 1d "$build/stack.stamp"))
	[ -z "$lost" ] || head -n 5 <<<"$lost"
}

# edited FOLDER: which of these mails are not as "make export" has written them.
edited() {
	local dir=${1%/}

	(cd "$dir" && sha256sum -c --quiet checksums 2>/dev/null) |
		sed -n "s,^\(.*\): FAILED.*,${dir#"$top"/}/\1: edited,p" || true
}

# am MAIL...: onto what is checked out in the second work tree: no fuzz, and the
# same commits for everybody. What went wrong is one line.
am() {
	local out

	out=$(GIT_COMMITTER_NAME=stack GIT_COMMITTER_EMAIL=stack@localhost \
		git -C "$src" am -q --committer-date-is-author-date "$@" 2>&1) && return
	{
		sed -nE 's/^Patch failed at [0-9]+ (.*)/"\1" does not apply: /p' <<<"$out"
		sed -nE 's/^error: (patch failed: )?([^:]+:[0-9]+|[^:]+: (does|already).*).*/\2/p' <<<"$out" | head -n 3
		grep -q '^Patch failed' <<<"$out" || head -n 1 <<<"$out"
	} | paste -sd' '
	return 1
}

# mails files|tree FOLDER: its patches as one mailbox.
mails() {
	local folder before=base

	if [ "$1" = files ]; then
		patch_files "$2" | tr '\n' '\0' | xargs -0 -r cat
		return
	fi
	for folder in "${folders[@]}"; do
		[ "$folder" != "$2" ] || break
		before=refs/heads/$folder
	done
	g format-patch --stdout --no-signature --no-renames --full-index --binary \
		"$before..refs/heads/$2" 2>/dev/null ||
		die "branch $2 or the one before it is missing in $linux; mend that, or lay it out anew: make tree FORCE=1"
}

# assemble files|tree FOLDER...: these on the base and nothing else. Prints
# "COMMIT FOLDER" a line.
assemble() {
	local folder id head why at=

	head=$(g rev-parse base)
	mkdir -p "$build/stages"
	for folder in "${@:2}"; do
		mails "$1" "$folder" >"$build/stages/mails"
		id=$(echo "$head" | cat - "$build/stages/mails" | sha256sum | cut -c1-40)
		if ! g cat-file -e "$(cat "$build/stages/$id" 2>/dev/null)" 2>/dev/null; then
			[ "$at" = "$head" ] || checkout "$head"
			[ ! -s "$build/stages/mails" ] || why=$(am "$build/stages/mails") || {
				checkout base
				die "$folder: $why (to $(g log -1 --format=%s base)$([ "$folder" = "$2" ] || echo ", after what comes before it"))"
			}
			at=$(git -C "$src" rev-parse HEAD)
			echo "$at" >"$build/stages/$id"
		fi
		head=$(cat "$build/stages/$id")
		echo "$head $folder"
	done
}

# Where to take them from: what is committed, if the stack has been laid out.
source_of() { g rev-parse -q --verify refs/heads/stack >/dev/null && echo tree || echo files; }

# stage FOLDER...: makes the ref of these with what they need, and prints it.
stage() {
	local out ref list

	ref=refs/stages/$(tr ' ' + <<<"$*")
	list=$(with_needs "$@") || exit
	# shellcheck disable=SC2086 # words
	out=$(assemble "$(source_of)" $list) || exit
	g update-ref "$ref" "$(tail -n 1 <<<"$out" | cut -d' ' -f1)"
	echo "$ref"
}

# A tree that is there is taken as it is, with what was committed in it. "ref" is
# what to look at in it, "kind" its name: the stack, or what STAGE= says.
need_tree() {
	if [ ! -d "$linux" ] || { [ -z "${STAGE-}" ] && ! g rev-parse -q --verify refs/heads/stack >/dev/null; }; then
		"$top/scripts/tree"
	fi
	# shellcheck disable=SC2086 # words
	[ -z "${STAGE-}" ] || ref=$(stage $STAGE)
}

# kunit_tests FILE: those of kunit/tests.kunitconfig that what is checked out has.
kunit_tests() {
	git -C "$src" grep -hE '^(menu)?config [A-Z0-9_]+$' -- '*Kconfig*' |
		sed 's/.*config \(.*\)/CONFIG_\1=y/' | sort -u |
		grep -xFf - "$top/kunit/tests.kunitconfig" >"$1"
}

# unexpected LOG: without what tests provoke: where one says that a warning will follow,
# since 6.12 cannot suppress it, and the name that makes a registration fail.
unexpected() {
	sed -e '/: a warning may follow$/,/: no warning any more$/d' \
		-e '/\(duplicate filename\|already exists\|already present\).*/{/failed_registration_is_undone/d}' "$1"
}

# board_arch BOARD: "arm" if its board.conf does not say.
board_arch() { sed -n 's/^arch=//p;$s/.*/arm/p' "$top/boards/$1/board.conf" | head -n 1; }

# Those that the kernel has what it takes for.
all_boards() {
	# Not grep -L, which fails if no board is left out.
	(
		cd "$top/boards" || exit
		for conf in */board.conf; do
			grep -qsx "without=$SERIES" "$conf" || dirname "$conf"
		done
	)
}

boards_of() {
	local board

	for board in $(all_boards); do
		[ "$(board_arch "$board")" != "$1" ] || echo "$board"
	done
}

# toolchain ARCH: sets what kbuild needs, and "image".
toolchain() {
	export ARCH=arm CROSS_COMPILE
	image=zImage
	case $1 in
	arm) CROSS_COMPILE=arm-linux-gnueabihf- ;;
	armv5) CROSS_COMPILE=arm-linux-gnueabi- ;;
	arm64) ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- image=Image ;;
	riscv) ARCH=riscv CROSS_COMPILE=riscv64-linux-gnu- image=Image ;;
	*) die "no architecture $1: there is arm, armv5, arm64 and riscv" ;;
	esac
}

# device_tree OBJ FILE OUT [CPP-OPTION...]: compile it by the tools of a kernel build.
device_tree() {
	local trees=$src/arch/$ARCH/boot/dts

	cpp -nostdinc -undef -D__DTS__ -x assembler-with-cpp -I "$trees" -I "$src/scripts/dtc/include-prefixes" \
		-I "$src/include" "${@:4}" -o "$3.dts" "$2" || die "${2#"$top"/} does not compile"
	# -q: no warnings, the kernel's own trees give some; errors are still told.
	"$1/scripts/dtc/dtc" -q -O dtb -b 0 -i "$trees" -o "$3" "$3.dts" || die "${2#"$top"/} does not compile"
}

# Of the many of the lab: those that "make test" runs, by the kernels of the boards.
test_drivers="sun6i-dma fsl-edma stm32-dma k3dma sf-pdma"

# lab_field DRIVER NAME: its lines "// NAME: TEXT".
lab_field() { sed -n "s,^// $2: *,,p" "$top/lab/drivers/$1.dts"; }

# lab_arch DRIVER: "arm" if its file does not say.
lab_arch() { lab_field "$1" arch | grep . || echo arm; }

# lab_drivers ARCH|'': those that the lab can run.
lab_drivers() {
	local driver

	(cd "$top/lab/drivers" && grep -L '^// unreachable:' ./*.dts) | sed 's,^\./,,; s,\.dts$,,' | while read -r driver; do
		[ -n "$1" ] && [ "$(lab_arch "$driver")" != "$1" ] || echo "$driver"
	done
}

# kconfig OBJ CONFIG...: a kernel with that and what it cannot do without. Prints
# those lines that it cannot have.
kconfig() {
	local obj=$1

	shift
	mkdir -p "$obj"
	(
		cd "$src" || exit
		KCONFIG_ALLCONFIG=/dev/null make -s O="$obj" allnoconfig
		scripts/kconfig/merge_config.sh -m -O "$obj" "$obj/.config" "$@" >"$obj/merge.log"
		make -s O="$obj" olddefconfig
	) >&2
	cat "$@" | grep '^CONFIG' | grep -vxFf "$obj/.config" || true
}

# checkout COMMIT: in the second work tree. Files that do not differ keep their
# times, so that make only rebuilds what the series touches.
checkout() {
	# In a copy of this folder it is still the one of the original.
	[[ -e $src/.git && $(git -C "$src" rev-parse --git-common-dir) -ef $linux/.git ]] || {
		rm -rf "$src"
		git -C "$linux" worktree prune
		git -C "$linux" worktree add -q --detach "$src" base
	}
	# What a run that was interrupted has left; nobody else works here.
	rm -rf "$(git -C "$src" rev-parse --path-format=absolute --git-path rebase-apply)" \
		"$(git -C "$src" rev-parse --path-format=absolute --git-path index.lock)"
	git -C "$src" checkout -q --force --detach "$1"
	git -C "$src" clean -qfd
}

read_stack
check_input "$@"
ref=stack kind=stack
if [ -n "${STAGE-}" ]; then
	# shellcheck disable=SC2086 # words
	with_needs $STAGE >/dev/null
	kind=stage-$(tr '/ ' '-+' <<<"$STAGE")
fi
