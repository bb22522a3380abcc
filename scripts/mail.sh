# shellcheck shell=bash disable=SC2034,SC2154 # used by, and set by, those that source this
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by export, send and t/50-send.t: who sends, and what.

# lib.sh hides the person's own git configuration, to give the same commits to everybody.
# Who signs off and how mail is sent is in there.
mapfile -d '' -t own < <(env -0)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# own_git ARGUMENT...: git as the person has set it up.
own_git() { env -i "${own[@]}" git -C "$top" "$@"; }

# real_address ADDRESS: could somebody be reached there? ".test" is nobody's domain
# either; only t/50-send.t has it.
real_address() {
	[[ $1 =~ ^[A-Za-z0-9.!#%\&\'*+/=?^_{|}~-]+@([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]+$ ]] || return 1
	case ${1,,} in
	*noreply* | *no-reply* | *no_reply* | root@* | nobody@*) return 1 ;;
	*[@.]example | *[@.]example.* | *.invalid | *.localhost | *.localdomain | *.local | *.internal) return 1 ;;
	esac
}

# Sets "sender" to "NAME <ADDRESS>", and git's committer, whom it takes for a sign-off.
# What git makes up from the host's name does not count.
need_sender() {
	local ident how='git config --global user.name "..." and user.email'

	ident=$(own_git -c user.useConfigOnly=true var GIT_COMMITTER_IDENT 2>/dev/null) ||
		die "git does not know who you are; set your name with $how"
	sender=${ident%>*}'>'
	export GIT_COMMITTER_NAME=${sender% <*} GIT_COMMITTER_EMAIL=${sender##*<}
	GIT_COMMITTER_EMAIL=${GIT_COMMITTER_EMAIL%>}
	case ${GIT_COMMITTER_NAME,,} in
	"" | root | "your name" | *@*)
		die "a sign-off needs your name, and \"$GIT_COMMITTER_NAME\" is not a name; set it with $how"
		;;
	esac
	real_address "$GIT_COMMITTER_EMAIL" ||
		die "nobody can answer to <$GIT_COMMITTER_EMAIL>; set a real address with $how"
}

# One folder is one mailing. Sets "out", where its mails are.
need_folder() {
	[[ -n ${STAGE-} && $STAGE != *[[:space:]]* ]] ||
		die "which folder is to be sent? STAGE= is one of patches/$(basename "$home")/series"
	out=${OUTGOING:-$build/outgoing}/${STAGE//\//-}
}

# stamp NAME [DIR]: what the stamp of an export says.
stamp() { sed -n "s/^$1 //p" "${2:-$out}/stamp"; }

# find_commits FOLDER: sets "start" and "end", its commits on top of what it needs.
find_commits() {
	local list commits

	list=$(with_needs "$1")
	# shellcheck disable=SC2086 # words
	commits=$(g rev-parse base; assemble files $list | cut -d' ' -f1)
	end=$(tail -n 1 <<<"$commits")
	start=$(tail -n 2 <<<"$commits" | head -n 1)
}
