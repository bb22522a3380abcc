#!/bin/sh
exec scripts/tap scripts/kunit-all check
