#!/bin/sh
exec scripts/boards check
