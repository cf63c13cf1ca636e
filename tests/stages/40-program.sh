#!/usr/bin/env bash
# The program from outside: help, exit codes, configuration, a whole life of init, register, run,
# status, requests, stop; then the demo with kills. Prints one line at the end.
set -u
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx"
work_in program
shown=(out err engine.log sandbox.lines sandbox.err)

# -- help and usage ------
try 0 "help" --help
says out 'Exit codes'
for command in init register run "config check" "config schema" "config doc" status "requests list" \
  "requests show" "requests retry" "requests give-up" sandbox "sandbox judge" demo version; do
  # shellcheck disable=SC2086 # two words are two arguments
  try 0 "help of $command" $command --help
  says out 'Examples?:'
  says out '  pfxengine '
done
try 0 "version" version
says out '^pfxengine [0-9]+\.[0-9]+\.[0-9]+$'
{ sleep 0.2; "$pfx" version 2>"$dir/err"; echo $? >"$dir/gone"; } | true # a reader that has seen enough
if [ "$(cat "$dir/gone")" -ne 141 ] || [ -s "$dir/err" ]; then fail "a reader that left is a fault"; fi
"$pfx" version >/dev/full 2>"$dir/err" && fail "a full disk is not noticed"
says err 'could not be written'
try 1 "no command"
try 1 "an unknown command" frobnicate
try 1 "an unknown option" run --frobnicate
try 1 "a register without a code" register
try 1 "too many kills" demo --kills 99999999
try 1 "a count out of range" requests list --count 0

# -- configuration ------
try 2 "no configuration" run --config "$dir/none.json"
try 2 "no configuration for a status" status --config "$dir/none.json"
printf '{"dataDirectory": "x", "servise": {}, "limits": {"attemptsMax": 0}}' >"$dir/bad.json"
try 2 "a bad configuration" config check --config "$dir/bad.json"
says err 'servise.*did you mean "service"'
says err 'limits.attemptsMax must lie between 1 and 100'
says err 'recipients.trustFile is missing'
try 0 "the schema" config schema
says out '"additionalProperties": false'
try 0 "the documentation" config doc
cmp -s "$dir/out" "$root/docs/configuration.md" || fail "docs/configuration.md is not what config doc prints"
try 8 "a status of no engine" status --socket "$dir/none.sock"

# -- a whole life ------
try 2 "an init without https" init --config "$dir/a/pfxengine.json" --data-dir "$dir/a/data" \
  --url http://x.example.test --tenant t
[ ! -e "$dir/a" ] || fail "a refused init left something behind"
try 0 "an init" init --config "$dir/a/pfxengine.json" --data-dir "$dir/a/data" \
  --url https://x.example.test --tenant t
try 0 "an init again" init --config "$dir/a/pfxengine.json" --data-dir "$dir/a/data" \
  --url https://x.example.test --tenant t
says out 'kept the master key'
try 2 "a check before there is anything" config check --config "$dir/a/pfxengine.json"
says err 'identityFile'
try 6 "a run without an identity" run --config "$dir/a/pfxengine.json"

"$pfx" sandbox --dir "$dir/box" --connector "$dir/office" --requests 12 --mix create-ec=1 --stay \
  --format plain >"$dir/sandbox.lines" 2>"$dir/sandbox.err" &
sandbox=$!
until_true 60 grep -q '^ready' "$dir/sandbox.lines" || fail "the sandbox is not ready"
code=$(sed -n 's/^ready.*\tregistrationCode=\([^\t]*\).*/\1/p' "$dir/sandbox.lines")
config=$dir/office/pfxengine.json
try 9 "a sandbox on a used folder's connector" sandbox --dir "$dir/box2" --connector "$dir/office" --requests 1
timeout 60 "$pfx" register WRONG --config "$config" >"$dir/out" 2>"$dir/err" && fail "a wrong code was accepted"
grep -q WRONG "$dir/err" && fail "the code stands in an error text"
try 0 "a registration" register "$code" --config "$config" --name office
try 9 "a registration again" register "$code" --config "$config" --name office
try 0 "a check" config check --config "$config"

# The service manager's ear: what pfxengine-switch judges a version by is said to it.
python3 - "$dir/notify" >"$dir/notices" <<'PYTHON' &
import socket
import sys
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind(sys.argv[1])
while True:
    print(ear.recv(4096).decode(), flush=True)
PYTHON
server=$!
until_true 10 test -S "$dir/notify" || fail "nobody listens for notices"
NOTIFY_SOCKET=$dir/notify "$pfx" run --config "$config" >"$dir/out" 2>"$dir/engine.log" &
engine=$!
grep -q '^finished' "$dir/sandbox.lines" || until_true 120 grep -q '^finished' "$dir/sandbox.lines" \
  || fail "the requests were not done"
try 3 "a second engine on the same directory" run --config "$config"
try 0 "a status" status --config "$config"
says out '^delivered +12 since the start'
try 0 "a status for machines" status --json --config "$config"
says out '"delivered":12'
jq -e '.state == "running" and .openRequests == 0' "$dir/out" >/dev/null || fail "the status is not as it should be"
try 0 "a list" requests list --state settled --json --config "$config"
id=$(jq -r '.value[0].context' "$dir/out")
is "settled requests in a list" "$(jq -c '[(.value | length), .more]' "$dir/out")" '[12,false]'
try 0 "a short list" requests list --state settled --count 11 --config "$config"
says err 'there are more; --count and --state choose others$'
try 0 "a story" requests show --config "$config" -- "$id"
says out 'delivered'
try 9 "the story of nobody" requests show nobody --config "$config"
try 9 "a retry of a settled one" requests retry --config "$config" -- "$id"
try 2 "a state that is none" requests list --state dreaming --config "$config"
[ "$(awk '/^Max core file size/ {print $5 $6}' "/proc/$engine/limits")" = 00 ] || fail "core files are possible"

kill -TERM "$engine"
wait "$engine"
got=$?
engine=
[ $got -eq 0 ] || fail "the stop was not clean: exit code $got"
says notices '^READY=1$'
says notices '^STATUS=running'
says notices '^STATUS=stopping$'
kill -TERM "$sandbox"
wait "$sandbox"
got=$?
sandbox=
[ $got -eq 0 ] || fail "the sandbox's verdict: exit code $got"
try 0 "the judge" sandbox judge "$dir/box"
says out '"delivered":12'

# A key, a code, a password in a log would end up in somebody's ticket.
grep -qE -- "PRIVATE KEY|$code" "$dir/engine.log" && fail "a secret stands in the log"
jq -es 'length > 12 and all(.[]; .time and .level and .text)' "$dir/engine.log" >/dev/null \
  || fail "the log is not JSON lines"

# -- the demo ------
try 2 "a demo of nonsense" demo --requests 1 --mix nonsense
says err 'the sandbox ended with exit code 2: .*nonsense'
try 2 "a demo in a folder that is not empty" demo --requests 1 --data-dir "$dir"
timeout 300 "$pfx" demo --requests 60 --mix create-ec=1 --kills 2 --seed 7 --time-limit 240 --json \
  >"$dir/out" 2>"$dir/err" || fail "the demo ended with exit code $?"
jq -es 'length == 1 and (.[0] | .requests == 60 and .delivered == 60 and .lost == 0 and .duplicates == 0
  and .surplus_certificates == 0 and .failed == 0 and .kills == 2 and .engine_restarts == 2)' "$dir/out" >/dev/null \
  || fail "the demo's verdict is not as it should be"
timeout 60 "$pfx" demo --requests 20000 --mix create-ec=1 --time-limit 3 --json --data-dir "$dir/late" \
  >"$dir/out" 2>"$dir/err"
got=$?
[ $got -eq 10 ] || fail "a demo that cannot be done in time ended with exit code $got"
jq -e '.good == false and (.faults | any(test("time limit")))' "$dir/out" >/dev/null \
  || fail "a late demo does not say so"
checks=$((checks + 4))
echo "$checks checks of the program from outside"
