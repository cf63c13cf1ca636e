#!/usr/bin/env bash
# Campaign, short slice; judged by journals alone. Long form: tests/campaign --help.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
"$root/tests/campaign" cuts --rounds 3 --program "${PFX_PROGRAM:-$build/bin/pfxengine}" 2>"$build/campaign-cuts.log" ||
  { tail -n 5 "$build/campaign-cuts.log" >&2; exit 1; }
