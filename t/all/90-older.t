#!/bin/sh
# The other kernels that the patches are for.
unset SERIES STAGE
try() { if KERNEL=$1 "scripts/$2"; then echo "ok $1: $2"; else echo "not ok $1: $2"; fi; }
try 6.12 tree
try 6.12 test
try 6.12 kunit-all
try 6.12-deb12 tree
