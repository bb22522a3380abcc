#!/bin/sh
exec scripts/tap sh -c 'scripts/kunit-all && echo ok all modes and architectures'
