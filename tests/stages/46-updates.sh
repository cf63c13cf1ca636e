#!/usr/bin/env bash
# The engine's part of updates, and what is said of the support of its version: a running engine with a
# feed stages what is there, asks for it, refuses what lies; the service calls the version deprecated,
# then unsupported, and `status` says so. Prints one line at the end.
set -u
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx"
work_in updates
shown=(out err engine.log sandbox.err)

# -- a maker ------
try 0 "a key" release key --out a.key
try 0 "another key" release key --out b.key
try 0 "a root" release root --out 1.root --root-key a.key --release-key b.key
try 0 "a signature" release sign 1.root --key a.key
try 0 "a feed" release publish --feed feed --root 1.root
offer() { # VERSION MORE...
  local version=$1
  shift
  rm -rf tree manifest; mkdir -p tree/bin; head -c 700000 /dev/urandom >tree/bin/pfxengine
  chmod 755 tree/bin/pfxengine; tar --format=ustar -C tree -cf package.tar .
  try 0 "a manifest" release manifest --out manifest --version "$version" --package package.tar "$@"
  try 0 "a signature" release sign manifest --key b.key
  try 0 "a release" release publish --feed feed --manifest manifest --package package.tar
}

# -- a service, a connector, an engine ------
begin() { # MORE SANDBOX ARGUMENTS...
  rm -f sandbox.lines
  "$pfx" sandbox --dir "$dir/box" --connector "$dir/office" --requests 1 --mix create-ec=1 --stay \
    --format plain "$@" >sandbox.lines 2>sandbox.err &
  sandbox=$!
  until_true 60 grep -qs '^ready' sandbox.lines || fail "the sandbox is not ready"
}
end() {
  for pid in $engine $sandbox; do kill -TERM "$pid"; wait "$pid"; done
  engine='' sandbox=''
}
with_updates() { # a section "updates" in the connector's configuration
  python3 - office/pfxengine.json "$dir" <<'PYTHON'
import json, sys
path, here = sys.argv[1:]
text = open(path).read()
value = json.loads(text[text.index("{"):])
value["updates"] = {"feed": here + "/feed", "firstRootFile": here + "/1.root",
                    "checkIntervalSeconds": 1, "apply": "automatic"}
json.dump(value, open(path, "w"))
PYTHON
}
start() {
  "$pfx" run --config office/pfxengine.json >engine.log 2>&1 &
  engine=$!
  until_true 60 sh -c "'$pfx' status --config office/pfxengine.json >/dev/null 2>&1; [ \$? -ne 8 ]" \
    || fail "the engine does not answer"
}
updates=office/data-updates
c=(--config office/pfxengine.json)
begin
code=$(sed -n 's/^ready.*\tregistrationCode=\([^\t]*\).*/\1/p' sandbox.lines)
try 0 "a registration" register "$code" "${c[@]}"
try 9 "no section" update check "${c[@]}"
says err 'updates'
with_updates
try 0 "the configuration" config check "${c[@]}"
sed 's/b.key/x/' 1.root | tail -n 3 >odd; mv 1.root good; mv odd 1.root
try 2 "a root that is none" config check "${c[@]}"
says err 'updates.firstRootFile'
mv good 1.root
offer 7.1.0
start
until_true 60 grep -qs 7.1.0 $updates/wanted || fail "7.1.0 was not asked for"
cmp -s package.tar $updates/staging/pfxengine_7.1.0_*.tar || fail "another package is staged"
checks=$((checks + 1))
try 0 "a supported version" status "${c[@]}"

# -- what the feed has, and what an operator says ------
try 0 "a check" update check "${c[@]}"
says out '7.1.0 is staged'
try 0 "the history" update history "${c[@]}"
says out 'staged 7.1.0'
says out 'asked for 7.1.0'
try 0 "a pin" update pin 7.1 "${c[@]}"
try 2 "a pin that is none" update pin x.1 "${c[@]}"
try 1 "a pin of nothing" update pin "${c[@]}"
offer 7.2.0 --share 0
try 0 "a check" update check "${c[@]}"
says out 'pinned to 7.1'
try 9 "what is pinned is not applied" update apply "${c[@]}"
try 0 "no pin" update pin --none "${c[@]}"
try 0 "a check" update check "${c[@]}"
says out '0 % of the connectors'
try 0 "an operator's word" update apply "${c[@]}"
grep -qs 7.2.0 $updates/wanted || fail "7.2.0 was not asked for"
if [ "$(id -u)" != 0 ]; then try 9 "a way back that is root's" update rollback; fi

# -- a feed that lies ------
cp manifest kept
offer 7.3.0
until_true 60 grep -qs 7.3.0 $updates/wanted || fail "7.3.0 was not asked for"
cp -a feed honest
cp kept feed/pfxengine_*.manifest # 7.2.0 again, rightly signed
try 9 "an older release" update check "${c[@]}"
says err 'version: 7.2.0 is older than 7.3.0'
rm -rf feed; cp -a honest feed
sed -i 's/^length [0-9]*/length 1/' feed/pfxengine_*.manifest
try 9 "a manifest that was changed" update check "${c[@]}"
says err 'signature'
until_true 60 sh -c "'$pfx' status --config office/pfxengine.json | grep -q 'attention.*signature'" \
  || fail "status says nothing of a feed that lies"
checks=$((checks + 1))
rm -rf feed; cp -a honest feed
try 0 "a stick" update apply --from "$dir/honest" "${c[@]}"
before=$(stat -c %i $updates/wanted)
try 0 "a stick once more" update apply --from "$dir/honest" "${c[@]}"
says out '7.3.0 is staged and asked for again'
[ "$(stat -c %i $updates/wanted)" != "$before" ] || fail "the switch does not see that it is asked again"
end

# -- a feed that takes calls and answers none: a stop does not wait for it ------
python3 - silent.port silent.asked <<'PYTHON' &
import os, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as out:
    out.write(str(listener.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
held = [listener.accept()]
open(sys.argv[2], "w").close()
time.sleep(120)
PYTHON
silent=$!
until_true 30 test -s silent.port || fail "no silent server"
sed -i "s|\"feed\": \"[^\"]*\"|\"feed\": \"https://127.0.0.1:$(cat silent.port)\"|" office/pfxengine.json
"$pfx" run --config office/pfxengine.json >engine.log 2>&1 &
engine=$!
until_true 60 test -e silent.asked || fail "the feed was not asked"
began=$(date +%s%N)
kill -TERM "$engine"; wait "$engine"
engine=
took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt 5000 ] || fail "a stop took $took ms beside a silent feed"
checks=$((checks + 2))
kill "$silent"; wait "$silent" 2>/dev/null
silent=

# -- the support of this version ------
support() { # CODE PATTERN SANDBOX ARGUMENTS...
  local want=$1 pattern=$2
  shift 2
  rm -rf box office; begin "$@"
  code=$(sed -n 's/^ready.*\tregistrationCode=\([^\t]*\).*/\1/p' sandbox.lines)
  try 0 "a registration" register "$code" "${c[@]}"
  start
  until_true 60 sh -c "'$pfx' status --config office/pfxengine.json >out 2>err; [ \$? -eq $want ]" \
    || fail "status does not end with $want ($*)"
  says out "$pattern"
  says engine.log "$pattern"
  try "$want" "the same as JSON" status --json "${c[@]}"
  end
}
support 12 'is deprecated; the newest is 9.9.9' --connectors warning --latest-version 9.9.9
support 12 'is deprecated, and not supported from' --deprecated-after "$(date -u -d '1 month ago' +%FT%TZ)"
support 13 'is no longer supported since' --deprecated-after "$(date -u -d '7 months ago' +%FT%TZ)"
support 13 'is no longer supported' --connectors error
echo "updates: $checks checks"
