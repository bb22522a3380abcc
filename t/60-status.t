#!/bin/sh
exec scripts/status check
