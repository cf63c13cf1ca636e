#!/usr/bin/env bash
# Settled requests that are handed out again in front of new ones, short slice; more slack than the
# long form (by hand: tests/campaign redelivery), for a machine that does other things as well.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}

cmake -S "$root" -B "$build" -DPFX_BUILD_BENCH=ON >"$build/bench-configure.log" 2>&1 ||
  { tail -n 20 "$build/bench-configure.log"; exit 1; }
ninja -C "$build" -j "${PFX_JOBS:-$(nproc)}" pfxengine bench_generator >"$build/bench-build.log" 2>&1 ||
  { tail -n 40 "$build/bench-build.log"; exit 1; }
"$root/tests/campaign" redelivery --settled 5000 --new 100 --slack 4 --program "$build/bin/pfxengine" \
  2>"$build/campaign-redelivery.log" || { tail -n 5 "$build/campaign-redelivery.log" >&2; exit 1; }
