#!/bin/sh
exec scripts/tap scripts/status check
