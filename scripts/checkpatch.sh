# shellcheck shell=bash disable=SC2034,SC2154 # used by, and set by, those that source this
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by those that look at patches: checkpatch, which prints what is wrong, and
# check_patches, which prints "ok TEXT" or "not ok TEXT".

# checkpatch asks /usr/bin/env for a python3, and needs the one with the packages.
export PATH=/usr/bin:/bin:$PATH

# checkpatch OPTIONS PATCH...
checkpatch() {
	local ignore=FILE_PATH_CHANGES

	# Without the history no commit of a Fixes: tag can be looked up.
	g rev-parse -q --verify 'base^' >/dev/null || ignore+=,UNKNOWN_COMMIT_ID
	# shellcheck disable=SC2086 # words
	realpath -z -- "${@:2}" | (cd "$linux" && xargs -0 -P "$jobs" -n 10 scripts/checkpatch.pl \
		--strict --terse --no-summary --show-types --ignore $ignore $1 2>&1) || true
}

# check_patches PATCH... codespell itself is fast, and reads the whole message; what is
# quoted there or was in the file before is not ours.
check_patches() {
	local patch log=$logs/checkpatch.log out subject quoted='^([- ]|@@|index |Fixes: ).*'

	need perl python3 codespell
	mkdir -p "$logs"
	{ codespell --ignore-regex "$quoted" - <<<+contoller || true; } | grep -q controller ||
		die "codespell finds nothing; install it anew"
	{
		checkpatch '--ignore MISSING_SIGN_OFF' "$@"
		codespell --ignore-regex "$quoted" "$@" || true
	} | sort -u >"$log"
	for patch; do
		out=$(grep -F "$patch:" "$log") || true
		subject=$(git mailinfo /dev/null /dev/null <"$patch" | sed -n 's/^Subject: //p')
		[ ${#subject} -le 75 ] || out+="subject of ${#subject} characters"
		! grep -q '^Signed-off-by:' "$patch" || out+="stored with a Signed-off-by"
		result ${#out} "checkpatch ${patch#"$top"/patches/*/}"
		[ -z "$out" ] || echo "$out"
	done
	# What belongs to no patch: that the dictionary is missing, for one.
	out=$(grep -vF "$top/patches/" "$log") || return 0
	result 1 "checkpatch has all that it needs"
	echo "$out"
}
