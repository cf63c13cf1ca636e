#!/usr/bin/env bash
# The figures of docs/reliability.md are those that campaigns printed.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
"$root/tests/campaign" figures --only check
