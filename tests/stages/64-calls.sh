#!/usr/bin/env bash
# Every write, sync, open, rename, truncation and mkdir of a store's life fails once. Long form:
# tests/campaign calls --only long.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
"$root/tests/campaign" calls --program "${PFX_PROGRAM:-$build/bin/pfxengine}" 2>"$build/campaign-calls.log" ||
  { tail -n 5 "$build/campaign-calls.log" >&2; exit 1; }
