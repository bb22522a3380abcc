#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Send some folders to a program on this machine, and look at what it gets: is it all, in
# one thread, to the right people, and does it give the same commits? Those of STAGE=, or
# one with many recipients, and one of a single patch that needs it.
#
#	50-send.t all	all but consumers/ and drivers/, of which one each will do
. "$(dirname "$0")/../scripts/mail.sh"

work=$build/mail
me='A Kernel Developer <a@kernel-developer.test>'
read -ra todo <<<"${STAGE:-links selftests}"
[ "${1-}" != all ] || mapfile -t todo < <(printf '%s\n' "${folders[@]}" | awk -F/ 'NF == 1 || !seen[$1]++')
unset V STAGE PREFIX CHANGELOG DRY FORCE GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
export AUTHOR=me OUTGOING=$work/outgoing XDG_DATA_HOME=$work/b4 XDG_CACHE_HOME=$work/b4

# The person's own git configuration: mails go to "sendmail", which writes a Maildir, and
# to whom each went into the mail.
set_up() {
	local setting

	mkdir -p "$work"
	cat >"$work/sendmail" <<-'END'
		#!/bin/sh
		cd "$MAILDIR/new" && { echo "X-Sent-To: $*"; cat; } >"$(ls | wc -l | xargs printf %03d)"
	END
	chmod +x "$work/sendmail"
	# Stronger than what the clone has in .git/config.
	for setting in "user.name=${me% <*}" user.email=a@kernel-developer.test "sendemail.smtpServer=$work/sendmail"; do
		export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=${setting%%=*}" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=${setting#*=}"
		GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
	done
}

# ok TEXT COMMAND...; fails TEXT COMMAND...: it must not succeed.
ok() { local text=$1 rc=0; shift; "$@" || rc=1; result $rc "$text"; }
fails() { local text=$1 rc=1; shift; "$@" || rc=0; result $rc "$text"; }
quietly() { "$@" >"$work/log" 2>&1; }

# refuses TEXT COMMAND...: with one line that has TEXT in it.
refuses() {
	local text=$1 out rc=0

	shift
	out=$("$@" 2>&1 >/dev/null) && rc=1
	[[ $out == "error: "*"$text"* ]] && [ "$(wc -l <<<"$out")" -eq 1 ] || rc=1
	result $rc "refused: $text"
	[ $rc -eq 0 ] || echo "$out"
}

# deliver FOLDER: export it, have its recipients edited, send it. What has arrived is in
# $work/FOLDER/new, one file a mail.
deliver() {
	local folder=${1//\//-}

	export MAILDIR=$work/$folder
	mkdir -p "$MAILDIR"/{cur,new,tmp}
	{
		STAGE=$1 "$top/scripts/export" &&
		sed -i -E 's/@([^> ]+)/.\1@recipient.test/' "$OUTGOING/$folder/recipients" &&
		STAGE=$1 "$top/scripts/send" &&
		[ -z "$(ls "$MAILDIR/new")" ] &&
		STAGE=$1 DRY=0 "$top/scripts/send"
	} >"$work/$folder.log" 2>&1 || { tail -n 3 "$work/$folder.log"; return 1; }
}

# one_thread MAIL...: the others answer the first one.
one_thread() {
	local id

	id=$(sed -nE 's/^Message-I[Dd]: //p' "$1")
	[ -n "$id" ] || return 1
	[ $# -eq 1 ] || [ "$(grep -lFx "In-Reply-To: $id" "${@:2}" | wc -l)" -eq $(($# - 1)) ]
}

# to_all RECIPIENTS MAIL...: each mail went to those of the file, nobody else.
to_all() {
	local want

	want=$(sed -nE 's/^(To|Cc): (.*<)?([^ <>]+@recipient\.test).*/\3/p' "$1" | paste -sd' ')
	[ -n "$want" ] && [ "$(grep -lFx "X-Sent-To: -i $want" "${@:2}" | wc -l)" -eq $(($# - 1)) ]
}

# gives_commits START END MAIL...: git am makes the same trees and messages of them, by
# the sender and with a sign-off.
gives_commits() {
	local want

	want=$(g log --format="%T $me%n%B%nSigned-off-by: $me" "$1..$2" | sed '/^$/d')
	checkout "$1"
	git -C "$src" am -q "${@:3}" >"$work/am.log" 2>&1 &&
		[ "$(git -C "$src" log --format='%T %an <%ae>%n%B' "$1..HEAD" | sed '/^$/d')" = "$want" ]
}

# b4_reads MAILDIR: as a maintainer's tool, without the network.
b4_reads() {
	rm -rf "$work/b4-out"
	mkdir "$work/b4-out"
	(cd "$src" && b4 --offline-mode -n am -C -m "$1" -o "$work/b4-out" -n part) >"$work/b4.log" 2>&1 &&
		! grep -qE 'Thread incomplete|ERROR' "$work/b4.log"
}

# check_folder FOLDER
check_folder() {
	local folder=${1//\//-} mails cover=1

	ok "$1 is exported, checked and sent" deliver "$1"
	find_commits "$1"
	mails=("$work/$folder/new"/*)
	[ -e "${mails[0]}" ] || return 0
	[ ${#mails[@]} -gt 1 ] || cover=0
	ok 'the patches answer the cover letter' one_thread "${mails[@]}"
	ok 'each mail goes to the edited recipients and nobody else' to_all "$OUTGOING/$folder/recipients" "${mails[@]}"
	ok "git am makes the commits of $1 of them, with a sign-off each" gives_commits "$start" "$end" "${mails[@]:cover}"
}

# worse SED...: the mails of "links" with the third one changed.
worse() {
	rm -rf "$work/bad"
	cp -r "$work/links" "$work/bad"
	sed -i "$@" "$work/bad/new/002"
}

# The checks above can fail: the same with something wrong. Of "links".
check_checks() {
	local new=$work/bad/new sent=$OUTGOING/links count mail

	find_commits links
	ok 'b4 am reads it' b4_reads "$work/links"
	ok 'b4 finds the change-id' grep -qE "^change-id: .*-links-" "$work/b4-out/part.cover"
	worse '0,/^+[^+]/s//+x/'
	fails 'noticed: a mail that is damaged' gives_commits "$start" "$end" "$new"/00[1-9]
	worse '/^Signed-off-by: /d'
	fails 'noticed: a sign-off that is missing' gives_commits "$start" "$end" "$new"/00[1-9]
	worse 's/^In-Reply-To: .*/In-Reply-To: <somewhere@else>/'
	fails 'noticed: a mail in no thread' one_thread "$new"/*
	worse 's/^\(X-Sent-To: -i\) [^ ]*/\1/'
	fails 'noticed: a recipient who got nothing' to_all "$sent/recipients" "$new"/*
	rm "$new/002"
	fails 'noticed by b4: a mail that is lost' b4_reads "$work/bad"

	export STAGE=links MAILDIR=$work/links
	count=$(wc -l <"$sent/sent")
	refuses 'was sent on' env DRY=0 "$top/scripts/send"
	refuses 'was sent already' "$top/scripts/export"
	sed -i '$d' "$sent/sent"
	ok 'the rest is sent' quietly env DRY=0 "$top/scripts/send"
	ok 'and nothing else' [ "$(find "$MAILDIR/new" -type f | wc -l)" -eq $((count + 1)) ]
	rm "$sent/sent"
	sed -i.bak 's/^To:/Bcc:/' "$sent/recipients"
	refuses 'is not To: or Cc:' "$top/scripts/send"
	mv "$sent/recipients.bak" "$sent/recipients"
	mail=$(find "$sent/mails" -type f | sort | tail -n 1)
	echo edited >>"$mail"
	refuses 'would be overwritten' "$top/scripts/export"
	rm "$mail"
	refuses "has $((count - 1)) mails, $count were exported" "$top/scripts/send"
	sed -i 's/^commit .*/commit of yesterday/' "$sent/stamp"
	refuses 'has changed since' "$top/scripts/send"
	echo '- Nothing; this is a test.' >"$work/changes"
	ok 'a second version is exported' quietly env FORCE=1 V=2 CHANGELOG="$work/changes" "$top/scripts/export"
	ok 'with its list of changes' grep -q '^Changes in v2:$' "$sent/mails/v2-0000-cover-letter.patch"
}

lock
need git b4
need_tree
rm -rf "$work"
set_up
export STAGE=${todo[0]}
for wrong in me@localhost me@users.noreply.github.com me@example.com me@host.invalid; do
	refuses "<$wrong>" env GIT_COMMITTER_EMAIL=$wrong "$top/scripts/export"
done
refuses 'which is not an address' env -u AUTHOR "$top/scripts/export"
refuses 'list of what has changed' env V=2 "$top/scripts/export"
unset STAGE

for folder in "${todo[@]}"; do
	check_folder "$folder"
done
[[ " ${todo[*]} " != *" links "* ]] || check_checks
[ $failed -ne 0 ] || rm -rf "$work"
[ $failed -eq 0 ]
