#!/usr/bin/env bash
# The package from outside: made by cpack out of the tree that is tested, judged by lintian and
# systemd-analyze; then what an administrator does as root with an engine that runs as somebody
# else: register, run, reload, doctor, rotate. Prints one line at the end.
set -u
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root, to be an administrator"; exit 0; }
exposure_max=2.0
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx"
work_in package
shown=(out err engine.log)
patience=100
chmod 755 "$dir"

# -- the package ------
ends 0 "cpack" cpack --config "$build/CPackConfig.cmake" -B "$dir/cpack"
deb=$(ls "$dir"/cpack/pfxengine_*.deb) || fail "there is no package"
ends 0 "lintian" lintian --allow-root --fail-on error "$deb"
ends 0 "its words" dpkg-deb --info "$deb"
says out '^ Depends: .*libcaf-core.*librocksdb.*libssl3'
ends 0 "its files" dpkg-deb --extract "$deb" "$dir/tree"
for file in usr/bin/pfxengine usr/bin/pfxengine-switch usr/lib/systemd/system/pfxengine-switch.service usr/lib/systemd/system/pfxengine.service usr/share/man/man1/pfxengine.1.gz \
  usr/share/man/man1/pfxengine-run.1.gz usr/share/bash-completion/completions/pfxengine \
  usr/share/doc/pfxengine/copyright usr/share/doc/pfxengine/changelog.gz; do
  found=$(find "$dir/tree" -path "$dir/tree/$file" -o -path "$dir/tree/${file#usr/}")
  [ -s "$found" ] || fail "the package has no $file"
  checks=$((checks + 1))
done
for command in $("$pfx" --help | sed -n '/^Subcommands:/,/^$/p' | awk '/^  [a-z]/ {print $1}'); do
  [ -s "$dir/tree/usr/share/man/man1/pfxengine-$command.1.gz" ] || fail "no manual page of $command"
  checks=$((checks + 1))
done
unit=$(find "$dir/tree" -name pfxengine.service)
ends 0 "how the unit is fenced in" systemd-analyze security --offline=true --no-pager "$unit"
exposure=$(sed -n 's/.*exposure level for pfxengine.service: \([0-9.]*\).*/\1/p' "$dir/out")
awk -v is="$exposure" -v most="$exposure_max" 'BEGIN { exit !(is != "" && is + 0 <= most + 0) }' ||
  fail "the unit's exposure is $exposure, over $exposure_max"
checks=$((checks + 1))
# shellcheck disable=SC2016 # for the shell that completes
completed=$(bash -c '. "$1"; COMP_WORDS=(pfxengine key cr); COMP_CWORD=2; _pfxengine; echo "${COMPREPLY[*]}"
  COMP_WORDS=(pfxengine key create --alg); COMP_CWORD=3; _pfxengine; echo "${COMPREPLY[*]}"' - \
  "$dir/tree/usr/share/bash-completion/completions/pfxengine")
[ "$completed" = $'create\n--algorithm' ] || fail "the shell completes: $completed"
checks=$((checks + 1))

# -- root and the engine's user ------
"$pfx" sandbox --dir "$dir/box" --connector "$dir/made" --requests 20 --mix create-ec=1,import=1 \
  --stay --format json >"$dir/sandbox.json" 2>"$dir/sandbox.err" &
sandbox=$!
until_true 30 grep -q '"ready"' "$dir/sandbox.json" || fail "the sandbox is not ready"
chmod 755 "$dir/box" && chmod 644 "$dir"/box/*.pem
code=$(jq -r 'select(.event == "ready").registrationCode' "$dir/sandbox.json")
url=$(jq -r 'select(.event == "ready").serviceUrl' "$dir/sandbox.json")
conf=$dir/etc/pfxengine.json
mkdir -m 755 "$dir/etc"
configure() { # the sandbox's settings in the place that init made; its tenant's secrets are root's
  jq 'del(.intune)' "$dir/made/pfxengine.json" |
    sed "s|$dir/made/data|$dir/data|; s|$dir/made/master.key|$dir/etc/master.key|" >"$dir/settings" &&
    cat "$dir/settings" >"$conf" || fail "no settings"
}
ends 2 "a user that is not there" "$pfx" init --config "$conf" --data-dir "$dir/data" --url "$url" --tenant sandbox \
  --user nobody-here
says err 'user.*nobody-here'
ends 0 "an init for another user" "$pfx" init --config "$conf" --data-dir "$dir/data" --url "$url" --tenant sandbox \
  --user daemon
says out 'daemon'
[ "$(stat -c %U:%a "$dir/data")" = daemon:700 ] || fail "the data directory is not the user's"
[ "$(stat -c %U:%a "$dir/etc/master.key")" = root:600 ] || fail "the master key is not root's"
[ "$(stat -c %U:%G:%a "$conf")" = root:daemon:640 ] || fail "the user may not read the configuration"
configure
ends 0 "root registers for the user" "$pfx" register "$code" --config "$conf"
ends 0 "root makes a key for the user" "$pfx" key create --name mail --config "$conf"
[ -z "$(find "$dir/data" ! -user daemon)" ] || fail "root left files that the user cannot read"
ends 0 "doctor" "$pfx" doctor --config "$conf" --json
jq -e '[.findings[] | select(.verdict == "fault")] == [] and ([.findings[].area] | unique
  | contains(["ca", "configuration", "disk", "identity", "keys", "rights", "service", "versions"]))
  and all(.findings[]; .verdict == "good" or .advice != "")' "$dir/out" >/dev/null || fail "doctor is not content"

cp "$pfx" "$dir/pfxengine" # a place that everybody can enter
sed "s|$dir/box|/nowhere|" "$conf" >"$dir/open.json"
for words in "key create --name other" run "register SECRET-CODE" "register --name x SECRET-CODE"; do
  # shellcheck disable=SC2086 # words are arguments
  ends 2 "$words as anybody" setpriv --reuid=nobody --clear-groups "$dir/pfxengine" $words --config "$dir/open.json"
  says err "sudo -u daemon .*pfxengine ${words%% *}"
  ! grep -q SECRET "$dir/err" || fail "a one-time code is said again"
done

# -- as the service manager runs it: a credential, SIGHUP ------
mkdir -m 500 "$dir/credentials" && install -m 400 "$dir/etc/master.key" "$dir/credentials/master.key"
chown -R daemon "$dir/credentials"
CREDENTIALS_DIRECTORY=$dir/credentials setpriv --reuid=daemon --regid=daemon --clear-groups \
  "$dir/pfxengine" run --config "$conf" 2>"$dir/engine.log" &
engine=$!
until_true 60 grep -q '"finished"' "$dir/sandbox.json" || fail "the requests were not delivered"
ends 0 "doctor beside an engine" "$pfx" doctor --config "$conf"
says out 'pfxengine .* runs'
jq '.log.level = "debug" | .limits.openRequestsMax = 77' "$conf" >"$dir/changed.json" && cat "$dir/changed.json" >"$conf"
kill -HUP "$engine"
until_true 10 grep -q 'log.level is debug; changed, and waiting for a restart: limits.openRequestsMax"' \
  "$dir/engine.log" || fail "a reload does not say what changed"
printf 'no JSON' >"$conf"
kill -HUP "$engine"
until_true 10 grep -q 'not reloaded' "$dir/engine.log" || fail "a bad configuration is reloaded without a word"
kill -0 "$engine" || fail "a bad configuration ended the engine"
checks=$((checks + 3))
kill "$engine"
wait "$engine" || fail "the engine did not stop clean"
engine=
configure

# -- another master key, by root ------
ends 2 "a rotation without a key" "$pfx" master-key rotate --config "$conf"
says err 'newKey'
openssl rand -hex 32 >"$dir/etc/new.key" && chmod 600 "$dir/etc/new.key"
ends 0 "a rotation" "$pfx" master-key rotate --new-key "$dir/etc/new.key" --config "$conf"
says out "to do: .*$dir/etc/master.key"
mv "$dir/etc/new.key" "$dir/etc/master.key"
ends 0 "the keys under the new one" "$pfx" key list --config "$conf"
[ -z "$(find "$dir/data" ! -user daemon)" ] || fail "the rotation left files of root"
verdict=$(jq -c 'select(.event == "verdict")' "$dir/sandbox.json" | tail -n 1)
[ -z "$verdict" ] || jq -e .clean <<<"$verdict" >/dev/null || fail "$verdict"
echo "$checks checks of the package, its unit (exposure $exposure) and an engine that runs as another user"
