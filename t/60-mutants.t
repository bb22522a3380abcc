#!/bin/sh
exec scripts/tap scripts/mutants check
