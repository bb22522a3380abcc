#!/bin/sh
# One with many recipients, and one of a single patch that needs it.
STAGE=${STAGE:-links selftests} exec scripts/tap scripts/test-send
