#!/usr/bin/env bash
# Connector keys, the audit and the rotation of the master key as an administrator meets them:
# files of openssl in and out, an engine beside it, kills in the middle. Prints one line at the end.
set -u
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx"
work_in keys
shown=(out err engine.log sandbox.err)
killed() { # LABEL: a rotation that dies at this point
  local got
  { timeout 60 env PFXENGINE_KILL_AT="rotation.$1:1" "$pfx" master-key rotate "${c[@]}" >"$dir/out" 2>"$dir/err"; } \
    2>/dev/null
  got=$?
  [ $got -eq 137 ] || fail "the rotation was not killed at $1"
  checks=$((checks + 1))
}

# -- help and usage ------
for command in key "key create" "key import" "key list" "key show" "key export-public" "key export" \
  "key remove" master-key "master-key rotate" audit; do
  # shellcheck disable=SC2086 # two words are two arguments
  try 0 "help of $command" $command --help
  says out 'Examples?:'
  says out 'pfxengine (key|master-key|audit)'
done
try 1 "no key command" key
try 1 "a key without a name" key create
try 1 "an import of nothing" key import --name x
try 1 "an export without the word" key export --name x --out "$dir/x"
says err 'yes-export-the-private-key'
try 1 "a removal without the word" key remove --name x
try 1 "an audit of nothing" audit --last 0
try 2 "no configuration" key list --config "$dir/none.json"

# -- keys without an engine ------
config=$dir/a/pfxengine.json
try 0 "an init" init --config "$config" --data-dir "$dir/a/data" --url https://x.example.test --tenant t
c=(--config "$config")
try 0 "a list of nothing" key list "${c[@]}"
says err 'no key yet'
try 9 "an audit before there is anything" audit "${c[@]}"
try 2 "an unknown padding" key create --name mail --padding oaepSha1 "${c[@]}"
says err 'padding.*oaepSha1'
try 2 "an unknown algorithm" key create --name mail --algorithm rsa1024 "${c[@]}"
says err 'algorithm'
try 2 "a name that is none" key create --name "$(printf 'a\tb')" "${c[@]}"
says err 'keyName'
try 0 "a key" key create --name mail --exportable "${c[@]}"
says out 'RSA, 2048 bits'
[ ! -s "$dir/err" ] || fail "a key without pkcs1 is warned of"
try 9 "the same name again" key create --name mail "${c[@]}"
try 0 "a key for old tools" key create --name old --provider "Example KSP" --padding pkcs1,OaepSha512 "${c[@]}"
says err 'warning: pkcs1'
try 0 "the keys for machines" key list --json "${c[@]}"
jq -e '(.value | length) == 2 and .value[0].providerName == "Example KSP"
  and .value[0].paddings == ["pkcs1","oaepSha512"] and .value[1].exportable' "$dir/out" >/dev/null \
  || fail "the list is not as it should be"
try 0 "one key" key show --name mail "${c[@]}"
says out 'oaepSha256,oaepSha384,oaepSha512'
try 9 "no such key" key show --name mail --provider other "${c[@]}"
[ "$(stat -c %a "$dir/a/data/keys")" = 700 ] || fail "the folder of keys is open"
[ "$(find "$dir/a/data/keys" -type f ! -perm 600 | wc -l)" -eq 0 ] || fail "a key file is open"

# -- the anchor beside the data directory ------
[ "$(stat -c %a "$dir/a/data-anchor")" = 700 ] || fail "an init makes no folder for the anchor"
# -- to openssl and back ------
try 0 "the public key" key export-public --name mail "${c[@]}"
cp "$dir/out" "$dir/mail.pub"
printf 'correct horse' >"$dir/plain"
for hash in sha256 sha384 sha512; do
  good "an encryption to it" openssl pkeyutl -encrypt -pubin -inkey "$dir/mail.pub" -in "$dir/plain" \
    -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:$hash -out "$dir/closed.$hash"
done
try 2 "a blob on a terminal" key export-public --name mail --form blob "${c[@]}"
try 0 "a blob" key export-public --name mail --form blob --out "$dir/mail.blob" "${c[@]}"
[ "$(head -c 4 "$dir/mail.blob")" = RSA1 ] || fail "the blob is none"
try 9 "a blob over another" key export-public --name mail --form blob --out "$dir/mail.blob" "${c[@]}"
try 2 "an export of a key that stays" key export --name old --provider "Example KSP" --out "$dir/old.pem" \
  --yes-export-the-private-key "${c[@]}"
[ ! -e "$dir/old.pem" ] || fail "a key left that may not"
for form in pem pkcs8 blob; do
  try 0 "an export as $form" key export --name mail --form $form --out "$dir/mail.$form.out" \
    --yes-export-the-private-key "${c[@]}"
  [ "$(stat -c %a "$dir/mail.$form.out")" = 600 ] || fail "an exported key is open to others"
done
try 9 "an export over another file" key export --name mail --out "$dir/mail.pem.out" \
  --yes-export-the-private-key "${c[@]}"
for hash in sha256 sha384 sha512; do
  good "a decryption with it" openssl pkeyutl -decrypt -inkey "$dir/mail.pem.out" -in "$dir/closed.$hash" \
    -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:$hash -out "$dir/opened"
  cmp -s "$dir/plain" "$dir/opened" || fail "openssl opens something else under $hash"
done
good "the PKCS#8 form" openssl pkey -inform DER -in "$dir/mail.pkcs8.out" -out "$dir/again.pem"
cmp -s "$dir/again.pem" "$dir/mail.pem.out" || fail "the forms hold different keys"
openssl rsa -traditional -in "$dir/mail.pem.out" -out "$dir/traditional.pem" 2>/dev/null
openssl pkey -in "$dir/mail.pem.out" -aes256 -passout pass:x -out "$dir/closed.pem" 2>/dev/null
for from in mail.pem.out mail.pkcs8.out mail.blob.out traditional.pem; do
  try 0 "an import of $from" key import --name "from $from" --from "$dir/$from" "${c[@]}"
  says err 'still holds the private key in clear'
done
"$pfx" key import --name piped --from - "${c[@]}" <"$dir/mail.pem.out" >"$dir/out" 2>"$dir/err" \
  || fail "an import from stdin"
try 0 "the keys" key list --json "${c[@]}"
[ "$(jq -r '[.value[] | select(.keyName != "old").publicKeySha256] | unique | length' "$dir/out")" -eq 1 ] \
  || fail "what was imported is not what was exported"
try 2 "an import of an encrypted key" key import --name x --from "$dir/closed.pem" "${c[@]}"
says err 'encrypted'
try 2 "an import of a public key" key import --name x --from "$dir/mail.pub" "${c[@]}"
try 2 "an import of a public blob" key import --name x --from "$dir/mail.blob" "${c[@]}"
try 2 "an import of nonsense" key import --name x --from "$root/check" "${c[@]}"
openssl genrsa -out "$dir/long.pem" 4104 2>/dev/null
try 2 "an import of a key that is too long" key import --name x --from "$dir/long.pem" "${c[@]}"
says err 'must be RSA of 2048 to 4096 bits'
try 9 "an import of no file" key import --name x --from "$dir/none" "${c[@]}"
try 9 "an import over another" key import --name mail --from "$dir/mail.pem.out" "${c[@]}"
try 0 "a removal" key remove --name piped --yes-remove "${c[@]}"
try 9 "a removal again" key remove --name piped --yes-remove "${c[@]}"
damaged=$(find "$dir/a/data/keys" -name '*.key' | sort | head -n 1)
cp -p "$damaged" "$dir/whole.key"
truncate -s 100 "$damaged"
try 5 "a list with a damaged key" key list --json "${c[@]}"
says err "$damaged"
jq -e --arg file "$damaged" '(.value | length) == 5 and (.faults | length) == 1 and .faults[0].file == $file' \
  "$dir/out" >/dev/null || fail "a damaged key hides others, or itself"
try 5 "a rotation with a damaged key" master-key rotate "${c[@]}"
cp -p "$dir/whole.key" "$damaged"
chmod 0755 "$dir/a/data/keys"
try 5 "a folder of keys that is open" key list "${c[@]}"
says err '0700'
chmod 0700 "$dir/a/data/keys"

# -- the audit ------
try 0 "the audit" audit --last 100 "${c[@]}"
for event in 6001 6002 6003 6004; do says out "  $event  connector key"; done
says out 'each hangs on the one before'
try 0 "the audit for machines" audit --json --last 1 "${c[@]}"
jq -e '(.value | length) == 1 and .checked == 11 and .fault == "" and .value[0].event == 6004' "$dir/out" \
  >/dev/null || fail "the audit is not as it should be"

# -- the rotation, killed everywhere ------
cp "$dir/a/master.key" "$dir/first.key"
steps='next-key store identity keys closed'
for step in $steps; do
  before=$(cat "$dir/a/master.key")
  killed "$step"
  for command in "key list" "config check" run audit "register CODE"; do
    # shellcheck disable=SC2086 # two words are two arguments
    timeout 60 "$pfx" $command "${c[@]}" >"$dir/out" 2>"$dir/err" && fail "$command works with a half (killed at $step)"
    says err 'a rotation was interrupted: run .pfxengine master-key rotate. again'
  done
  try 0 "the rotation again after $step" master-key rotate "${c[@]}"
  says out 'an interrupted rotation was finished'
  [ "$(cat "$dir/a/master.key")" != "$before" ] || fail "the master key is the same (killed at $step)"
  try 0 "the keys after $step" key list --json "${c[@]}"
  [ "$(jq '.value | length' "$dir/out")" -eq 6 ] || fail "a key is missing (killed at $step)"
done
try 0 "the audit of the rotations" audit --json --last 100 "${c[@]}"
[ "$(jq '[.value[] | select(.event == 6005)] | length' "$dir/out")" -eq 5 ] \
  || fail "the audit does not have each rotation once"
cp "$dir/a/master.key" "$dir/good.key"
cp "$dir/first.key" "$dir/a/master.key"
try 2 "an old master key" key list "${c[@]}"
says err 'wrong_key'
try 2 "a rotation with an old master key" master-key rotate "${c[@]}"
cp "$dir/good.key" "$dir/a/master.key"
try 0 "the right one" key list "${c[@]}"

# -- beside an engine ------
"$pfx" sandbox --dir "$dir/box" --connector "$dir/office" --requests 8 --mix create-ec=1 --stay \
  --format plain >"$dir/sandbox.lines" 2>"$dir/sandbox.err" &
sandbox=$!
until_true 60 grep -q '^ready' "$dir/sandbox.lines" || fail "the sandbox is not ready"
code=$(sed -n 's/^ready.*\tregistrationCode=\([^\t]*\).*/\1/p' "$dir/sandbox.lines")
c=(--config "$dir/office/pfxengine.json")
try 0 "a registration" register "$code" "${c[@]}"
try 0 "a rotation before the first run" master-key rotate "${c[@]}"
says out "the identity's key"
start_engine() {
  "$pfx" run "${c[@]}" >"$dir/out" 2>"$dir/engine.log" &
  engine=$!
  until_true 60 "$pfx" status "${c[@]}" >/dev/null 2>&1 || fail "the engine does not run"
}
stop_engine() {
  kill -TERM "$engine"
  wait "$engine"
  local got=$?
  engine=
  [ $got -eq 0 ] || fail "the stop was not clean: exit code $got"
}
start_engine
until_true 120 grep -q '^finished' "$dir/sandbox.lines" || fail "the requests were not done"
try 0 "a key beside an engine" key create --name live "${c[@]}"
try 0 "its audit, by the engine" audit --json --last 1000 "${c[@]}"
jq -e '.fault == "" and (.value[-1].event == 6001 or ([.value[].event] | index(6001) != null))
  and ([.value[] | select(.epoch > 0)] | length) == 1' "$dir/out" >/dev/null || fail "the engine's audit lacks something"
try 3 "a rotation beside an engine" master-key rotate "${c[@]}"
says err 'stop it first'
stop_engine
try 0 "the audit without the engine" audit --last 1000 "${c[@]}"
says out 'each hangs on the one before'
killed records
try 0 "the rotation of records again" master-key rotate "${c[@]}"
says out 'an interrupted rotation was finished'
start_engine
try 0 "the keys of a rotated engine" key list "${c[@]}"
says out 'live'
stop_engine
kill -TERM "$sandbox"
wait "$sandbox"
sandbox=
grep -rqE 'PRIVATE KEY' "$dir/engine.log" "$dir/sandbox.err" && fail "a key stands in a log"
echo "$checks checks of keys, audit and rotation from outside"
