#!/usr/bin/env bash
# The benches, a few seconds of each: they build, the engine as built is measured end to end, and the
# figures can be true. Not a performance test: no figure here is good or bad.
set -euo pipefail
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
report=$(mktemp "${TMPDIR:-/tmp}/pfx-bench-stage.XXXXXX")
trap 'rm -f "$report"' EXIT

cmake -S "$root" -B "$build" -DPFX_BUILD_BENCH=ON >"$build/bench-configure.log" 2>&1 ||
  { tail -n 20 "$build/bench-configure.log"; exit 1; }
ninja -C "$build" -j "${PFX_JOBS:-$(nproc)}" pfxengine bench_generator bench_limits bench_queue \
  >"$build/bench-build.log" 2>&1 || { tail -n 40 "$build/bench-build.log"; exit 1; }

# A run of a few milliseconds has a cost, too: the clock of CPU must not step over it.
python3 - "$root/bench" <<'PYTHON' || { echo "the clock of CPU steps over short runs"; exit 1; }
import os
import sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import machine
before = machine.cpu_seconds(os.getpid())
sum(range(20000))
sys.exit(not 0 < machine.cpu_seconds(os.getpid()) - before < 1)
PYTHON

"$root/bench/run" --build "$build" --only create-p256 --only import --only redelivery --only queue-cycle \
  --requests 200 --seconds 1 --repeat 1 --json "$report"

fail() { echo "$1"; cat "$report"; exit 1; }
jq -e '.workloads | keys == ["create-p256", "import", "queue-cycle", "redelivery"]' "$report" >/dev/null ||
  fail "a workload is missing"
jq -e '[.workloads[] | .engine_per_s > 0 and .limit_per_s > 0 and .ratio > 0.001 and .ratio < 3
        and .cpu_us_per_request > 0 and .p50_ms > 0 and .p50_ms <= .p99_ms] | all' "$report" >/dev/null ||
  fail "figures that cannot be"
# A create has six states that must be durable, an import four; no more than one sync each.
jq -e '.workloads | (.["create-p256"].syncs_per_request | . > 0.01 and . <= 7)
        and (.import.syncs_per_request | . > 0.01 and . <= 6) and .["queue-cycle"].syncs_per_request < 0.2
        and .redelivery.syncs_per_request < 0.5' "$report" >/dev/null || fail "syncs that cannot be"
jq -e '[.workloads["create-p256", "import", "redelivery"] | .verified >= 100 and .rss_mib > 10] | all' \
  "$report" >/dev/null || fail "too little was verified after the clock"
# The crypto alone takes longer than this: who is faster left something out.
jq -e '.workloads["create-p256"].cpu_us_per_request > 500 and .workloads.import.cpu_us_per_request > 500' \
  "$report" >/dev/null || fail "an engine faster than its KDFs"
got=0
"$root/bench/run" --build "$build" --only nonsense >/dev/null 2>&1 || got=$?
[ "$got" -eq 2 ] || fail "an unknown workload: exit code $got"
echo "4 workloads measured and verified"
