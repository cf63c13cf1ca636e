#!/usr/bin/env bash
# The embedded CA as others meet it: curl enrols, submits and revokes, openssl and GnuTLS judge its
# revocation lists and OCSP answers. Prints one line at the end.
set -u
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx"
work_in ca
shown=(out err sandbox.err)
good() { # SENTENCE COMMAND...: ends with 0
  local what=$1
  shift
  timeout 20 "$@" >"$dir/out" 2>"$dir/err" </dev/null || fail "$what"
  checks=$((checks + 1))
}
bad() { # SENTENCE COMMAND...: does not
  local what=$1
  shift
  timeout 20 "$@" >"$dir/out" 2>"$dir/err" </dev/null && fail "$what"
  checks=$((checks + 1))
}
says() { # PATTERN: the last command, on stdout or stderr
  grep -qE -- "$1" "$dir/out" "$dir/err" || fail "it does not say: $1"
  checks=$((checks + 1))
}
silent() { # PATTERN
  grep -qE -- "$1" "$dir/out" "$dir/err" && fail "it says: $1"
  checks=$((checks + 1))
}

# -- the other side, and a client of curl's ------
"$pfx" sandbox --dir "$dir/box" --requests 1 --mix create-ec=1 --stay --format plain \
  >"$dir/lines" 2>"$dir/sandbox.err" &
sandbox=$!
for _ in $(seq 300); do
  grep -q '^ready' "$dir/lines" && break
  kill -0 "$sandbox" 2>/dev/null || break
  sleep 0.1
done
grep -q '^ready' "$dir/lines" || fail "the sandbox is not ready"
told() { sed -n "s/^ready.*\t$1=\([^\t]*\).*/\1/p" "$dir/lines"; }
crl=$(told crlUrl) ocsp=$(told ocspUrl) issuer=$(told issuerUrl) ca=$(told caUrl)
[ "$(jq -r '.crlUrl + .ocspUrl + .issuerUrl' "$dir/box/sandbox.json")" = "$crl$ocsp$issuer" ] \
  || fail "sandbox.json has other addresses than what was printed"
tls=(curl -sS --fail-with-body --cacert "$(told serverRoots)" -H 'Content-Type: application/json')
plain=(curl -sS --fail)
csr() { # NAME SUBJECT: NAME.key and a CSR in base64
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "$2" \
    -addext keyUsage=digitalSignature -outform DER 2>/dev/null | base64 -w0
}
jq -n --arg code "$(told registrationCode)" --arg csr "$(csr client /CN=client)" '{code: $code,
  connectorName: "c", machineName: "m", connectorVersion: "1", features: [], certificateRequest: $csr}' >register
good "an enrolment" "${tls[@]}" --data @register "$(told serviceUrl)/Connectors/register"
jq -r .value.certificate out | base64 -d | openssl x509 -inform DER -out client.pem || fail "no client certificate"
call=("${tls[@]}" --cert client.pem --key client.key)
certify() { # NAME
  jq -n --arg id "$(openssl rand -hex 32)" --arg csr "$(csr "$1" "/O=Example Test/CN=$1")" '{transactionId: $id,
    certificateRequest: $csr, template: "User", validity: {value: 30, unit: "days"}, extensions: {}}' >submit
  good "a certificate for $1" "${call[@]}" --data @submit "$ca/CertificateAuthority/submit"
  jq -r .value.certificate out | base64 -d | openssl x509 -inform DER -out "$1.pem" || fail "no certificate for $1"
}
for name in alice bob carol; do certify $name; done
jq -r '.value.chain[0]' out | base64 -d >chain.der

# -- addresses and certificates ------
good "the issuer's certificate" "${plain[@]}" -D head -o issuer.der "$issuer"
cmp -s chain.der issuer.der || fail "the certificate of the issuer is another one than that in the chain"
grep -qi '^content-type: application/pkix-cert' head || fail "the certificate has another type"
openssl x509 -inform DER -in issuer.der -out issuer.pem
cat "$(told caRoots)" issuer.pem >trust.pem
good "what a certificate says" openssl x509 -in alice.pem -noout -text
for url in "$crl" "$ocsp" "$issuer"; do grep -qF "URI:$url" out || fail "the certificate does not name $url"; done
[ "$(openssl x509 -in alice.pem -noout -ocsp_uri)" = "$ocsp" ] || fail "the certificate has another responder"

# -- before anything is revoked ------
list() { # fetches the list as list.der and list.pem
  good "a list" "${plain[@]}" -D head -o list.der "$crl"
  good "openssl's look at the list" openssl crl -inform DER -in list.der -CAfile issuer.pem -out list.pem
  says 'verify OK'
  good "its text" openssl crl -in list.pem -noout -text -nameopt RFC2253
  number=$(openssl crl -in list.pem -noout -crlnumber | sed 's/.*=0x//;s/.*=//')
  number=$((16#$number))
}
ask() { # SENTENCE-PATTERN ARGUMENTS...: openssl asks over HTTP, with a nonce
  local want=$1
  shift
  good "an OCSP answer" openssl ocsp -CAfile trust.pem -issuer issuer.pem -url "$ocsp" "$@"
  says 'Response verify OK'
  says "$want"
  silent 'WARNING: no nonce|Nonce Verify error'
}
revoked() { # NAME
  good "its text" openssl crl -in list.pem -noout -text
  grep -q "Serial Number: $(openssl x509 -in "$1.pem" -noout -serial | sed 's/serial=//')" out
}
list
first=$number
grep -qi '^content-type: application/pkix-crl' head || fail "the list has another type"
grep -qiE '^cache-control: max-age=[0-9]+, public, no-transform, must-revalidate' head || fail "the list has no age"
for header in etag last-modified date expires; do grep -qi "^$header: ." head || fail "the list has no $header"; done
tag=$(sed -n 's/^[Ee][Tt]ag: \([^\r]*\).*/\1/p' head)
[ "$(curl -sS -o /dev/null -w '%{http_code}' -H "If-None-Match: $tag" "$crl")" = 304 ] || fail "a known list is sent again"
for name in alice bob carol; do
  good "the chain of $name" openssl verify -CAfile "$(told caRoots)" -untrusted issuer.pem -crl_check -CRLfile list.pem "$name.pem"
  for hash in -sha1 -sha256; do ask ": good" $hash -cert "$name.pem"; done
done
ask "0x1234567890: unknown" -serial 0x1234567890

# -- revocation ------
revoke() { # NAME REASON STATUS
  local serial
  serial=$(openssl x509 -in "$1.pem" -noout -serial | sed 's/serial=0*//' | tr A-F a-f) # as the protocol wants it: no leading zeros
  jq -n --arg serial "$serial" --argjson reason "$2" --arg issuer "$(openssl x509 -in "$1.pem" -noout -issuer -nameopt RFC2253 | sed 's/issuer=//')" \
    '{issuer: $issuer, serialNumber: $serial, reason: $reason, revocationDateTime: "2026-01-02T03:04:05Z"}' >revoke
  good "a revocation" "${call[@]}" --data @revoke "$ca/CertificateAuthority/revoke"
  [ "$(jq -r .value.status out)" = "$3" ] || fail "a revocation ended otherwise than $3"
  promised=$(jq -r '.value.crlNumber // 0' out)
}
revoke alice 1 "done"
[ "$promised" -gt "$first" ] || fail "alice is promised for list $promised, but $first is out"
before=$promised
revoke alice 4 already
[ "$promised" -eq "$before" ] || fail "the second revocation promises another list"
ask ": revoked" -cert alice.pem
says 'Reason: keyCompromise'
ask ": revoked" -sha256 -cert alice.pem
list
[ "$number" -ge "$promised" ] || fail "the list after a revocation is $number, not $promised or later"
says 'Key Compromise'
says 'Invalidity Date'
revoked alice || fail "alice is not on the list"
revoked bob && fail "bob is on the list"
bad "alice is good although revoked" openssl verify -CAfile "$(told caRoots)" -untrusted issuer.pem -crl_check -CRLfile list.pem alice.pem
says 'certificate revoked'
good "carol" openssl verify -CAfile "$(told caRoots)" -untrusted issuer.pem -crl_check -CRLfile list.pem carol.pem
revoke bob 5 "done"
last=$number
list
[ "$number" -eq $((last + 1)) ] || fail "the number went from $last to $number"
{ revoked alice && revoked bob; } || fail "one of two is not on the list"
list
[ "$number" -eq $((last + 1)) ] || fail "a list was signed although nothing was revoked"
ask ": good" -cert carol.pem

# -- OCSP by GET, and what is no request ------
good "a request in a file" openssl ocsp -issuer issuer.pem -cert carol.pem -no_nonce -reqout request
path=$(base64 -w0 request | jq -sRr @uri)
good "an answer by GET" "${plain[@]}" -D head -o one "$ocsp/$path"
good "the same again" "${plain[@]}" -o two "$ocsp/$path"
cmp -s one two || fail "an answer without a nonce was signed twice"
grep -qi '^content-type: application/ocsp-response' head || fail "the answer has another type"
grep -qi '^cache-control: max-age=' head || fail "the answer has no age"
good "openssl's look at it" openssl ocsp -CAfile trust.pem -issuer issuer.pem -cert carol.pem -respin one
says 'Response verify OK'
says 'carol.pem: good'
good "its text" openssl ocsp -respin one -resp_text -noverify
for words in 'OCSP Signing' 'OCSP No Check' 'Responder Id: [0-9A-F]{40}' 'Next Update'; do says "$words"; done
post() { curl -sS -o answer -w '%{http_code}' -H "Content-Type: $1" --data-binary "@$2" "$ocsp"; }
hex() { od -An -tx1 "$1" | tr -d ' \n'; }
echo nonsense >nonsense
head -c 60 request >cut.der
for file in nonsense cut.der; do
  [ "$(post application/ocsp-request "$file") $(hex answer)" = "200 30030a0101" ] || fail "$file is not malformed"
  checks=$((checks + 1))
done
head -c 20000 /dev/zero >huge
[ "$(post application/ocsp-request huge)" = 413 ] || fail "a huge request is taken"
[ "$(post application/json request)" = 415 ] || fail "JSON is taken for a request"
bad "an answer about another CA" openssl ocsp -CAfile trust.pem -issuer client.pem -serial 5 -url "$ocsp"
says 'unauthorized'
for path in / /ca/CertificateAuthority/revoke /service/Connectors/register /ca/other.crl; do
  [ "$(curl -sS -o /dev/null -w '%{http_code}' "${ocsp%/ocsp/*}$path" --data '{}')" = 404 ] \
    || fail "$path is served without TLS"
  checks=$((checks + 1))
done

# -- GnuTLS ------
gnutls() { # NAME PATTERN
  good "GnuTLS's question about $1" ocsptool --ask="$ocsp" --nonce --load-issuer issuer.pem --load-cert "$1.pem" \
    --load-trust issuer.pem
  says "$2"
}
gnutls carol 'Certificate Status: good'
says 'Success'
timeout 20 ocsptool --ask="$ocsp" --load-issuer issuer.pem --load-cert alice.pem --load-trust issuer.pem \
  >out 2>err </dev/null # its exit code says "revoked"
says 'Certificate Status: revoked'
good "GnuTLS's look at the list" certtool --verify-crl --load-ca-certificate issuer.pem --infile list.pem
says 'Verified|verified'

kill -TERM "$sandbox"
wait "$sandbox" # with its own verdict: certificates that no request asked for are surplus to it
sandbox=
grep -q 'PRIVATE KEY' "$dir/sandbox.err" && fail "a key stands in a log"
echo "$checks checks of revocation lists and OCSP from outside"
