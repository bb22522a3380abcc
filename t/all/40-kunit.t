#!/bin/sh
scripts/kunit-all && echo ok all modes and architectures
