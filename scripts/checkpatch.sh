# shellcheck shell=bash disable=SC2034,SC2154 # used by, and set by, those that source this
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by those that look at patches: check_patches, which prints "ok TEXT" or
# "not ok TEXT", and checkpatch, which prints what is wrong.

# checkpatch asks /usr/bin/env for a python3, and needs the one with the packages.
export PATH=/usr/bin:/bin:$PATH

# checkpatch IGNORE PATCH
checkpatch() {
	"$linux/scripts/checkpatch.pl" --root="$linux" --strict --terse --no-summary \
		--show-types --ignore "$1" "$2" 2>&1 || true
}

# check_patches MODE PATCH... checkpatch looks for codespell's 37000 words in each
# line, which takes a minute; the mode "quick" asks codespell first which patches
# have one of them.
check_patches() {
	local mode=$1 patch all=() rest=() suspects=() log out rc subject quotes
	local options=(--root="$linux" --strict --terse --no-summary --show-types)
	local ignore=MISSING_SIGN_OFF,FILE_PATH_CHANGES

	need perl python3 codespell
	mkdir -p "$logs"
	log=$logs/checkpatch.log
	all=("${@:2}")
	{ codespell - <<<contoller || true; } | grep -q controller || die "codespell finds nothing; install it anew"
	suspects=("${all[@]}")
	[ "$mode" != quick ] ||
		mapfile -t suspects < <(codespell "${all[@]}" 2>&1 | sed -nE 's/^(.*\.patch):[0-9]+: .*/\1/p' | sort -u)
	mapfile -t rest < <(printf '%s\n' "${all[@]}" "${suspects[@]}" | sed '/^$/d' | sort | uniq -u)
	# Without the history no commit of a Fixes: tag can be looked up.
	g rev-parse -q --verify 'base^' >/dev/null || ignore+=,UNKNOWN_COMMIT_ID
	options+=(--ignore "$ignore")
	: >"$log"
	[ ${#rest[@]} -eq 0 ] || printf '%s\0' "${rest[@]}" |
		xargs -0 -P "$jobs" -n 20 "$linux/scripts/checkpatch.pl" "${options[@]}" >>"$log" 2>&1 || true
	[ ${#suspects[@]} -eq 0 ] || printf '%s\0' "${suspects[@]}" |
		xargs -0 -P "$jobs" -n 20 "$linux/scripts/checkpatch.pl" "${options[@]}" --codespell >>"$log" 2>&1 || true
	for patch in "${all[@]}"; do
		rc=0
		# The title in a Fixes: tag is a quote, whatever codespell says of it.
		quotes=$(grep -n '^Fixes: ' "$patch" | sed "s,^\\([0-9]*\\):.*,$patch:\\1: WARNING:TYPO_SPELLING:,") || true
		out=$(grep -F "$patch:" "$log" | grep -vF "${quotes:-no quote}") || true
		subject=$(git mailinfo /dev/null /dev/null <"$patch" | sed -n 's/^Subject: //p')
		[ ${#subject} -le 75 ] || out+="subject of ${#subject} characters"
		! grep -q '^Signed-off-by:' "$patch" || out+="stored with a Signed-off-by"
		[ -z "$out" ] || rc=1
		result $rc "checkpatch ${patch#"$top"/patches/*/}"
		[ $rc -eq 0 ] || echo "$out"
	done
	# What belongs to no patch: that the dictionary is missing, for one.
	out=$(grep -vF "$top/patches/" "$log") || return 0
	result 1 "checkpatch has all that it needs"
	echo "$out"
}
