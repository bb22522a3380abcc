#!/bin/sh
# One with many recipients, one that needs another, one of a single patch.
STAGE=${STAGE:-links driver-core drivers/sun6i-dma} exec scripts/tap scripts/test-send
