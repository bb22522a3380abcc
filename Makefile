# SPDX-License-Identifier: GPL-2.0
#
# The front door. Each verb is a script in scripts/.
#
#	KERNEL=7.3		a base kernel of kernels/ (default), or
#	KERNEL=/path/to/linux	your own git tree, which is only read
#	STAGE=links		a folder of patches/7.3, or several: these with what they
#				need and nothing else; without it the whole stack
#	SERIES=7.3		the folder of patches/ that a tree of your own takes
#	CONFIG= ARCH=		for "make deb", see scripts/deb
#	DRIVER=sun6i-dma	one or more of lab/drivers/, for "make lab"
#	BOARD=raspi2b		a folder of boards/, for "make board"; STOCK=1: without
#				the patches
#	FORCE=1			do it even if work is lost

export KERNEL SERIES STAGE FORCE FILTER ROUNDS TIME SEED MUTANT SLOW BOARD DRIVER ARCHS STOCK DIR FAILED

MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24

demo: setup-demo tree ## boot two boards, stock and patched, and unbind their DMA controllers
	@scripts/demo

test: setup-test tree ## all tests, see t/; the last line counts them; FAILED=1: those again that failed
	@scripts/test

test-all: setup-test-all tree ## everything that "make test" leaves out: other architectures, tools, packages, and 6.12; takes hours
	@scripts/test t/all

setup: ## install the packages that are missing (as root), or name them, and say what for
	@scripts/setup

setup-more: ## all packages, also those for check, bench, deb and lint
	@scripts/setup more

# What one verb needs.
setup-%:
	@scripts/setup $*

tree: ## lay out the base kernel with the patches as a git tree in build/
	@scripts/tree

refresh: ## write the commits of that tree back to patches/
	@scripts/refresh

quilt: ## the patches as a flat folder DIR= with a file "series"
	@scripts/quilt "$$DIR"

board: setup-boards ## build for BOARD=, boot it, unbind, and tell; STOCK=1: the stock kernel
	@scripts/board "$$BOARD"

boards: setup-boards ## all boards, stock and patched; writes docs/boards.md
	@scripts/boards $$BOARD

shell: setup-boards ## boot BOARD= with a shell, and run what users run there: the selftest, and scripts/rebind
	@scripts/shell "$$BOARD"

lab: setup-lab tree ## DMA drivers on a machine whose registers are memory, stock and patched; DRIVER=; docs/lab.md
	@scripts/lab $$DRIVER

lab-mutants: setup-lab-mutants tree ## break drivers and see each step of the lab fail
	@scripts/lab -m

lab-power: setup-lab-power tree ## how long each channel's power domain is on, stock and patched; writes docs/power.md
	@scripts/lab-power

status: ## docs/status.md: where each folder goes, what it meets there, on 6.12
	@scripts/status

pages: tree ## docs/boards.md and docs/providers.md, and what the cover letters say was run, from results/
	@scripts/boards page
	@scripts/kunit-all page
	@scripts/providers

deb: setup-deb ## Debian packages of the patched kernel; CONFIG=file or defconfig, ARCH=
	@scripts/deb

deb-test: setup-deb-test tree ## such a package for the Raspberry Pi 2, booted in QEMU with its own modules
	@scripts/deb-test

kunit: setup-kunit ## the KUnit tests alone, of what is committed in the tree; on UML, or ARCHS="um x86_64 arm64 arm"
	@scripts/kunit plain $$ARCHS

kunit-kasan: setup-kunit-kasan ## the same under KASAN
	@scripts/kunit kasan $$ARCHS

kunit-modules: setup-kunit-modules ## the same as modules, on arm64; ARCHS="x86_64 arm64 arm"
	@scripts/kunit modules $${ARCHS:-arm64}

kunit-alltests: setup-kunit-alltests ## all tests of the kernel by --alltests of kunit.py, without the patches and with them
	@scripts/kunit alltests $$ARCHS

kunit-all: setup-kunit-all ## all of them, on all architectures; writes docs/kunit.md
	@scripts/kunit-all

stress: setup-stress ## ten minutes of random binding and unbinding, each under KASAN and KCSAN; TIME=SECONDS
	@scripts/stress

mutants: setup-mutants ## break each guarded line and see which tests fail; MUTANT=FOLDER/NAME; writes docs/mutants.csv
	@scripts/mutants

check: setup-check ## each folder by itself: applies, checkpatch, each step built by gcc, sparse and clang; kernel-doc, coccicheck, htmldocs
	@scripts/check

bench: setup-bench tree ## what the links cost: writes docs/cost.md; hours, and a machine that does nothing else
	@scripts/bench

model: setup-model ## the protocol between request and unbind, all interleavings, with Spin
	@scripts/model

export: setup-export ## the folder STAGE= as mails in build/*/outgoing, signed off; see docs/sending.md
	@scripts/export

send: setup-send ## show to whom those mails would go; DRY=0 sends them
	@scripts/send

lint: setup-lint ## shellcheck on the scripts
	@shellcheck $(filter-out scripts/splats,$(wildcard scripts/*)) $(wildcard t/*.t t/all/*.t) .ci/run

clean: ## remove what was built, keep the download and the tree
	@scripts/clean

distclean: ## remove build/ altogether
	@scripts/clean all

.PHONY: $(shell sed -nE 's/^([a-z-]+):.*\#\#.*/\1/p' Makefile)
