# shellcheck shell=bash disable=SC2034 # used by those that source this
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by every script: which kernel, which series, where things go.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "== $*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# need TOOL...: most come with "make setup", and all with "make setup-more".
need() {
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null || die "no $tool here; run: make setup-more"
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
logged() { mkdir -p "$(dirname "$1")" && timed "$2" into "$1" "${@:3}"; }
into() { "${@:2}" >"$1" 2>&1; }

# kunit_build TEXT LOG FOLDER COMPILER-PREFIX ARGUMENT...: by kunit.py of the tree in $src.
kunit_build() {
	logged "$2" "building $1" tools/testing/kunit/kunit.py build --jobs="$jobs" --build_dir="$3" \
		--make_options CC="${ccache}${4}gcc" "${@:5}" || {
		grep -m 5 -E 'error:|ERROR|Missing' "$2" >&2 || tail -n 5 "$2" >&2
		die "it does not build: $1; see $2"
	}
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
	mkdir -p "$build" "$logs"
	[ "${DEVLINK_LOCKED-}" != "$build" ] || return 0
	need flock
	exec 9>"$build/.lock"
	flock -n 9 || die "another run is busy in $build; wait for it or end it"
	export DEVLINK_LOCKED=$build
}

# among WHAT VARIABLE COMMAND...: each word of the variable is a line of what that prints.
among() {
	local list wrong

	[ -n "${!2-}" ] || return 0
	list=$("${@:3}")
	wrong=$(tr -s ' ' '\n' <<<"${!2}" | grep . | grep -vxFf <(echo "$list") | head -n 1) || return 0
	die "no $1 $wrong here; $2= is one or more of: $(sort <<<"$list" | paste -sd' ')"
}

# check_input [ARGUMENT...], those of the script: nothing is fetched or built with a
# setting that cannot work.
check_input() {
	local variable value why archs=(um x86_64 arm64 arm)

	[[ $top != *[[:space:]:]* ]] ||
		die "kbuild does not build in \"$top\": the path has a space or a colon; move the checkout"
	for variable in ROUNDS TIME V SEED SLOW; do
		value=${!variable-}
		[[ -z $value || $value =~ ^(0|[1-9][0-9]{0,6})$ ]] || die "$variable=$value is not a number"
	done
	for variable in ROUNDS TIME V; do
		[ "${!variable-}" != 0 ] || die "$variable=0 has to be above 0"
	done
	for variable in FORCE STOCK FAILED; do
		[[ ${!variable-} =~ ^1?$ ]] || die "$variable=${!variable} is not valid: set it to 1, or leave it out"
	done
	for variable in STAGE BOARD DRIVER ARCHS MUTANT; do
		[[ ! ${!variable-} =~ ^[[:space:]]+$ ]] || die "$variable= is blank"
	done
	[ "$(basename "$0") ${1-}" != 'kunit modules' ] || archs=(x86_64 arm64 arm)
	among architecture ARCHS printf '%s\n' "${archs[@]}"
	among board BOARD all_boards
	among driver DRIVER named "$top/lab/drivers" .dts
	for value in ${DRIVER-}; do
		why=$(lab_field "$value" unreachable)
		[ -z "$why" ] || die "the lab cannot run $value: $why"
	done
	among mutant MUTANT named "$top/kunit/mutants" .diff
	[[ ${MUTANT-} != *' '* || $(basename "$0") == mutants ]] || die "one mutant at a time; several: make mutants"
	[[ ${CONFIG-} != */* ]] || grep -qs '^CONFIG_' "$CONFIG" || die "CONFIG=$CONFIG is not a kernel configuration"
	# One that git does not trust, too. A repository around it is not its own.
	[[ $KERNEL != */* ]] || why=$(GIT_CEILING_DIRECTORIES=${KERNEL%/*} git -C "$KERNEL" rev-parse --verify HEAD 2>&1) ||
		die "git does not read KERNEL=$KERNEL: ${why%%$'\n'*}"
}

# named FOLDER SUFFIX: its files, without the suffix.
named() { find "$1" -name "*$2" -printf '%P\n' | sed "s/\\$2\$//"; }

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
		die "no kernel $KERNEL; KERNEL= is one of: $(named "$top/kernels" .conf | sort | paste -sd' '), or a source tree: /path/to/linux"
	name=$KERNEL
	;;
esac

# A kernel has patches of its own, or takes those of another.
series_given=${SERIES-}
SERIES=${SERIES:-$(sed -n 's/^series=//p' "$top/kernels/$KERNEL.conf" 2>/dev/null || true)}
[ -n "$SERIES" ] || [ ! -d "$top/patches/$KERNEL" ] || SERIES=$KERNEL
SERIES=${SERIES:-7.3}
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
export DEVLINK_SAFE=${DEVLINK_SAFE-$({
	git config --global --get-all safe.directory
	git config --system --get-all safe.directory
} 2>/dev/null)}
# The same names and dates for everybody: the same commits, and ccache hits.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
# No clean-up in the background, which would go on and hold the lock.
export GIT_CONFIG_COUNT=0
while IFS='=' read -r key value; do
	export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=$key" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=$value"
	GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
done < <(printf '%s\n' gc.auto=0 maintenance.auto=false; sed -n 's/^./safe.directory=&/p' <<<"$DEVLINK_SAFE")
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

# listed FILE: its lines without comments.
listed() { sed -E 's/[[:space:]].*|#.*//; /^$/d' "$1"; }

# Sets "entries", the stack as FOLDER/NAME.patch in the order of "series", and
# "folders". A line of "omit" is a patch or a folder that this kernel goes without.
read_stack() {
	local split

	[ -f "$home/series" ] || die "no patches/$(basename "$home")/series, which orders the patches"
	mapfile -t entries < <(listed "$home/series" |
		grep -vEf <(listed "$patches/omit" 2>/dev/null | sed 's,.*,^&(/|$),'))
	mapfile -t folders < <(printf '%s\n' "${entries[@]%/*}" | uniq)
	split=$(printf '%s\n' "${folders[@]}" | sort | uniq -d | paste -sd' ')
	[ -z "$split" ] || die "patches/$(basename "$home")/series: not in one piece: $split"
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
	local file

	file=$(patch_file "$1/cover-letter")
	[ ! -f "$file" ] || sed '/^$/Q' "$file" | sed -z 's/\n[ \t]\+/ /g' | sed -n "s/^$2: //p"
}

# cover_text FOLDER
cover_text() { sed '1,/^$/d' "$(patch_file "$1/cover-letter")"; }

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
	{ printf '%s\n' "${entries[@]}"; patch_files | xargs -rd '\n' cat; } | sha256sum | cut -d' ' -f1
}

# Where each branch is, "COMMIT BRANCH" a line.
branches() { g for-each-ref --format='%(objectname) %(refname:short)' refs/heads; }

# The stamp of the tree: that, and where the branches of the stack were when it was the
# same as the patches.
write_stamp() {
	{ stack_id; branches | grep -xEf <(printf '.* %s\n' stack "${folders[@]}"); } >"$build/stack.stamp"
}

# is_written: are the commits of the tree those of patches/, as they are today?
is_written() { [ "$(stack_id)" = "$(head -n 1 "$build/stack.stamp" 2>/dev/null)" ] && [ -z "$(unwritten stack)" ]; }

# unwritten stack|all: what is in the tree and in no patch, a line each; "all": also what
# is on other branches than those of the stack.
unwritten() {
	local was lost stamp=$build/stack.stamp

	g status --porcelain -uall | sed -n '1,5s/^.../uncommitted: /p'
	[ -f "$stamp" ] || return 0
	mapfile -t was < <(sed 1d "$stamp" | cut -d' ' -f1)
	# Commits that say what a patch says do not count, nor do those that moved.
	lost=$(
		g log --cherry-pick --right-only --no-merges --format='commit: %s' \
			"$(sed -n 's/ stack$//p' "$stamp")...stack" || exit
		# shellcheck disable=SC2046 # a word or none
		g log --format='commit: %s' $([ "$1" != all ] || echo --branches) HEAD --not base stack "${was[@]}"
	) || return
	[ -n "$lost" ] || lost=$(sed 1d "$stamp" | grep -vxFf <(branches) | sed 's/^[^ ]*/branch moved:/') || return 0
	head -n 5 <<<"$lost"
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
	sed -nE '/patch does not apply$/d; s/^Patch failed at [0-9]+ (.*)/"\1":/p; s/^(error|fatal): //p' <<<"$out" |
		tac | head -n 4 | paste -sd' ' | grep . || head -n 1 <<<"$out"
	return 1
}

# mails files|tree FOLDER: its patches as one mailbox.
mails() {
	local before

	[ "$1" = tree ] || { patch_files "$2" | xargs -rd '\n' cat; return; }
	before=$(printf '%s\n' base "${folders[@]/#/refs/heads/}" | grep -xB1 "refs/heads/$2" | head -n 1)
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

# unexpected LOG: without what tests provoke: where one says that a warning will follow,
# since 6.12 cannot suppress it, and the name that makes a registration fail.
unexpected() {
	sed -e '/: a warning may follow$/,/: no warning any more$/d' \
		-e '/\(duplicate filename\|already exists\|already present\).*/{/failed_registration_is_undone/d}' "$1"
}

# board_arch BOARD: "arm" if its board.conf does not say.
board_arch() { sed -n 's/^arch=//p;$s/.*/arm/p' "$top/boards/$1/board.conf" | head -n 1; }

# Those that the kernel has what it takes for. "grep -L" fails if it leaves out none.
all_boards() {
	{ grep -Lx "without=$SERIES" "$top"/boards/*/board.conf || true; } | sed 's,.*/\(.*\)/.*,\1,'
}

# boards_of ARCH
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

	(cd "$top/lab/drivers" && grep -L '^// unreachable:' -- *.dts) | sed 's/\.dts$//' | while read -r driver; do
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
	git -C "$src" rev-parse --path-format=absolute --git-path rebase-apply --git-path index.lock |
		xargs -d '\n' rm -rf
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
