#!/bin/sh
exec t/50-send.t all
