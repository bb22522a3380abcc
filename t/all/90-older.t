#!/bin/sh
# The other kernels that the patches are for.
unset SERIES STAGE
exec scripts/tap sh -c '
	KERNEL=6.12 scripts/tree && KERNEL=6.12 scripts/test && echo ok 6.12: make test
	KERNEL=6.12 scripts/kunit-all && echo ok 6.12: all modes and architectures
	KERNEL=6.12-deb12 scripts/tree && echo ok 6.12-deb12: make tree'
