#!/usr/bin/env bash
# The model of the flow, short run: every state within its plans, and each rule that is taken away
# must be missed. At most 1 GiB of memory and 120 seconds of processor time.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
ulimit -v $((2 * 1024 * 1024)) -t 120
PFX_BUILD=$build "$root/tests/model/run" 2>"$build/model.log" ||
  { tail -n 60 "$build/model.log" >&2; exit 1; }
