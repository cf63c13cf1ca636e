#!/usr/bin/env bash
# Revocation orders of a tenant with kills and faults, short slice; judged by journals, openssl and GnuTLS.
# Long form: tests/campaign revocations.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
"$root/tests/campaign" revocations --orders 120 --kills 5 --program "${PFX_PROGRAM:-$build/bin/pfxengine}" 2>"$build/campaign-revocations.log" ||
  { tail -n 5 "$build/campaign-revocations.log" >&2; exit 1; }
