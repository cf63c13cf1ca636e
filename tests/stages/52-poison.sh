#!/usr/bin/env bash
# Campaign, short slice: one poison among 500 put aside, the rest delivered. Judged by journals alone; the long form is
# tests/campaign poison with more rounds.
set -euo pipefail
"$PFX_ROOT/tests/campaign" poison --requests 500 --program "$PFX_PROGRAM" 2>"$PFX_BUILD/campaign-poison.log" ||
  { tail -n 5 "$PFX_BUILD/campaign-poison.log" >&2; exit 1; }
