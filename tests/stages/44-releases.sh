#!/usr/bin/env bash
# Releases as their maker meets them: keys, trust roots, manifests, signatures, feeds, and what is not for
# publishing. Prints one line at the end.
set -u
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx"
work_in releases

# -- help and usage ------
for command in release "release key" "release root" "release manifest" "release sign" "release publish"; do
  # shellcheck disable=SC2086 # two words are two arguments
  try 0 "help of $command" $command --help
  says out 'Examples?:'
  says out 'pfxengine release'
done
try 1 "no release command" release
try 1 "a key to nowhere" release key
try 1 "a feed of nothing" release publish --feed feed
try 1 "a manifest without its package" release publish --feed feed --manifest m

# -- keys ------
for key in a b c r s; do
  try 0 "a key" release key --out "$key.key"
  says out '^[0-9a-f]{64}$'
done
[ "$(stat -c %a a.key)" = 600 ] || fail "a key's file is not 0600"
cp a.key a.before
try 9 "a key over a key" release key --out a.key
good "the key is as it was" cmp a.key a.before
printf '%064d\n' 0 | tr 0 e >master; sed -i 's/^eeee/1234/' master; chmod 600 master
try 0 "a sealed key" release key --out sealed.key --sealed-by master
good "a sealed key is sealed" grep -q sealed sealed.key

# -- roots ------
publish=(release publish --feed feed)
try 0 "a root" release root --out 1.root --root-key a.key --root-key b.key --root-threshold 2 \
  --release-key r.key --release-key "$(sed -n 2p sealed.key)"
try 9 "a root over a root" release root --out 1.root --root-key a.key --release-key r.key
try 2 "a threshold that cannot be met" release root --out x.root --root-key a.key --root-threshold 2 \
  --release-key r.key
says err root-threshold
try 2 "an unsigned root" "${publish[@]}" --root 1.root
try 0 "a signature" release sign 1.root --key a.key
try 9 "a root with one signature of two" "${publish[@]}" --root 1.root
says err 'signature: 1 of the 2'
try 0 "a second signature" release sign 1.root --key b.key
try 0 "the first root" "${publish[@]}" --root 1.root
try 9 "the first root again" "${publish[@]}" --root 1.root

# -- releases ------
package() { # NAME CONTENT
  rm -rf tree; mkdir -p tree/bin; printf '%s' "$2" >tree/bin/pfxengine; chmod 755 tree/bin/pfxengine
  tar --format=ustar --sort=name --owner=0 --group=0 -C tree -cf "$1" . || fail "no package"
}
release() { # VERSION PACKAGE MORE...
  local version=$1 file=$2
  shift 2
  rm -f "$version.manifest"
  try 0 "a manifest" release manifest --out "$version.manifest" --version "$version" --package "$file" "$@"
}
package two.tar "version two"
release 0.2.0 two.tar --share 10
try 2 "an unsigned release" "${publish[@]}" --manifest 0.2.0.manifest --package two.tar
try 0 "a root key's signature" release sign 0.2.0.manifest --key a.key
try 9 "a release signed by a root key" "${publish[@]}" --manifest 0.2.0.manifest --package two.tar
try 2 "a sealed key without its seal" release sign 0.2.0.manifest --key sealed.key
try 0 "a sealed key's signature" release sign 0.2.0.manifest --key sealed.key --sealed-by master
package other.tar "another two"
try 9 "another package" "${publish[@]}" --manifest 0.2.0.manifest --package other.tar
says err sha256
try 0 "a release" "${publish[@]}" --manifest 0.2.0.manifest --package two.tar
release 0.2.0 other.tar
try 0 "a signature" release sign 0.2.0.manifest --key r.key
try 9 "the same version with another content" "${publish[@]}" --manifest 0.2.0.manifest --package other.tar
release 0.1.0 other.tar
try 0 "a signature" release sign 0.1.0.manifest --key r.key
try 9 "an older release" "${publish[@]}" --manifest 0.1.0.manifest --package other.tar
release 0.2.0 two.tar --share 50 --days 60
try 0 "a signature" release sign 0.2.0.manifest --key r.key
try 0 "the same release for more connectors" "${publish[@]}" --manifest 0.2.0.manifest --package two.tar
says out '50 %'
try 2 "version 2^63" release manifest --out x --version 9223372036854775808.0.0 --package two.tar
ln -s /etc/passwd tree/link; tar --format=ustar -C tree -cf link.tar .
try 2 "a package with a link" release manifest --out x --version 0.3.0 --package link.tar
cp two.tar cut.tar; truncate -s 700 cut.tar
try 2 "a cut package" release manifest --out x --version 0.3.0 --package cut.tar

# -- another key ------
try 0 "the next root" release root --out 2.root --number 2 --root-key b.key --root-key c.key \
  --root-threshold 2 --release-key s.key
for key in b c; do try 0 "a signature" release sign 2.root --key $key.key; done
try 9 "a root that the old keys did not sign" "${publish[@]}" --root 2.root
try 0 "a signature" release sign 2.root --key a.key
try 0 "the second root" "${publish[@]}" --root 2.root
package three.tar "version three"
release 0.3.0 three.tar
try 0 "an old key's signature" release sign 0.3.0.manifest --key r.key
try 9 "a release by a key that was taken away" "${publish[@]}" --manifest 0.3.0.manifest --package three.tar
try 0 "a new key's signature" release sign 0.3.0.manifest --key s.key
try 0 "a release by the new key" "${publish[@]}" --manifest 0.3.0.manifest --package three.tar

echo "releases: $checks checks"
