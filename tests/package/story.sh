#!/bin/bash
# What an administrator does with the package, from `init` to `purge`; runs inside a clean Debian tree
# (tests/package/run brings it there), with systemd as process 1 or without. Words: /root/story.log;
# the last line is "story: done" or what failed.
# shellcheck source=tests/package/steps.sh
. "$(dirname "$0")/steps.sh"
installed
[ "$(stat -c %U:%G:%a /etc/pfxengine)" = root:pfxengine:750 ] || end "FAILED: /etc/pfxengine is open"
[ "$(stat -c %U:%a /var/lib/pfxengine)" = pfxengine:700 ] || end "FAILED: /var/lib/pfxengine is open"
[ -n "$(find /usr/share/man -name 'pfxengine.1.gz' 2>/dev/null)" ] || say "(this tree's dpkg leaves manual pages out)"

must "the demo" pfxengine demo --requests 60 --kills 2
say "demo: $(tail -n 1 /tmp/out)"

set_up 600 30 'del(.intune)'
start
until_true 60 delivered 50 || end "FAILED: nothing is delivered"
must "doctor" pfxengine doctor
say "doctor: $(grep -c '^good' /tmp/out) good, $(grep -c '^warning' /tmp/out) warnings, $(grep -c '^fault' /tmp/out) faults"
if [ -d /run/systemd/system ]; then
  say "$(systemctl show pfxengine -p Type -p NRestarts -p WatchdogUSec -p StatusText | tr '\n' ' ')"
  say "$(systemd-analyze security --no-pager pfxengine.service | tail -n 1)"
  must "reload" systemctl reload pfxengine
  until_true 10 sh -c 'journalctl -u pfxengine --no-pager | grep -q reloaded' || end "FAILED: no word of a reload"
fi

before=$(sha256sum /etc/pfxengine/pfxengine.json /etc/pfxengine/master.key)
must "the upgrade under load" apt-get install -y -q --no-install-recommends /root/next.deb
say "upgraded under load: $(dpkg-query -W -f '${Version}' pfxengine)"
[ -d /run/systemd/system ] || { stop; start; }
[ "$before" = "$(sha256sum /etc/pfxengine/pfxengine.json /etc/pfxengine/master.key)" ] || end "FAILED: the upgrade touched the configuration"
judged 600

must "remove" apt-get remove -y -q pfxengine
[ -s /etc/pfxengine/pfxengine.json ] && [ -d /var/lib/pfxengine/store ] || end "FAILED: a removal took the data along"
must "purge" apt-get purge -y -q pfxengine
end "done"
