# shellcheck shell=bash disable=SC2034,SC2154 # used by, and set by, those that source this
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by those that look at patches: result and check_patch, which print
# "ok TEXT" or "not ok TEXT", and checkpatch, which prints what is wrong.

# checkpatch asks /usr/bin/env for a python3, and needs the one with the packages.
export PATH=/usr/bin:/bin:$PATH
failed=0

result() {
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2"
		failed=1
	fi
}

# checkpatch IGNORE PATCH
checkpatch() {
	"$linux/scripts/checkpatch.pl" --root="$linux" --strict --terse --no-summary \
		--show-types --ignore "$1" "$2" 2>&1 || true
}

check_patch() {
	local patch=$1 out rc=0 subject
	local ignore=MISSING_SIGN_OFF,FILE_PATH_CHANGES

	# Without the history no commit of a Fixes: tag can be looked up.
	git -C "$linux" rev-parse -q --verify 'base^' >/dev/null || ignore+=,UNKNOWN_COMMIT_ID
	out=$(checkpatch $ignore "$patch")
	subject=$(git mailinfo /dev/null /dev/null <"$patch" | sed -n 's/^Subject: //p')
	[ ${#subject} -le 75 ] || out+="subject of ${#subject} characters"
	! grep -q '^Signed-off-by:' "$patch" || out+="stored with a Signed-off-by"
	[ -z "$out" ] || rc=1
	result $rc "checkpatch $(basename "$patch")"
	[ $rc -eq 0 ] || echo "$out"
}
