#!/bin/sh
exec scripts/tap scripts/lab -t
