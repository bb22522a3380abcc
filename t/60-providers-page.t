#!/bin/sh
exec scripts/tap scripts/providers check
