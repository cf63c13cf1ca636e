#!/usr/bin/env bash
# Campaign, short slice: kill -9 at every label. Judged by journals alone; the long form is
# tests/campaign kills with more rounds.
set -euo pipefail
"$PFX_ROOT/tests/campaign" kills --rounds 90 --program "$PFX_PROGRAM" 2>"$PFX_BUILD/campaign-kills.log" ||
  { tail -n 5 "$PFX_BUILD/campaign-kills.log" >&2; exit 1; }
