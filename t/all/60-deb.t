#!/bin/sh
exec scripts/tap sh -c 'scripts/deb-test && echo ok a package, booted'
