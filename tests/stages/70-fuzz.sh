#!/usr/bin/env bash
# The fuzz targets, each for a few seconds, after they have found a planted bug. Long form, by hand:
# tests/fuzz/run --seconds 3600. Prints one line at the end.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
# shellcheck source=packaging/lib.sh
. "$root/packaging/lib.sh"
choose_cache
"$root/tests/fuzz/run" --seconds "${PFX_FUZZ_SECONDS:-60}"
