#!/bin/sh
scripts/deb-test && echo ok a package, booted
