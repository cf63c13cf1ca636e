# shellcheck shell=bash
# What the stories inside the tree share: their words, and the way to a connector that runs against a
# sandbox. Sourced, never run.
set -uo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
sandbox="" engine=""
say() { echo "$*"; }
end() { # WORDS
  for pid in $sandbox $engine; do kill "$pid" 2>/dev/null; done
  say "story: $*"
  [ ! -d /run/systemd/system ] || systemctl --no-block poweroff
  exit 0
}
must() { # SENTENCE COMMAND...
  local what=$1
  shift
  "$@" >/tmp/out 2>&1 </dev/null || { tail -n 20 /tmp/out; journalctl -u pfxengine -n 20 --no-pager 2>/dev/null; end "FAILED: $what"; }
}
until_true() { # SECONDS COMMAND...
  local left=$(($1 * 5))
  shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    sleep 0.2
  done
}
ready_says() { jq -r "select(.event == \"ready\").$1" /tmp/sandbox.json; }
delivered_now() { pfxengine status --json | jq .totals.delivered; }
delivered() { [ "$(delivered_now)" -ge "$1" ]; }
by_hand() { # as the unit does it: the engine's user, root's key as a credential
  install -d -m 500 -o pfxengine /tmp/credentials
  install -m 400 -o pfxengine /etc/pfxengine/master.key /tmp/credentials/master.key
  CREDENTIALS_DIRECTORY=/tmp/credentials setpriv --reuid=pfxengine --regid=pfxengine --clear-groups \
    pfxengine run 2>>/tmp/engine.log &
  engine=$!
}
start() { if [ -d /run/systemd/system ]; then must "systemctl start" systemctl start pfxengine; else by_hand; fi; }
stop() {
  if [ -d /run/systemd/system ]; then
    must "systemctl stop" systemctl stop pfxengine
  else
    kill "$engine"; wait "$engine" || end "FAILED: the engine stopped with $?"; engine=
  fi
}
installed() {
  if [ -d /run/systemd/system ]; then say "systemd is process 1"; else say "no systemd: the unit's command is run by this script"; fi
  must "the package installs" apt-get install -y -q --no-install-recommends /root/pfxengine.deb
  say "installed: $(pfxengine --version), $(dpkg-query -W -f '${Version}' pfxengine)"
}

# set_up REQUESTS RATE JQ: a sandbox, and a connector that is registered with it and not started; the
# filter changes its configuration.
set_up() {
  pfxengine sandbox --dir /root/box --connector /root/made --requests "$1" --rate "$2" --mix create-ec=2,import=1 \
    --stay --format json >/tmp/sandbox.json 2>/tmp/sandbox.err </dev/null &
  sandbox=$!
  until_true 60 grep -q '"ready"' /tmp/sandbox.json || end "FAILED: the sandbox is not ready"
  must "init" pfxengine init --url "$(ready_says serviceUrl)" --tenant sandbox
  cp /root/box/*.pem /etc/pfxengine/ && chmod 644 /etc/pfxengine/*.pem
  sed 's|/root/made/data|/var/lib/pfxengine|; s|/root/made|/etc/pfxengine|; s|/root/box/|/etc/pfxengine/|' \
    /root/made/pfxengine.json | jq "$3" >/tmp/made.json || end "FAILED: no configuration"
  cat /tmp/made.json >/etc/pfxengine/pfxengine.json
  [ "$(stat -c %U:%a /etc/pfxengine/master.key)" = root:600 ] || end "FAILED: the master key is not root's"
  must "register" pfxengine register "$(ready_says registrationCode)"
  must "a key for imports" pfxengine key create --name mail
  must "config check" pfxengine config check
}

# judged REQUESTS: all were delivered, none lost, none doubled.
judged() {
  until_true 300 grep -q '"finished"' /tmp/sandbox.json || end "FAILED: not all was delivered: $(tail -n 1 /tmp/sandbox.json)"
  stop
  kill "$sandbox"; wait "$sandbox"; sandbox=
  must "the judge" pfxengine sandbox judge /root/box
  say "judged: $(jq -c '{requests, delivered, imported, lost, duplicates, surplusCertificates}' /tmp/out)"
  jq -e ".lost == 0 and .duplicates == 0 and .surplusCertificates == 0 and .delivered == $1" /tmp/out >/dev/null || end "FAILED: the judge"
}
