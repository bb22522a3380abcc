#!/bin/sh
exec scripts/model
