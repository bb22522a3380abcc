#!/bin/sh
TIME=60 scripts/stress && echo ok stress
