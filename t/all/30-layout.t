#!/bin/sh
# channel-power moves fields, and docs/notes.md says so.
STAGE=links exec scripts/tap scripts/layout
