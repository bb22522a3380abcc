#!/bin/sh
exec scripts/check quick
