#!/bin/sh
exec scripts/tap scripts/model
