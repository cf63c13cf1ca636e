#!/usr/bin/env bash
# Campaign, short slice; files judged by programs of other makers. Long form: tests/campaign --help.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
"$root/tests/campaign" readers --requests 30 --program "${PFX_PROGRAM:-$build/bin/pfxengine}" 2>"$build/campaign-readers.log" ||
  { tail -n 20 "$build/campaign-readers.log" >&2; exit 1; }
