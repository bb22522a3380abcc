#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The KUnit tests under KASAN on UML: each of them, and the run.
. "$(dirname "$0")/../scripts/lib.sh"

lock
rc=0 out=$logs/test-kunit.log
KEEP=no "$top/scripts/kunit" kasan um >"$out" 2>&1 || rc=$?
grep -aE '^== .*(\.\.\.|: [0-9]+ s)$' "$out" || true
# A test that is skipped or crashed has tested nothing.
awk '
	/^=+ .* \([0-9]+ subtests?\) =+$/ { suite = $2 }
	/^\[PASSED\] / { print "ok kunit: " suite ": " substr($0, 10) }
	/^\[(FAILED|SKIPPED|CRASHED)\] / { print "not ok kunit: " suite ": " $0 }' "$out"
line=$(grep -a 'Testing complete' "$out" | tail -n 1) || line='did not get that far'
grep -q 'passed: [1-9]' <<<"$line" || rc=1
result $rc "kunit: $line"
[ $rc -eq 0 ] || {
	grep -aE '^error|complained|not all of it|the guest|KVM' "$out" | sed -n 1,10p || true
	echo "  see $out"
}
exit $failed
