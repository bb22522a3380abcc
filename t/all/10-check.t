#!/bin/sh
exec scripts/tap scripts/check
