#!/bin/sh
exec scripts/mutants check
