#!/bin/sh
# Makes the PKCS#12 files of sandbox/data/pfx and their manifest with programs of others: OpenSSL,
# NSS, GnuTLS and Java. Run by hand; its products are committed. New keys at each run.
# Needs: openssl libnss3-tools gnutls-bin default-jre-headless xxd
set -eu
out=$(cd "$(dirname "$0")" && pwd)/pfx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
manifest=$work/manifest.tsv
mkdir made

# -- a certification of two steps, and user certificates under it ------

subject() { echo "/CN=$1/O=Example Test"; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.crt \
  -days 9000 -subj "$(subject 'Mail Root')" -addext keyUsage=critical,keyCertSign,cRLSign 2>log
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.csr \
  -subj "$(subject 'Mail Issuer')" 2>>log
printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n' >ca.ext
openssl x509 -req -in ca.csr -CA root.crt -CAkey root.key -days 8900 -extfile ca.ext -out ca.crt 2>>log
cat ca.crt root.crt >chain.crt

# certify NAME: NAME.csr -> NAME.crt, a user certificate for mail
certify() {
  {
    echo "subjectAltName=email:$1@example.test"
    echo "extendedKeyUsage=emailProtection"
    echo "keyUsage=critical,digitalSignature"
    echo "basicConstraints=CA:FALSE"
  } >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -days 8800 -extfile "$1.ext" \
    -out "$1.crt" 2>>log
}

# note FILE PASSWORD MAKER ALGORITHM CHAIN WEIGHT CERTIFICATE [FRIENDLY-NAME]: a line of the
# manifest. CHAIN counts the certificates between leaf and root; WEIGHT is 0 for a file that must be
# refused.
note() {
  sha1=$(openssl x509 -in "$7" -outform DER | sha1sum | cut -c1-40)
  sha256=$(openssl x509 -in "$7" -outform DER | sha256sum | cut -c1-64)
  key=$(openssl x509 -in "$7" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)
  hex=$(printf '%s' "$2" | xxd -p | tr -d '\n')
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
    "$1" "$hex" "$3" "$4" "$5" "$6" "$sha1" "$sha256" "$key" "${8:-}" >>"$manifest"
}

# -- OpenSSL ------

openssl_maker=$(openssl version | cut -d' ' -f1,2)

# openssl_key NAME ALGORITHM: a key and its certificate
openssl_key() {
  case $2 in
    rsa*) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa}" -out "$1.key" 2>>log ;;
    ecP*) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:P-${2#ecP}" -out "$1.key" 2>>log ;;
  esac
  openssl req -new -key "$1.key" -subj "$(subject "$1")" -out "$1.csr"
  certify "$1"
}

# openssl_file NAME ALGORITHM PASSWORD CHAIN FRIENDLY-NAME [OPTION...]
openssl_file() {
  name=$1 algorithm=$2 password=$3 chain=$4 friendly=$5
  shift 5
  openssl_key "$name" "$algorithm"
  [ "$chain" = 0 ] || set -- "$@" -certfile chain.crt
  [ -z "$friendly" ] || set -- "$@" -name "$friendly"
  openssl pkcs12 -export -inkey "$name.key" -in "$name.crt" -passout "pass:$password" \
    -out "made/$name.p12" "$@"
  note "$name.p12" "$password" "$openssl_maker" "$algorithm" "$chain" 20 "$name.crt" "$friendly"
}
triple_des="-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1"
openssl_file openssl-rsa2048 rsa2048 'correct horse' 0 'Mail of Alice'
openssl_file openssl-rsa2048-3des rsa2048 secret 0 '' $triple_des
openssl_file openssl-rsa2048-rc2 rsa2048 secret 0 'old Windows' -legacy
openssl_file openssl-rsa2048-rc2-key rsa2048 secret 1 '' -legacy -keypbe PBE-SHA1-RC2-40
openssl_file openssl-rsa3072-chain rsa3072 'p@ss"word\' 1 'Mail of Bob'
openssl_file openssl-rsa4096 rsa4096 0123456789 0 ''
openssl_file openssl-ec256 ecP256 secret 0 'EC'
openssl_file openssl-ec384-chain ecP384 secret 1 ''
openssl_file openssl-ec521-3des ecP521 secret 0 '' $triple_des
openssl_file openssl-name rsa2048 secret 0 'Zoë Müller-Ł 試験'
openssl_file openssl-password-utf8 rsa2048 'pässwörd-試' 0 ''
openssl_file openssl-password-long ecP256 "$(printf '%0150d' 7)" 0 ''
# Octets beyond ASCII that are not UTF-8: what an old client sends for the password of such a file.
openssl_file openssl-password-latin1 rsa2048 'pässwörd' 0 ''
sed -i '/^openssl-password-latin1/s/c3a4/e4/; /^openssl-password-latin1/s/c3b6/f6/' "$manifest"
openssl_file openssl-no-mac ecP256 secret 0 '' -nomac
openssl_file openssl-iterations rsa2048 secret 1 '' -iter 20000

# -- NSS ------

nss_maker="NSS $(dpkg-query -W -f '${Version}' libnss3-tools | sed 's/^[0-9]*://; s/-.*//')"
mkdir nss
printf 'database' >nss.pin
head -c 64 /dev/urandom >nss.noise
certutil -N -d nss -f nss.pin
certutil -A -d nss -f nss.pin -n root -t CT,C,C -a -i root.crt
certutil -A -d nss -f nss.pin -n ca -t ,, -a -i ca.crt

# nss_file NAME ALGORITHM PASSWORD NICKNAME [OPTION...]: 1,800,000 iterations each
nss_file() {
  name=$1 algorithm=$2 password=$3 nickname=$4
  shift 4
  case $algorithm in
    rsa*) kind="-k rsa -g ${algorithm#rsa}" ;;
    ecP*) kind="-k ec -q nistp${algorithm#ecP}" ;;
  esac
  certutil -R -d nss -f nss.pin -z nss.noise $kind -s "CN=$name,O=Example Test" -a -o "$name.req" 2>>log
  openssl req -in "$name.req" -out "$name.csr"
  certify "$name"
  certutil -A -d nss -f nss.pin -n "$nickname" -t ,, -a -i "$name.crt"
  printf '%s' "$password" >nss.password
  pk12util -o "made/$name.p12" -n "$nickname" -d nss -k nss.pin -w nss.password "$@" >>log
  note "$name.p12" "$password" "$nss_maker" "$algorithm" 1 1 "$name.crt" "$nickname"
}
nss_file nss-rsa2048 rsa2048 secret 'Mail in NSS'
nss_file nss-ec256 ecP256 'pässwörd' 'übung'
nss_file nss-rsa2048-rc2 rsa2048 secret 'old Mozilla' \
  -c 'PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC' \
  -C 'PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC'

# -- GnuTLS ------

gnutls_maker=$(certtool --version | head -1 | sed 's/certtool/GnuTLS/')

# gnutls_file NAME ALGORITHM PASSWORD [OPTION...]: 1,800,000 iterations each
gnutls_file() {
  name=$1 algorithm=$2 password=$3
  shift 3
  case $algorithm in
    rsa*) kind="--key-type=rsa --bits=${algorithm#rsa}" ;;
    ecP*) kind="--key-type=ecdsa --curve=secp${algorithm#ecP}r1" ;;
  esac
  certtool --generate-privkey $kind --outfile "$name.key" --no-text 2>>log
  printf 'cn = "%s"\norganization = "Example Test"\n' "$name" >"$name.cfg"
  certtool --generate-request --load-privkey "$name.key" --template "$name.cfg" \
    --outfile "$name.csr" --no-text 2>>log
  certify "$name"
  certtool --to-p12 --load-privkey "$name.key" --load-certificate "$name.crt" --p12-name "$name" \
    --password "$password" --outder --outfile "made/$name.p12" "$@" 2>>log
  note "$name.p12" "$password" "$gnutls_maker" "$algorithm" 0 1 "$name.crt" "$name"
}
gnutls_file gnutls-rsa2048 rsa2048 secret
gnutls_file gnutls-ec256-3des ecP256 secret --pkcs-cipher=3des-pkcs12

# -- Java ------

java_maker="Java $(java -version 2>&1 | head -1 | cut -d'"' -f2)"

# java_entry NAME ALGORITHM PASSWORD WEIGHT FILE ALIAS [OPTION...]: one more entry of a file
java_entry() {
  name=$1 algorithm=$2 password=$3 weight=$4 file=made/$5 alias=$6
  shift 6
  case $algorithm in
    rsa*) kind="-keyalg RSA -keysize ${algorithm#rsa}" ;;
    ecP*) kind="-keyalg EC -groupname secp${algorithm#ecP}r1" ;;
  esac
  store="-storetype PKCS12 -keystore $file -storepass $password"
  keytool -genkeypair $store $kind -alias "$alias" -dname "CN=$name, O=Example Test" "$@" 2>>log
  keytool -certreq $store -alias "$alias" -file "$name.csr" "$@" 2>>log
  certify "$name"
  cat "$name.crt" ca.crt root.crt >"$name.chain"
  keytool -importcert -noprompt $store -alias "$alias" -file "$name.chain" "$@" 2>>log
  note "${file#made/}" "$password" "$java_maker" "$algorithm" 1 "$weight" "$name.crt" "$alias"
}
java_entry java-rsa2048 rsa2048 secret 20 java-rsa2048.p12 mail
java_entry java-ec384 ecP384 secret 20 java-ec384.p12 mail
java_entry java-legacy rsa2048 secret 2 java-legacy.p12 mail -J-Dkeystore.pkcs12.legacy
java_entry java-first rsa2048 secret 20 java-two-entries.p12 first
java_entry java-second ecP256 secret 20 java-two-entries.p12 second

# -- Windows ------
# windows-rsa2048-3des.pfx comes from Microsoft's Intune-Resource-Access (see SOURCES).

windows=windows-rsa2048-3des.pfx
cp "$out/$windows" "made/$windows"
openssl pkcs12 -in "made/$windows" -passin pass:TestCert -nokeys -clcerts 2>>log |
  openssl x509 -out windows.crt
note "$windows" TestCert 'Windows' rsa2048 0 20 windows.crt

# -- files that must be refused ------

openssl_key bad-no-key rsa2048
openssl pkcs12 -export -nokeys -in bad-no-key.crt -passout pass:secret -out made/bad-no-key.p12
note bad-no-key.p12 secret "$openssl_maker" rsa2048 0 0 bad-no-key.crt
openssl_key bad-other-key rsa2048
certtool --generate-privkey --key-type=rsa --bits=2048 --outfile stranger.key --no-text 2>>log
certtool --to-p12 --load-privkey stranger.key --load-certificate bad-other-key.crt \
  --p12-name bad --password secret --pkcs-cipher=3des-pkcs12 --outder \
  --outfile made/bad-other-key.p12 2>>log
note bad-other-key.p12 secret "$gnutls_maker" rsa2048 0 0 bad-other-key.crt
openssl_key bad-iterations ecP256
openssl pkcs12 -export -inkey bad-iterations.key -in bad-iterations.crt -passout pass:secret \
  -iter 2000001 -out made/bad-iterations.p12
note bad-iterations.p12 secret "$openssl_maker" ecP256 0 0 bad-iterations.crt

rm -f "$out"/*.p12
cp made/* "$out/"
chmod 644 "$out"/*.p12 "$out/$windows"
{
  echo "# file, password (hex), maker, key algorithm, certificates between leaf and root, weight,"
  echo "# SHA-1 and SHA-256 of the certificate, SHA-256 of its public key, friendlyName."
  echo "# Weight 0: must be refused. Separated by tabs; made by make-pfx.sh."
  cat "$manifest"
} >"$out/manifest.tsv"
echo "made $(ls "$out" | grep -c '\.p[f1]') files"
