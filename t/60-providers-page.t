#!/bin/sh
exec scripts/providers check
