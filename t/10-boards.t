#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the kernels of some boards, boot them, and judge.
#
#	10-boards.t BOARD...	only these, stock and patched, for scripts/demo
. "$(dirname "$0")/../scripts/lib.sh"

# A board must pass with the patches, and fail without them, in the way it is known
# to fail: a check that cannot fail checks nothing. What is said of it is looked
# for in the whole line of a complaint or a note. Some need options of scripts/boot. A
# board whose driver does not set the flag in what is tested is left out.
rows() {
	local all board rest

	all=$(all_boards)
	while IFS='|' read -r board rest; do
		grep -qxF "$board" <<<"$all" || continue
		# The first of its sources is the controller's driver.
		! g grep -q create_devlink "$ref" -- "$(sed -nE 's/^sources="([^ "]*).*/\1/p' "$top/boards/$board/board.conf")" ||
			echo "$board|$rest"
	done <<END
raspi2b|$kind||
raspi2b|stock|clients hold a reference|
xilinx-zynq-a9|$kind||
xilinx-zynq-a9|stock|clients hold a reference|
smdkc210|$kind||
smdkc210|stock|clients hold a reference|
sabrelite|$kind||
sabrelite|$kind||-r
sabrelite|stock|trying to register non-static key|
sabrelite|driver-fixes|clients hold a reference|
sabrelite|naive|system_sleep: /dev/ttymxc0 does not send any more|-c clients,system_sleep
END
}

# out BOARD VARIANT OPTIONS
out() { echo "$build/run/$1-$2${3%% *}"; }

boot_all() {
	local board variant text options

	while IFS='|' read -r board variant text options; do
		rm -f "$(out "$board" "$variant" "$options").result"
		echo "-v $variant -n ${ROUNDS:-5} $options $board" \
			"'$build/boards/$variant/$(board_arch "$board")' '$(out "$board" "$variant" "$options")'"
	done <<<"$rows" | xargs -P "$jobs" -L 1 "$top/scripts/boot" || true
}

judge_all() {
	local board variant text options file want rc

	while IFS='|' read -r board variant text options; do
		rc=0 want=fail file=$(out "$board" "$variant" "$options").result
		[ "$variant" != "$kind" ] || want=pass
		grep -qsx "result $want" "$file" || rc=1
		[ -z "$text" ] || grep -qsE "^(splat|note) .*$text" "$file" || rc=1
		# Each case of one that has to pass counts.
		[ "$want" != pass ] || sed -nE "s/^not run /not ok /
			s/^(ok|not ok) ([a-z_]+)\$/\\1 $board, $variant kernel: \\2/p" "$file" || true
		result $rc "$board${options:+, $options}, $variant kernel has to $want${text:+ with \"$text\"}"
		[ $rc -eq 0 ] || {
			# The cases that failed, what they said, and what the kernel did.
			grep -sE "^(not ok|splat|end) |^note ($(sed -n 's/^not ok //p' "$file" | paste -sd'|'))\b" "$file" |
				sed -n '1,20s/^/  /p' || true
			echo "  see $file and the log beside it"
		}
	done <<<"$rows"
}

lock
need_tree
# Here, where it is noticed if it fails.
rows=$(rows)
[ $# -eq 0 ] || rows=$(awk -F'|' -v boards=" $* " -v kind="$kind" '
	index(boards, " " $1 " ") && ($2 == "stock" || $2 == kind) && $4 == ""' <<<"$rows")
[ -n "$rows" ] || { echo "ok boards: none of their drivers sets the flag in $kind"; exit; }
say "$kind: $(g rev-list --count "base..$ref") patches on $(g log -1 --format=%s base)"
mkdir -p "$build/run"
# In the order in which each builds the least anew.
for variant in stock driver-fixes naive "$kind"; do
	[[ $rows != *"|$variant|"* ]] || "$top/scripts/kernel" "$variant" || result 1 "$variant kernel builds"
done
say "booting $(wc -l <<<"$rows") times, $jobs at a time ..."
boot_all
judge_all
exit $failed
