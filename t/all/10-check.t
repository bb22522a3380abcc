#!/bin/sh
exec scripts/check
