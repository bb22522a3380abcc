#!/bin/sh
exec scripts/tap scripts/test-send
