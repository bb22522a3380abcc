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
	printf '%s\0' "${@:2}" | xargs -0 -P "$jobs" -n 10 "$linux/scripts/checkpatch.pl" --root="$linux" \
		--strict --terse --no-summary --show-types --ignore $ignore $1 2>&1 || true
}

# check_patches PATCH... checkpatch looks for codespell's 37000 words in each line, which
# takes a minute; codespell itself says quickly which patches may have one of them.
check_patches() {
	local patch suspects log=$logs/checkpatch.log out subject quotes

	need perl python3 codespell
	mkdir -p "$logs"
	{ codespell - <<<contoller || true; } | grep -q controller || die "codespell finds nothing; install it anew"
	mapfile -t suspects < <(codespell "$@" 2>&1 | sed -nE 's/^(.*\.patch):[0-9]+: .*/\1/p' | sort -u)
	{
		checkpatch '--ignore MISSING_SIGN_OFF' "$@"
		[ ${#suspects[@]} -eq 0 ] || checkpatch '--ignore MISSING_SIGN_OFF --codespell' "${suspects[@]}"
	} | sort -u >"$log"
	for patch; do
		# The title in a Fixes: tag is a quote, whatever codespell says of it.
		quotes=$(grep -n '^Fixes: ' "$patch" | sed "s,^\\([0-9]*\\):.*,$patch:\\1: WARNING:TYPO_SPELLING:,") || true
		out=$(grep -F "$patch:" "$log" | grep -vF "${quotes:-no quote}") || true
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
