# shellcheck shell=bash disable=SC2034 # used by those that source this
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by every script: which kernel, which series, where things go.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "== $*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# need TOOL...: they come from packages that "make setup" installs.
need() {
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null || die "no $tool here; run: make setup"
	done
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
		die "$build has $free GiB free, $1 are needed; make room or move the checkout"
}

# One run at a time per kernel: two would build in the same folders.
lock() {
	mkdir -p "$build"
	[ -z "${DEVLINK_LOCKED-}" ] || return 0
	need flock
	exec 9>"$build/.lock"
	flock -n 9 || die "another run is busy in $build; wait for it or end it"
	export DEVLINK_LOCKED=1
}

KERNEL=${KERNEL:-7.3}
case $KERNEL in
*/*)
	[ -d "$KERNEL" ] || die "KERNEL=$KERNEL is no folder"
	KERNEL=$(cd "$KERNEL" && pwd)
	grep -qs '^PATCHLEVEL = ' "$KERNEL/Makefile" ||
		die "KERNEL=$KERNEL is no Linux source: its Makefile has no PATCHLEVEL"
	name=$(basename "$KERNEL")-$(printf %s "$KERNEL" | sha256sum | cut -c1-8)
	;;
*)
	[ -f "$top/kernels/$KERNEL.conf" ] ||
		die "no kernels/$KERNEL.conf; there is: $(cd "$top/kernels" && echo *.conf). Or give a source tree: KERNEL=/path/to/linux"
	name=$KERNEL
	;;
esac

if [ -z "${SERIES-}" ]; then
	series_given=
	SERIES=7.3
	# A kernel of its own, or one that takes the series of another.
	[ ! -d "$top/patches/$KERNEL" ] || SERIES=$KERNEL
	case $KERNEL in
	*/*) ;;
	*) SERIES=$(sed -n "s/^series=//p;\$s/.*/$SERIES/p" "$top/kernels/$KERNEL.conf" | head -n 1) ;;
	esac
else
	series_given=1
fi
patches=$top/patches/$SERIES
[ -d "$patches" ] || die "no series in patches/$SERIES"

build=$top/build/$name
linux=$build/linux		# the tree to work in
src=$build/src			# a second work tree, switched between variants
logs=$build/log
export KERNEL SERIES

# The same names and dates for everybody: the same commits, and ccache hits.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
# No clean-up in the background, which would go on and hold the lock.
export GIT_CONFIG_COUNT=2
export GIT_CONFIG_KEY_0=gc.auto GIT_CONFIG_VALUE_0=0
export GIT_CONFIG_KEY_1=maintenance.auto GIT_CONFIG_VALUE_1=false
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

series_patches() { find "$patches" -name '[0-9]*.patch' ! -name '0000-*' | sort; }

# What the tree was made from; changes with any byte of the series.
series_id() { find "$patches" -name '*.patch' | sort | xargs -r cat | sha256sum | cut -d' ' -f1; }

# What a result of KUnit depends on: the branch "series" of that tree, and how it is run.
kunit_id() {
	echo "$(git -C "${1:-$linux}" rev-parse "series^{tree}") $(cat "$top"/kunit/*.kunitconfig \
		"$top/kunit/kmsg.h" "$top/kunit/modules/init.c" "$top/scripts/kunit" \
		"$top/scripts/splats" | sha256sum | cut -d" " -f1)"
}

# A tree that is there is taken as it is, with what was committed in it.
need_tree() {
	[ -d "$linux" ] || "$top/scripts/tree"
}

# board_arch BOARD: "arm" if its board.conf does not say.
board_arch() { sed -n 's/^arch=//p;$s/.*/arm/p' "$top/boards/$1/board.conf" | head -n 1; }

# Those that the kernel has what it takes for.
all_boards() {
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

# Of the many of the lab: those that "make test" runs, by the kernels of the boards.
test_drivers="sun6i-dma fsl-edma stm32-dma k3dma sf-pdma"

# What is beside the series, in order: the fixes, the drivers that the lab has shown,
# and those that it has yet to.
beside() {
	local set

	for set in fixes conversions needs-hardware; do
		[ ! -d "$top/patches/$SERIES-$set" ] ||
			find "$top/patches/$SERIES-$set" -name '[0-9]*.patch' ! -name '0000-*' | sort
	done
}

# The series with that, as the branch "lab".
lab_branch() {
	local patch id

	id="$(git -C "$linux" rev-parse series) $(beside | xargs -r cat | sha256sum | cut -d' ' -f1)"
	if [ "$(cut -d' ' -f1,2 "$build/lab.branch" 2>/dev/null)" = "$id" ] &&
	   [ "$(git -C "$linux" rev-parse -q --verify refs/heads/lab)" = "$(cut -d' ' -f3 "$build/lab.branch")" ]; then
		return
	fi
	checkout series
	while read -r patch; do
		GIT_COMMITTER_NAME=series GIT_COMMITTER_EMAIL=series@localhost \
			git -C "$src" am -q --committer-date-is-author-date "$patch" >/dev/null 2>&1 ||
			die "${patch#"$top"/} does not apply to the series and what is before it"
	done < <(beside)
	git -C "$linux" branch -q -f lab "$(git -C "$src" rev-parse HEAD)"
	echo "$id $(git -C "$linux" rev-parse lab)" >"$build/lab.branch"
}

# lab_field DRIVER NAME: its lines "// NAME: TEXT".
lab_field() { sed -n "s,^// $2: *,,p" "$top/lab/drivers/$1.dts"; }

# Those that the lab can run.
lab_drivers() { (cd "$top/lab/drivers" && grep -L '^// unreachable:' ./*.dts | sed 's,^\./,,; s,\.dts$,,'); }

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
	[ -e "$src/.git" ] || {
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
