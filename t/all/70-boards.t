#!/bin/sh
scripts/boards && echo ok all boards
