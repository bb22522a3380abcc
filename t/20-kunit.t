#!/bin/sh
exec scripts/tap scripts/test-kunit
