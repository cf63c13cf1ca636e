#!/usr/bin/env bash
# The sandbox's tenant as a client of others meets it: curl and jq speak Intune's public protocols,
# openssl signs assertions and makes the SCEP requests. Prints one line at the end.
set -u
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx"
work_in tenant
shown=(answer head sandbox.err engine.err)

# -- the other side, and an engine that gets certificates and takes no orders ------
"$pfx" sandbox --dir "$dir/box" --requests 6 --mix create-ec --orders 6 --redeliver-share 0 \
  --connector "$dir/office" --stay --format plain >"$dir/lines" 2>"$dir/sandbox.err" &
sandbox=$!
until_true 30 grep -q '^ready' "$dir/lines" || fail "the sandbox is not ready"
told() { sed -n "s/^ready.*\t$1=\([^\t]*\).*/\1/p" "$dir/lines"; }
set_up() { jq "$1" "$dir/office/pfxengine.json" >"$dir/new" && cp "$dir/new" "$dir/office/pfxengine.json"; }
is "the connector's tenant" "$(jq -r .intune.tenant "$dir/office/pfxengine.json")" "$(told intune.tenant)"
set_up '.intune.revocations.enabled = false'
"$pfx" register "$(told registrationCode)" --config "$dir/office/pfxengine.json" >/dev/null 2>"$dir/engine.err" || fail "no registration"
"$pfx" config check --config "$dir/office/pfxengine.json" >"$dir/answer" 2>&1 || fail "the configuration is not accepted"
"$pfx" run --config "$dir/office/pfxengine.json" >"$dir/engine.err" 2>&1 &
engine=$!
until_true 30 grep -q 'delivered=6' "$dir/lines" || fail "no certificates"
kill -TERM "$engine"
wait "$engine"
engine=''

# -- signing in ------
login=$(told intune.loginUrl) graph=$(told intune.graphUrl) client=$(told intune.clientId)
url=$login/$(told intune.tenant)/oauth2/v2.0/token
scope=https://api.manage.microsoft.com//.default
web=(curl -sS --max-time 10 --cacert "$(told intune.trustedRootsFile)" -D head -o answer -w '%{http_code}')
ask() { # SCOPE MORE...
  local for=$1
  shift
  "${web[@]}" "$url" -d grant_type=client_credentials -d "client_id=$client" --data-urlencode "scope=$for" "$@"
}
by_secret=(--data-urlencode "client_secret@$(told intune.secretFile)")
is "a secret" "$(ask "$scope" "${by_secret[@]}")" 200
token=$(jq -r .access_token answer)
is "a token's kind" "$(jq -r .token_type answer)" Bearer
is "one slash" "$(ask https://api.manage.microsoft.com/.default "${by_secret[@]}")" 400
is "its code" "$(jq '.error_codes[0]' answer)" 500011
is "a wrong secret" "$(ask "$scope" -d client_secret=wrong)" 401
is "its code" "$(jq '.error_codes[0]' answer)" 7000215
url64() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
print=$(openssl x509 -in "$(told intune.certificateFile)" -outform DER | openssl dgst -sha256 -binary | url64)
assertion() { # AUDIENCE
  local now head claims
  now=$(date +%s)
  head=$(jq -cn --arg x "$print" '{alg: "PS256", typ: "JWT", "x5t#S256": $x}' | tr -d '\n' | url64)
  claims=$(jq -cn --arg aud "$1" --arg c "$client" --arg jti "$(openssl rand -hex 16)" --argjson now "$now" \
    '{aud: $aud, iss: $c, sub: $c, jti: $jti, nbf: $now, iat: $now, exp: ($now + 300)}' | tr -d '\n' | url64)
  printf '%s.%s.%s' "$head" "$claims" "$(printf '%s.%s' "$head" "$claims" | openssl dgst -sha256 -sigopt rsa_padding_mode:pss \
    -sigopt rsa_pss_saltlen:32 -sign "$(told intune.keyFile)" | url64)"
}
by_assertion=(-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer --data-urlencode)
once=$(assertion "$url")
is "openssl's assertion" "$(ask "$graph/.default" "${by_assertion[@]}" "client_assertion=$once")" 200
graph_token=$(jq -r .access_token answer)
is "the same again" "$(ask "$graph/.default" "${by_assertion[@]}" "client_assertion=$once")" 401
is "another audience" "$(ask "$scope" "${by_assertion[@]}" "client_assertion=$(assertion https://localhost/)")" 401
is "its code" "$(jq '.error_codes[0]' answer)" 700023

# -- where the services are ------
list=$graph/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints
is "the list without a token" "$("${web[@]}" "$list")" 401
is "with a token for something else" "$("${web[@]}" -H "Authorization: Bearer $token" "$list")" 401
is "the list" "$("${web[@]}" -H "Authorization: Bearer $graph_token" "$list")" 200
at() { jq -r --arg name "$1" '.value[] | select(.providerName == $name) | .uri' answer; }
queue=$(at PkiConnectorFEService) scep=$(at ScepRequestValidationFEService)
queue=${queue%/}

# -- the queue ------
id=$(cat /proc/sys/kernel/random/uuid)
call() { # ADDRESS VERSION BODY
  "${web[@]}" "$1" -H "Authorization: Bearer $token" -H "api-version: $2" -H "client-request-id: $id" \
    -H 'Content-Type: application/json; charset=utf-8' --data-raw "$3"
}
down=$queue/CertificateAuthorityRequests/downloadRevocationRequests
up=$queue/CertificateAuthorityRequests/uploadRevocationResults
wish='{"downloadParameters":{"maxRequests":4,"issuerName":null}}'
is "no version" "$(call "$down" "" "$wish")" 400
is "too many" "$(call "$down" 5019-05-05 '{"downloadParameters":{"maxRequests":501}}')" 400
is "its code" "$(jq -r .error.code answer)" BadRequest
jq -r .error.message answer | jq -r .Message | grep -qF "Activity ID: $id" || fail "the refusal does not name the call"
grep -q maxRequests answer && fail "the refusal says what was wrong"
is "a download" "$(call "$down" 5019-05-05 "$wish")" 200
is "as many as asked for" "$(jq '.value | length' answer)" 4
is "their fields" "$(jq -r '.value | map(keys) | add | unique | join(" ")' answer)" "caConfiguration issuerName requestContext serialNumber"
context=$(jq -r '.value[0].requestContext' answer)
is "what is left" "$(call "$down" 5019-05-05 "$wish") $(jq '.value | length' answer)" "200 2"
is "the cool-down" "$(call "$down" 5019-05-05 "$wish") $(jq '.value | length' answer)" "200 0"
result() { # CONTEXT SUCCEEDED CODE
  jq -cn --arg c "$1" --argjson s "$2" --arg e "$3" '{results: [{requestContext: $c, succeeded: $s, errorCode: $e, errorMessage: null}]}'
}
is "a contradiction" "$(call "$up" 5019-05-05 "$(result "$context" true ConflictError)")" 400
is "an unknown order" "$(call "$up" 5019-05-05 "$(result none true None)") $(jq .value answer)" "200 false"
is "a report" "$(call "$up" 5019-05-05 "$(result "$context" false 4004)") $(jq .value answer)" "200 true"
is "again" "$(call "$up" 5019-05-05 "$(result "$context" false CertificateNotFoundError)") $(jq .value answer)" "200 true"

# -- SCEP ------
challenge=$(jq -r '.intune.scepChallenges[0].challengePassword' box/sandbox.json)
is "the first device" "$(jq -r '.intune.scepChallenges[0].subject' box/sandbox.json)" "CN=Device 1,O=Example Test"
csr() { # CN PASSWORD
  printf '[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\nstring_mask=utf8only\n[dn]\nO=Example Test\nCN=%s\n[at]\nchallengePassword=%s\n' "$1" "$2" >req.cnf
  openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -config req.cnf -outform DER 2>/dev/null | base64 -w0
}
validate() { # CSR
  call "$scep/ScepActions/validateRequest" 2018-02-20 "$(jq -cn --arg r "$1" '{request: {transactionId: "t1", certificateRequest: $r, callerInfo: "curl"}}')"
}
right=$(csr "Device 1" "$challenge")
is "a request" "$(validate "$right") $(jq -r .code answer)" "200 Success"
is "another name" "$(validate "$(csr "Device 2" "$challenge")") $(jq -r .code answer)" "200 SubjectNameMismatch"
is "a wish" "$(validate "$(csr x answer:ChallengeExpired)") $(jq -r .code answer)" "200 ChallengeExpired"
notice() { jq -cn --arg r "$right" --arg t "$1" '{notification: {transactionId: $t, certificateRequest: $r, certificateThumbprint: ("AB" * 20),
  certificateSerialNumber: "5e", certificateExpirationDateUtc: "2027-01-01T00:00:00.000Z", issuingCertificateAuthority: "CN=CA", callerInfo: "curl",
  caConfiguration: "", certificateAuthority: ""}}'; }
is "its certificate" "$(call "$scep/ScepActions/successNotification" 2018-02-20 "$(notice t1)") $(jq -r .code answer)" "200 Success"
is "a certificate of no request" "$(call "$scep/ScepActions/successNotification" 2018-02-20 "$(notice t2)") $(jq -r .code answer)" "200 Unknown"

grep -qF "$token" box/journal.jsonl && fail "a token stands in the journal"
grep -qF "$(cat "$(told intune.secretFile)")" box/journal.jsonl sandbox.err && fail "the secret stands in the journal"
grep -q 'maxRequests is not between' box/journal.jsonl || fail "the journal does not say why"
echo "$checks checks of the sandbox's tenant by curl and openssl"
