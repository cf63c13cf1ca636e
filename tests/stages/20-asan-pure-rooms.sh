#!/usr/bin/env bash
# The pure rooms and the store under AddressSanitizer and UndefinedBehaviorSanitizer: their own
# tests, bad input above all. Prints one line at the end.
set -u
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
# shellcheck source=packaging/lib.sh
. "$root/packaging/lib.sh"

dir="$root/build/asan"
programs="test_core test_crypto test_storage"
program_seconds_max=600

choose_cache
configure "$dir" -DCMAKE_BUILD_TYPE=RelWithDebInfo "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1" \
  -DPFX_SANITIZE=address,undefined || { echo "could not be configured"; exit 1; }
# shellcheck disable=SC2086 # one word per target
build "$dir" $programs || { echo "could not be built"; exit 1; }

# RocksDB comes without sanitizers, so that its vectors look to ASan as if they overflowed.
export ASAN_OPTIONS=detect_container_overflow=0:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# A check that cannot fail is none: the sanitizers must find a planted fault first.
probe="$dir/probe"
cat >"$probe.cpp" <<'CPP'
int main(int argc, char**) {
  int* gone = new int[4]{};
  delete[] gone;
  return argc > 100 ? 0 : gone[1];
}
CPP
c++ -O0 -fsanitize=address,undefined -w "$probe.cpp" -o "$probe" || { echo "no sanitizers"; exit 1; }
if "$probe" >"$probe.log" 2>&1 || ! grep -q heap-use-after-free "$probe.log"; then
  echo "the sanitizers did not find a planted fault"
  exit 1
fi

cases=0
for program in $programs; do
  if ! timeout "$program_seconds_max" "$dir/tests/$program" >"$dir/$program.log" 2>&1; then
    tail -n 60 "$dir/$program.log"
    echo "$program failed under the sanitizers"
    exit 1
  fi
  count=$(sed -nE 's/.* in ([0-9]+) test cases?\).*/\1/p' "$dir/$program.log" | tail -n 1)
  cases=$((cases + ${count:-0}))
done
[ "$cases" -gt 0 ] || { echo "no test case was run"; exit 1; }
echo "$cases cases of $programs without a finding"
