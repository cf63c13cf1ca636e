#!/usr/bin/env bash
# Campaign, short slice; judged by journals alone. Long form: tests/campaign --help.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
"$root/tests/campaign" clock --rounds 2 --only steps,ahead --program "${PFX_PROGRAM:-$build/bin/pfxengine}" 2>"$build/campaign-clock.log" ||
  { tail -n 5 "$build/campaign-clock.log" >&2; exit 1; }
