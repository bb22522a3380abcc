#!/bin/sh
TIME=60 exec scripts/tap sh -c 'scripts/stress && echo ok stress'
