#!/usr/bin/env bash
# Campaign, short slice: the kill campaign reports three deliberate faults. Judged by journals alone; the long form is
# tests/campaign proof with more rounds.
set -euo pipefail
"$PFX_ROOT/tests/campaign" proof --rounds 14 --program "$PFX_PROGRAM" 2>"$PFX_BUILD/campaign-proof.log" ||
  { tail -n 5 "$PFX_BUILD/campaign-proof.log" >&2; exit 1; }
