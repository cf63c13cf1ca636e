#!/bin/bash
# From 0.1.0 to 0.1.1 under load, then three versions that do not hold; runs inside a clean Debian tree
# that systemd booted (tests/package/updates brings it there). Words: /root/story.log; the last line is
# "story: done" or what failed.
# shellcheck source=tests/package/steps.sh
. "$(dirname "$0")/steps.sh"
requests=${STORY_REQUESTS:-3000} rate=15
[ -d /run/systemd/system ] || end "FAILED: no systemd"
switch_log() { journalctl -u pfxengine-switch -o cat --no-pager | grep -vE 'Starting|Finished|Consumed|Deactivated'; }
fails() { # SENTENCE
  journalctl -u pfxengine -u pfxengine-switch -u pfxengine-switch.path -n 60 --no-pager
  pfxengine-switch status
  pfxengine update history
  end "FAILED: $1"
}
running() { [ "$(pfxengine status --json | jq -r .version)" = "$1" ]; }
told_by_switch() { pfxengine-switch status | grep -qE "$1"; }
is_idle() { told_by_switch '^phase idle' && ! systemctl is-active -q pfxengine-switch.service; }
seconds() { echo $(($(date +%s) - begun)); }

installed

# -- the maker: keys, a root, a folder as the feed ------
install -d /srv/maker /srv/feed && cd /srv/maker || end "FAILED: no maker"
maker() { must "release $1" pfxengine release "$@"; }
maker key --out root.key
maker key --out release.key
maker root --out 1.root --root-key root.key --release-key release.key
maker sign 1.root --key root.key
maker publish --feed /srv/feed --root 1.root
publish() { # VERSION WORDS: what stands in tree/
  chmod 755 tree/bin/*
  tar --format=ustar --sort=name --owner=0 --group=0 -C tree -cf "$1.tar" .
  maker manifest --out "$1.manifest" --version "$1" --package "$1.tar"
  maker sign "$1.manifest" --key release.key
  maker publish --feed /srv/feed --manifest "$1.manifest" --package "$1.tar"
  rm -rf tree "$1.tar"
  begun=$(date +%s)
  say "$1 is published: $2"
}

# -- a machine that takes updates: what docs/releases.md says ------
must "updates on" /usr/libexec/pfxengine/updates on 1.root
say "$(tail -n 1 /tmp/out)"
set_up "$requests" "$rate" 'del(.intune) | .updates = {feed: "/srv/feed", apply: "automatic", checkIntervalSeconds: 2}'
install -d /etc/systemd/system/pfxengine-switch.service.d
cat >/etc/systemd/system/pfxengine-switch.service.d/deadlines.conf <<'TXT'
[Service]
ExecStart=
ExecStart=/usr/bin/pfxengine-switch run --once --ready-seconds 40 --watch-seconds 20
TXT
must "daemon-reload" systemctl daemon-reload
kept=$(sha256sum /etc/pfxengine/pfxengine.json /etc/pfxengine/master.key)
start
until_true 60 delivered 50 || fails "nothing is delivered"
running 0.1.0 || fails "0.1.0 does not run"
store=$(sha256sum /var/lib/pfxengine/store/pfxengine-store)

# -- 0.1.1, taken over while it works ------
mkdir -p tree/bin && cp /root/next/0.1.1/pfxengine tree/bin/
publish 0.1.1 "it works"
until_true 120 running 0.1.1 || fails "0.1.1 was not taken over"
say "0.1.1 is ready after $(seconds) s: $(systemctl show pfxengine -p ActiveState -p NRestarts | tr '\n' ' ')"

# -- three that do not hold; the first is asked for while 0.1.1 is still being watched ------
returned_from() { # VERSION
  until_true 180 told_by_switch "^held .*$1" || fails "$1 was not returned from"
  until_true 60 is_idle || fails "the switch does not end"
  until_true 60 running 0.1.1 || fails "0.1.1 does not run after $1"
  [ "$(readlink /opt/pfxengine/current)" = versions/0.1.1 ] || fails "the link leads elsewhere after $1"
  local before
  before=$(delivered_now)
  say "returned from $1 after $(seconds) s; 0.1.1 runs, $before delivered"
  grep -q "\"finished\"" /tmp/sandbox.json || until_true 60 delivered $((before + 20)) || fails "nothing is delivered after $1"
}
mkdir -p tree/bin && printf '#!/nowhere/at-all\n' >tree/bin/pfxengine
publish 0.1.2 "it does not start; 0.1.1 is still watched"
returned_from 0.1.2
told_by_switch '^current 0.1.1 ' || fails "0.1.1 did not hold"
mkdir -p tree/bin && printf '#!/bin/sh\nexec sleep 1000\n' >tree/bin/pfxengine
publish 0.1.3 "it starts and is never ready"
returned_from 0.1.3
mkdir -p tree/bin && cp /root/next/0.1.4/pfxengine tree/bin/works
# The process that gets ready ends by a signal 12 s after its start.
printf '#!/bin/sh\n{ sleep 12; kill -SEGV $$; } &\nexec "${0%%/*}/works" "$@"\n' >tree/bin/pfxengine
publish 0.1.4 "it gets ready, works, and crashes"
until_true 60 running 0.1.4 || fails "0.1.4 was not ready"
say "0.1.4 is ready after $(seconds) s"
returned_from 0.1.4

judged "$requests"
[ "$kept" = "$(sha256sum /etc/pfxengine/pfxengine.json /etc/pfxengine/master.key)" ] || end "FAILED: configuration or key changed"
[ "$store" = "$(sha256sum /var/lib/pfxengine/store/pfxengine-store)" ] || end "FAILED: another store"
say "the switch in the journal:"
switch_log
must "the switch's state" pfxengine-switch status
say "pfxengine-switch status:"; cat /tmp/out
grep -qE '^held .*0\.1\.2' /tmp/out && grep -qE '^held .*0\.1\.4' /tmp/out || end "FAILED: the switch does not tell it"
must "the history" pfxengine update history
say "pfxengine update history:"; cat /tmp/out
grep -q 'asked for 0.1.4' /tmp/out && grep -q 'returned from 0.1.4 to 0.1.1' /tmp/out || end "FAILED: the history does not tell it"
must "purge" apt-get purge -y -q pfxengine
end "done"
