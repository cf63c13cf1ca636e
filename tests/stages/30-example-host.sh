#!/usr/bin/env bash
# The example of an embedding host, against a sandbox process: starts the engine through its public
# header, delivers, stops clean. The sandbox's judge has the last word. Prints one line at the end.
set -u
root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
bin=${PFX_BIN:-$root/build/check/bin}
requests=40
ready_seconds_max=60
host_seconds_max=180

for program in pfxengine example_host; do
  [ -x "$bin/$program" ] || { echo "$bin/$program is not built"; exit 1; }
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/pfx-host.XXXXXX") || exit 1
sandbox=
finish() {
  [ -z "$sandbox" ] || { kill "$sandbox" 2>/dev/null; wait "$sandbox" 2>/dev/null; }
  rm -rf "$dir"
}
trap finish EXIT
fail() {
  echo "--- sandbox"; tail -n 20 "$dir/lines" "$dir/errors" 2>/dev/null
  echo "--- host"; tail -n 20 "$dir/host" 2>/dev/null
  echo "$1"
  exit 1
}

"$bin/pfxengine" sandbox --dir "$dir/box" --connector "$dir/office" --requests $requests \
  --mix create-ec=1 --format plain >"$dir/lines" 2>"$dir/errors" &
sandbox=$!
for _ in $(seq $((ready_seconds_max * 10))); do
  grep -q '^ready' "$dir/lines" && break
  kill -0 "$sandbox" 2>/dev/null || break
  sleep 0.1
done
code=$(sed -n 's/^ready.*\tregistrationCode=\([^\t]*\).*/\1/p' "$dir/lines")
[ -n "$code" ] || fail "the sandbox is not ready"
config=$dir/office/pfxengine.json

# Without an identity the host must say so and end, not hang or crash.
"$bin/example_host" "$config" 1 5 >"$dir/host" 2>&1
[ $? -eq 2 ] || fail "the host started without an identity"

printf '%s\n' "$code" | "$bin/pfxengine" register - --config "$config" --name host >"$dir/host" 2>&1 \
  || fail "could not register"
timeout $((host_seconds_max + 30)) "$bin/example_host" "$config" $requests $host_seconds_max \
  >"$dir/host" 2>&1 || fail "the host ended with exit code $?"
grep -q "^delivered $requests, .*stopped clean$" "$dir/host" || fail "the host says something else"
events=$(sed -n 's/.*, events \([0-9]*\), admin.*/\1/p' "$dir/host")
admin=$(sed -n 's/.*admin events \([0-9]*\),.*/\1/p' "$dir/host")
[ "${admin:-0}" -ge $requests ] || fail "only ${admin:-0} admin events for $requests requests"
[ "${events:-0}" -gt "$admin" ] || fail "no operational events"

# Re-deliveries that the host did not stay for are not its fault; lost or doubled requests are.
kill "$sandbox" 2>/dev/null
wait "$sandbox"
sandbox=
verdict=$("$bin/pfxengine" sandbox judge "$dir/box")
for key in failed lost duplicates surplusCertificates sharedKeys; do
  grep -q "\"$key\":0[,}]" <<<"$verdict" || fail "the judge found: $verdict"
done
grep -q "\"delivered\":$requests[,}]" <<<"$verdict" || fail "the judge counted: $verdict"
echo "a host of $((requests)) requests: $(cat "$dir/host" | tail -n 1)"
