#!/usr/bin/env bash
# Tokens from a server of others: oidc-provider (certified, npm, version and lock file in
# tests/tools/oidc) takes our PS256 assertion once, and not twice; a proxy that intercepts TLS
# (mitmproxy) gets nothing as long as its CA is not trusted. Needs npm and its registry for the
# first time; says so and passes where they are missing, and fails where PFX_NEED_NPM is set.
set -u
scope=https://api.manage.microsoft.com//.default
secret=s3cret-that-nobody-prints-0123456789
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
probe=$bin/token_probe modules=$build/oidc
need_programs "$probe"
work_in oauth
shown=(out server.log proxy.log npm.log)
without() { # WHAT: not here
  [ -z "${PFX_NEED_NPM:-}" ] || fail "$1 is missing"
  echo "not tried: $1 is missing here"
  exit 0
}
try() { # CODE PATTERN SENTENCE OPTIONS...: the probe ends with CODE and says PATTERN
  local want=$1 pattern=$2 what=$3 got
  shift 3
  timeout 20 "$probe" --url="$url" --scope="$scope" --roots="$dir/ca.pem" "$@" >"$dir/out" 2>&1
  got=$?
  [ $got -eq "$want" ] || fail "$what: exit code $got, not $want"
  grep -qE -- "$pattern" "$dir/out" || fail "$what: does not say $pattern"
  ! grep -qF -- "$secret" "$dir/out" || fail "$what: prints the secret"
  checks=$((checks + 1))
}

for program in node npm; do command -v $program >/dev/null || without $program; done
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || without "Node 20"
if ! cmp -s "$root/tests/tools/oidc/package-lock.json" "$modules/package-lock.json" ||
  [ ! -d "$modules/node_modules/oidc-provider" ]; then
  rm -rf "$modules" && mkdir -p "$modules" || exit 1
  cp "$root"/tests/tools/oidc/package*.json "$modules/"
  (cd "$modules" && timeout 60 npm ci --ignore-scripts --no-audit --no-fund) >"$dir/npm.log" 2>&1 ||
    { cat "$dir/npm.log"; rm -rf "$modules"; without "the npm registry"; }
fi

# -- certificates ------
certify() { # NAME: a key and a certificate by the CA
  openssl req -newkey rsa:2048 -nodes -keyout "$dir/$1.key" -subj "/CN=$1" -out "$dir/$1.csr" \
    2>/dev/null
  openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial \
    -days 2 -extfile <(echo subjectAltName=DNS:localhost) -out "$dir/$1.pem" 2>/dev/null
}
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/ca.key" -subj "/CN=Test CA" -days 2 \
  -out "$dir/ca.pem" 2>/dev/null || fail "no CA"
for one in server client other; do certify $one || fail "no certificates"; done
printf '%s' "$secret" >"$dir/secret"
printf 'wrong-secret-0123456789' >"$dir/wrong"

# -- the server, and somebody before it ------
if command -v mitmdump >/dev/null; then
  mitmdump --listen-host 127.0.0.1 -p 0 --set confdir="$dir/mitm" --set proxyauth=office:word \
    --set ssl_verify_upstream_trusted_ca="$dir/ca.pem" --set connection_strategy=lazy \
    >"$dir/proxy.log" 2>&1 &
  proxy=$!
fi
OIDC_CLIENT_SECRET=$secret node "$root/tests/tools/oidc/server.mjs" "$dir" "$modules" \
  >"$dir/server.log" 2>&1 &
server=$!
until_true 20 grep -q '^port' "$dir/server.log" || fail "the server does not start"
port=$(sed -n 's/^port //p' "$dir/server.log")
url=https://localhost:$port/tenant/oauth2/v2.0/token
ours=(--client-id=by-certificate --certificate="$dir/client.pem" --key="$dir/client.key")
other=(--client-id=by-certificate --certificate="$dir/other.pem" --key="$dir/other.key")

try 0 'with the certificate$' "our assertion is accepted" "${ours[@]}"
try 1 'credentials\[0\]\.certificate: .*invalid_client' "a stranger's is refused" "${other[@]}"
try 0 'with the secret$' "a secret is accepted" --client-id=by-secret --secret-file="$dir/secret"
try 1 'credentials\[0\]\.secret: .*invalid_client' "a wrong secret is refused" \
  --client-id=by-secret --secret-file="$dir/wrong"
try 1 'scope: .*invalid_scope' "a scope that is not ours is refused" "${ours[@]}" \
  --scope=https://graph.microsoft.com/.default

# -- an assertion is good once, whoever sends it ------
"$probe" --assertion --url="$url" "${ours[@]}" >"$dir/assertion" || fail "no assertion"
send() {
  curl -s --max-time 10 --cacert "$dir/ca.pem" "$url" -d grant_type=client_credentials \
    -d client_id=by-certificate --data-urlencode "scope=$scope" --data-urlencode \
    client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
    --data-urlencode "client_assertion=$(cat "$dir/assertion")" >"$dir/out"
}
send
grep -q '"access_token"' "$dir/out" || fail "the assertion is refused at first"
send
grep -q '"invalid_client"' "$dir/out" || fail "the assertion is accepted twice"
checks=$((checks + 2))

# -- TLS that is intercepted ------
mitm="interception not tried: no mitmproxy here"
if [ -n "$proxy" ]; then
  until_true 20 grep -qE 'listening at' "$dir/proxy.log" || fail "mitmproxy does not start"
  through=(--proxy="$(sed -nE 's|.*listening at (http://)?[*a-z0-9.]*:([0-9]+).*|http://127.0.0.1:\2|p' \
    "$dir/proxy.log" | head -n 1)")
  user=(--proxy-user=office --proxy-password=word)
  try 1 'unauthorized: proxy: wants credentials' "a proxy without credentials" "${ours[@]}" \
    "${through[@]}"
  try 1 'unauthorized: proxy: refuses the credentials' "a proxy with wrong ones" "${ours[@]}" \
    "${through[@]}" --proxy-user=office --proxy-password=else
  try 1 'unauthorized: server: is not who it must be' "an intercepting proxy" "${ours[@]}" \
    "${through[@]}" "${user[@]}"
  # The same proxy, trusted: it was there and did intercept.
  try 0 'with the certificate$' "a trusted intercepting proxy" "${ours[@]}" "${through[@]}" \
    "${user[@]}" --roots="$dir/mitm/mitmproxy-ca-cert.pem"
  mitm="mitmproxy refused until trusted"
fi
echo "oidc-provider $(node -p "require('$modules/node_modules/oidc-provider/package.json').version")" \
  "took our PS256 assertion once; $mitm; $checks checks"
