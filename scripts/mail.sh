# shellcheck shell=bash disable=SC2034,SC2154 # used by, and set by, those that source this
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by export and send, before lib.sh, which hides the person's own git
# configuration to give the same commits to everybody. Who signs off and how
# mail is sent is in there.

own=()
for variable in GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_CONFIG_COUNT \
	"${!GIT_CONFIG_KEY_@}" "${!GIT_CONFIG_VALUE_@}" LC_ALL; do
	if [ -n "${!variable+set}" ]; then
		own+=("$variable=${!variable}")
	else
		own=(-u "$variable" "${own[@]}")
	fi
done

# own_git ARGUMENTS: git as the person has set it up.
own_git() { env "${own[@]}" git -C "$top" "$@"; }

# real_address ADDRESS: could somebody be reached there? ".test" is nobody's
# domain either; scripts/test-send has it, and scripts/send keeps it at home.
real_address() {
	[[ $1 =~ ^[A-Za-z0-9.!#%\&\'*+/=?^_{|}~-]+@([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]+$ ]] || return 1
	case ${1,,} in
	*noreply* | *no-reply* | *no_reply* | root@* | nobody@*) return 1 ;;
	*[@.]example | *[@.]example.* | *.invalid | *.localhost | *.localdomain | *.local | *.internal) return 1 ;;
	esac
}

# address_of "NAME <ADDRESS>"
address_of() { sed -E 's/.*<([^<>]*)>.*/\1/' <<<"$1"; }

# real_person "NAME <ADDRESS>"
real_person() {
	local form='^[^<>]+ <[^<> ]+>$'

	[[ $1 =~ $form ]] && real_address "$(address_of "$1")"
}

# Sets "sender" to "NAME <ADDRESS>" as git takes it for a sign-off: GIT_COMMITTER_*,
# or the configuration; what git makes up from the host's name does not count.
need_sender() {
	local ident name
	local how='git config --global user.name "..." and user.email'

	ident=$(own_git -c user.useConfigOnly=true var GIT_COMMITTER_IDENT 2>/dev/null) ||
		die "git does not know who you are; set your name with $how"
	sender=$(sed -E 's/ [0-9]+ [-+][0-9]{4}$//' <<<"$ident")
	name=${sender% <*}
	case ${name,,} in
	"" | root | "your name" | *@*) die "a sign-off needs your name, and \"$name\" is not a name; set it with $how" ;;
	esac
	real_address "$(address_of "$sender")" ||
		die "nobody can answer to <$(address_of "$sender")>; set a real address with $how"
}
