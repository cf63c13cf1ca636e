#!/usr/bin/env bash
# Campaign, short slice: every bad request of a sample answered with its error. Judged by journals alone; the long form is
# tests/campaign bad with more rounds.
set -euo pipefail
"$PFX_ROOT/tests/campaign" bad  --program "$PFX_PROGRAM" 2>"$PFX_BUILD/campaign-bad.log" ||
  { tail -n 5 "$PFX_BUILD/campaign-bad.log" >&2; exit 1; }
