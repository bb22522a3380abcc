#!/bin/sh
exec scripts/tap scripts/boards check
