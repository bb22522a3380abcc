#!/bin/sh
exec scripts/kunit-all check
