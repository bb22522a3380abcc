#!/bin/sh
exec scripts/lab -t
