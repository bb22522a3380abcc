#!/bin/sh
exec scripts/tap scripts/coverage
