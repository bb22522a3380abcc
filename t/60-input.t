#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Wrong input is refused before anything is fetched, built or removed: exit status not 0,
# one line on stderr that names what is wrong, and build/ as it was. Works on a copy of
# this checkout, with no build/ or a small one, and needs no network and no kernel tree.
# apt-get and dpkg-query are stubs there: a row that reaches for the archive is red, and
# which packages are missing is up to the row.
#
#	60-input.t [TEXT]	only the rows whose command has TEXT in it
#
# The lines of the table:
#
#	= STATE | SETUP		what follows is run in that state, which SETUP makes here
#	TEXT | COMMAND		is refused with a line that has TEXT in it
#	accepted | COMMAND	is not
# shellcheck disable=SC2317 # functions that only the table calls
table() {
	cat <<'END'
= a clone | fresh
no kernel 9.9			| make tree KERNEL=9.9
no kernel ..			| make kunit KERNEL=..
KERNEL=/nowhere/linux		| make tree KERNEL=/nowhere/linux
KERNEL=/etc			| make test KERNEL=/etc
SERIES=9.9			| make tree SERIES=9.9
SERIES=../patches/7.3		| make tree SERIES=../patches/7.3
no folder nothing		| make tree STAGE=nothing
no folder nothing		| make kunit STAGE="links nothing"
no folder ../links		| make test STAGE=../links
no board nothing		| make board BOARD=nothing
no board ../boards/raspi2b	| make board BOARD=../boards/raspi2b
no board nothing		| make boards BOARD="raspi2b nothing"
no board xlnx-zcu102		| make boards BOARD=xlnx-zcu102 KERNEL=6.12
no board *			| make boards BOARD='*'
no board nothing		| scripts/board nothing
which board			| make board
one board at a time		| make board BOARD="raspi2b sabrelite"
no driver nothing		| make lab DRIVER=nothing
no driver ../drivers/k3dma	| make lab DRIVER="k3dma ../drivers/k3dma"
cannot run k3-udma		| make lab DRIVER=k3-udma
no driver nothing		| scripts/lab nothing
no architecture mips		| make kunit ARCHS="um mips"
no architecture riscv		| make kunit ARCHS="um riscv"
no architecture um		| make kunit-modules ARCHS="arm64 um"
no mutant links/nothing		| make mutants MUTANT=links/nothing
no mutant ../../x		| make kunit MUTANT=../../x
no mutant nothing		| make stress MUTANT=nothing
one mutant at a time		| make kunit MUTANT="links/flag-ignored links/channel-not-linked"
one mutant at a time		| make stress MUTANT="links/flag-ignored links/channel-not-linked"
ROUNDS=abc			| make demo ROUNDS=abc
ROUNDS=0			| make board BOARD=raspi2b ROUNDS=0
ROUNDS=-1			| make lab ROUNDS=-1
TIME=abc			| make stress TIME=abc
TIME=1.5			| make stress TIME=1.5
TIME=08				| make stress TIME=08
FORCE=0				| make distclean FORCE=0
STOCK=0				| make board BOARD=raspi2b STOCK=0
FAILED=yes			| make test FAILED=yes
STAGE= is blank			| STAGE=' ' scripts/tree
BOARD= is blank			| BOARD=' ' scripts/boards
one board at a time		| scripts/shell "raspi2b sabrelite"
which board			| make shell
clean takes			| scripts/clean nothing
SEED=abc			| make stress SEED=abc
SLOW=abc			| make lab SLOW=abc
V=two				| make export STAGE=links V=two
CONFIG=/nowhere/config		| make deb CONFIG=/nowhere/config
CONFIG=./COPYING		| make deb CONFIG=./COPYING
no architecture mips		| make deb ARCH=mips
bench what			| scripts/bench nothing
check takes			| scripts/check nothing
status takes			| scripts/status nothing
where to			| make quilt
DIR=scripts			| make quilt DIR=scripts
cannot make DIR=/proc/x		| make quilt DIR=/proc/x
which folder			| make export
which folder			| make send
no folder nothing		| make send STAGE=nothing
DRY=2				| make send STAGE=links DRY=2
git does not know who you are	| make export STAGE=links AUTHOR=me
list of what has changed	| GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@me.test make export STAGE=links V=2 CHANGELOG=/nowhere/changes
nothing to send			| make send STAGE=links
no tree				| make refresh
= a path with a space | fresh 'a b'
the path has a space		| make tree
the path has a space		| make test
the path has a space		| make kunit
= a tree of somebody else | fresh; small_tree "$work/theirs"
/theirs: fatal: detected dubious ownership	| GIT_TEST_ASSUME_DIFFERENT_OWNER=1 make tree KERNEL=../theirs
= a build/ of somebody else | filled
7.3/linux: fatal: detected dubious ownership	| GIT_TEST_ASSUME_DIFFERENT_OWNER=1 make kunit
7.3/linux: fatal: detected dubious ownership	| GIT_TEST_ASSUME_DIFFERENT_OWNER=1 make distclean
= a checkout that cannot be written | fresh; read_only
you cannot write there		| make tree
you cannot write there		| make kunit
you cannot write there		| make demo
you cannot write there		| make status
you cannot write there		| GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@me.test make export STAGE=links AUTHOR=me
= a build/ that cannot be written | filled; read_only
you cannot write there		| make tree
you cannot write there		| make clean
you cannot write there		| make distclean
= all of it is in patches/ | fresh; filled
accepted			| scripts/clean
= uncommitted work | filled; echo 'precious work' >>"$linux/Makefile"
uncommitted: Makefile		| make distclean
uncommitted: Makefile		| make clean
= a commit that is in no patch | g commit -q -a -m 'precious work'
commit: precious work		| make distclean
commit: precious work		| make clean
commit: precious work		| make tree
= such a commit on a branch | g branch topic; g reset -q --hard base
commit: precious work		| make distclean
= and another base | echo 'not this base' >"$copy/build/7.3/base.stamp"
commit: precious work		| make tree
= recipients were edited | g branch -q -D topic; echo 'Cc: c@d.test' >>"$outgoing/recipients"
outgoing/links/recipients: edited		| make clean
outgoing/links/recipients: edited		| make distclean
= a mail was edited | filled; echo edited >>"$outgoing/mails/0001.patch"
outgoing/links/mails/0001.patch: edited		| make distclean
= a run that is busy | filled; touch "$copy/build/7.3/.lock"
a run is busy			| flock build/7.3/.lock make distclean
another run is busy		| flock build/7.3/.lock make tree
= no package is missing | fresh
accepted			| make $(sed -nE 's/^[a-z-]+: (setup-[a-z-]+).*/\1/p' Makefile)
no verb nothing			| make setup-nothing
= spin is missing | missing spin
--no-install-recommends spin	| make model
= debhelper and a compiler for RISC-V are missing | missing gcc-riscv64-linux-gnu debhelper
--no-install-recommends debhelper		| make deb
--no-install-recommends gcc-riscv64-linux-gnu	| make boards
= packages of other verbs are missing | missing gcc-riscv64-linux-gnu spin clang-19
accepted			| make setup-kunit setup-send
= the packages are there, their programs are not | fresh
no spin here; run: make setup-more	| command() { [ "$2" != spin ]; }; export -f command; scripts/model
no gnuplot here; run: make setup-more	| command() { [ "$2" != gnuplot ]; }; export -f command; scripts/bench page
END
}

. "$(dirname "$0")/../scripts/lib.sh"

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
umask 022
chmod 755 "$work"
mkdir "$work/stubs" "$work/home"
export GIT_AUTHOR_NAME=me GIT_AUTHOR_EMAIL=me@localhost GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@localhost
# A command gets nothing of the caller's: settings, locks, the git identity.
plain=(env -i "PATH=$work/stubs:$PATH" "HOME=$work/home" LC_ALL=C)

# fresh [NAME]: a copy of this checkout without build/, and no package is missing.
fresh() {
	copy=$work/${1:-copy}
	linux=$copy/build/7.3/linux outgoing=$copy/build/7.3/outgoing/links
	[ ! -e "$copy" ] || chmod -R u+w "$copy"
	rm -rf "$copy"
	mkdir "$copy"
	tar -C "$top" --exclude=./build --exclude=./.git -c . | tar -x -C "$copy"
	: >"$work/missing"
}

# small_tree DIR: enough of a kernel tree for scripts/tree and scripts/clean.
small_tree() {
	mkdir -p "$1"
	printf 'VERSION = 7\nPATCHLEVEL = 3\n' >"$1/Makefile"
	git init -q -b stack "$1"
	git -C "$1" add Makefile
	git -C "$1" commit -q -m base
	git -C "$1" tag base
}

# The copy has a build/ as "make tree" and "make export" leave it.
filled() {
	chmod -R u+w "$copy"
	[ -d "$linux" ] || small_tree "$linux"
	printf 'id\n%s stack\n' "$(g rev-parse stack)" >"$copy/build/7.3/stack.stamp"
	sha256sum <"$copy/kernels/7.3.conf" >"$copy/build/7.3/base.stamp"
	touch "$copy/build/7.3/.lock"
	mkdir -p "$outgoing/mails" "$copy/build/7.3/log"
	echo mail >"$outgoing/mails/0001.patch"
	echo 'To: a@b.test' >"$outgoing/recipients"
	(cd "$outgoing" && sha256sum mails/* recipients >checksums)
}

# As root somebody else has to do it.
nobody() { [ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups); }
read_only() { nobody; chmod -R a-w,a+rX "$copy"; }
missing() { nobody; printf '%s\n' "$@" >"$work/missing"; }

cat >"$work/stubs/apt-get" <<END
#!/bin/sh
echo "apt-get \$*" >>"$work/fetched"
echo "no network in this test" >&2
exit 1
END
cat >"$work/stubs/dpkg-query" <<END
#!/bin/sh
for package; do
	case \$package in -*) continue ;; *{*) continue ;; esac
	grep -qxF "\$package" "$work/missing" || echo "\$package installed"
done
END
chmod 755 "$work"/stubs/*

# All that a command could have made or changed.
snapshot() {
	# Who only looks takes the lock, and git has a look at its index.
	[ ! -e "$copy/build" ] || find "$copy/build" \( -name .git -o -name .lock \) -prune -o -printf '%p %s %T@\n' | sort
	[ ! -e "$work/fetched" ] || cat "$work/fetched"
}

# row TEXT COMMAND
row() {
	local text=$1 command=$2 before err rc=0 why=

	before=$(snapshot)
	err=$(cd "$copy" && "${as[@]}" timeout 300 "${plain[@]}" bash -c "$command" 2>&1 >/dev/null </dev/null) || rc=$?
	if [ "$text" = accepted ]; then
		[ $rc -eq 0 ] || why+="; exit status $rc"
		result ${#why} "accepted ($state): $command"
	else
		# What make says of the exit status is not ours.
		err=$(grep -v '^make: ' <<<"$err" || true)
		[ $rc -ne 0 ] || why+='; exit status 0'
		[ "$(wc -l <<<"$err")" -eq 1 ] || why+='; not one line on stderr'
		[[ $err == *"$text"* ]] || why+="; does not say \"$text\""
		[ "$(snapshot)" = "$before" ] || why+='; build/ is not as it was, or something was fetched'
		result ${#why} "refused ($state): $command"
	fi
	[ -z "$why" ] || printf '  %s\n' "${why#; }" "$err" | head -n 6
	rm -f "$work/fetched"
}

while IFS='|' read -r text command; do
	read -r text <<<"$text"
	read -r command <<<"$command"
	case $text in
	'= '*)
		state=${text#= } as=()
		eval "$command" </dev/null
		;;
	*) [[ $command != *"${1-}"* ]] || row "$text" "$command" ;;
	esac
done < <(table)
exit $failed
