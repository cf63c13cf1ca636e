#!/usr/bin/env bash
# Campaign, short slice: delivered files opened by openssl alone. Judged by journals alone; the long form is
# tests/campaign readers with more rounds.
set -euo pipefail
"$PFX_ROOT/tests/campaign" readers --requests 30 --program "$PFX_PROGRAM" 2>"$PFX_BUILD/campaign-readers.log" ||
  { tail -n 5 "$PFX_BUILD/campaign-readers.log" >&2; exit 1; }
