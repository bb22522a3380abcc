#!/bin/sh
exec scripts/tap scripts/layout
