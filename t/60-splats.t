#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/splats says what a complaint of the kernel is, and with that scripts/judge decides
# each run. Check the first by the lines of t/splats: each complaint is found, each
# expression is needed for one of them, and nothing else is found; and the second by a few
# consoles. Needs no kernel tree.
. "$(dirname "$0")/../scripts/lib.sh"

list=$top/scripts/splats
cases=$top/t/splats

# lines MARK...: as a kernel prints them. "=" a second time without the title.
lines() {
	local mark

	for mark; do
		sed -n "s/^$mark//p" "$cases"
		[ "$mark" != = ] || sed -nE 's/^=(WARNING|BUG): //p' "$cases"
	done
}

wrong=$(lines + = | grep -vEf "$list" || true)
result ${#wrong} "splats: all $(lines + = | wc -l) complaints are found${wrong:+, but: $wrong}"
wrong=$(lines - | grep -Ef "$list" || true)
result ${#wrong} "splats: none of $(lines - | wc -l) other lines is found${wrong:+, but: $wrong}"
while IFS= read -r expression; do
	rc=0
	lines + = | grep -E -- "$expression" | grep -vE -f <(grep -vxF -- "$expression" <"$list") >/dev/null || rc=1
	result $rc "splats: a complaint is found by nothing but \"$expression\""
done < <(cat "$list")

# What a test provokes does not count, what comes before or after does.
found=$(unexpected <(printf '%s\n' 'BUG: before' '# a: a warning may follow' 'BUG: between' \
	'# a: no warning any more' 'BUG: after' "cannot create duplicate filename '/failed_registration_is_undone'") |
	grep -Ef "$list" | paste -sd,)
rc=0
[ "$found" = "BUG: before,BUG: after" ] || rc=1
result $rc "splats: what a test says that it provokes does not count"

# FINDING|END|"restart" or nothing|the lines of a console
log=$(mktemp)
trap 'rm "$log"' EXIT
while IFS='|' read -r finding end restart console; do
	tr ';' '\n' <<<"$console" >"$log"
	rc=0
	# shellcheck disable=SC2086 # or nothing
	"$top/scripts/judge" "$log" "$end" '^BUG: known' $restart | grep -xF "$finding" >/dev/null || rc=1
	result $rc "judge: $finding: $console ($end)"
done <<'END'
result pass|done||1..2;# a: BUG: says the guest;ok 1 a;[    1.000000] ok 2 b # SKIP no b
result pass|done||1..1;BUG: known;ok 1 a
result pass|done|restart|1..1;ok 1 a;x: shutdown;# guest: meanwhile: 1;y: shutdown
result fail|done|restart|1..1;ok 1 a;x: shutdown;# guest: meanwhile: 1;x: shutdown
result fail|done|restart|1..1;ok 1 a;x: shutdown;y: shutdown
result fail|done|restart|1..1;ok 1 a;# guest: meanwhile: 1
result fail|done||1..2;ok 1 a
result fail|done||1..2;ok 1 a;not ok 2 b
result fail|done||1..1;ok 1 a # SKIP no a
result fail|done||ok 1 a
result fail|done||1..1;ok 1 a;BUG: new
result fail|done||1..1;ok 1 a;Call trace:
result fail|hung||1..1;ok 1 a
not run b|done||1..2;not ok 1 a;not ok 2 b # not run: a failed
note a: 1 KiB|done||1..1;# a: 1 KiB;ok 1 a
complained b: BUG: two|done||1..2;ok 1 a;BUG: two;BUG: three;not ok 2 b
complained boot: BUG: one|done||BUG: one;1..1;ok 1 a
complained shutdown: BUG: last|done||1..1;ok 1 a;BUG: last
end oops|done||Internal error: Oops: 805
END
exit $failed
