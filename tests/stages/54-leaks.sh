#!/usr/bin/env bash
# Campaign, short slice; everything written is searched for every secret. Long form: tests/campaign --help.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
"$root/tests/campaign" leaks --requests 30 --program "${PFX_PROGRAM:-$build/bin/pfxengine}" 2>"$build/campaign-leaks.log" ||
  { tail -n 20 "$build/campaign-leaks.log" >&2; exit 1; }
