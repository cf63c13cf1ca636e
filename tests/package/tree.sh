# shellcheck shell=bash disable=SC2154
# What the package's stories share outside: a clean Debian tree, a boot of it, and what a purge left in
# it. Sourced, never run; expects `root` (the top of the source tree), `suite` and `tree`.
say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
mirror=http://deb.debian.org/debian
work=$(mktemp -d "${TMPDIR:-/tmp}/pfx-tree.XXXXXX")
finish() {
  mountpoint -q "$work/root/proc" && umount "$work/root/proc"
  rm -rf --one-file-system "$work"
}
trap finish EXIT
inside() { chroot "$tree" env -u TMPDIR DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null; }
files() { inside find / -xdev -not -path '/proc/*' -not -path '/tmp/*' -not -path '/var/cache/*' -not -path '/var/lib/apt/*' \
  -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/run/*' | sort; }

# clean_tree DEB: a copy of the clean tree with what the package needs, and a list of its files.
clean_tree() {
  local needs
  say "a clean $suite"
  if [ -z "$tree" ]; then
    tree=$work/clean
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus "$suite" "$tree" "$mirror" >"$work/debootstrap.log" ||
      fail "debootstrap: $(tail -n 3 "$work/debootstrap.log")"
  fi
  cp -a "$tree" "$work/root"
  tree=$work/root
  printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d" && chmod 755 "$tree/usr/sbin/policy-rc.d"
  mount -t proc proc "$tree/proc"
  say "what it needs, installed first"
  inside apt-get update -q >/dev/null
  needs=$(dpkg-deb -f "$1" Depends | sed 's/([^)]*)//g; s/,/ /g')
  # shellcheck disable=SC2086 # one word per package
  inside apt-get install -y -q --no-install-recommends $needs curl jq procps >/dev/null
  files >"$work/before"
}

# boot_it STORY SECONDS: the tree with systemd as process 1, which runs /root/STORY and is switched
# off by it. False if this machine lets no container boot; then $work/boot.log says why.
boot_it() {
  rm -f "$tree/usr/sbin/policy-rc.d"
  umount "$tree/proc"
  cat >"$tree/etc/systemd/system/story.service" <<TXT
[Unit]
After=multi-user.target
[Service]
Type=simple
ExecStart=/bin/sh -c 'bash /root/$1 >/root/story.log 2>&1'
TXT
  mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
  ln -sf ../story.service "$tree/etc/systemd/system/multi-user.target.wants/story.service"
  # A /run of its own for systemd-nspawn, which wants a tmpfs there; gone with its namespace.
  # shellcheck disable=SC2016 # for the shell in there
  timeout "$2" unshare --mount sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/systemd &&
    exec systemd-nspawn --quiet --directory="$1" --boot --register=no --keep-unit --machine=pfxstory \
      --console=pipe --resolv-conf=off' - "$tree" >"$work/boot.log" 2>&1 </dev/null || true
  rm -f "$tree/etc/systemd/system/story.service" "$tree/etc/systemd/system/multi-user.target.wants/story.service"
  mount -t proc proc "$tree/proc"
  [ -s "$tree/root/story.log" ]
}

# The story's words; fails if it did not end well.
told() {
  cat "$tree/root/story.log"
  tail -n 1 "$tree/root/story.log" | grep -qx 'story: done' || fail "see above"
}

# After the purge: all files of the tree compared with those of before.
nothing_left() {
  local left
  say "what the purge left"
  rm -rf "$tree/root/box" "$tree/root/made" "$tree/root/next" "$tree"/root/*.deb "$tree"/root/*.sh "$tree"/root/story.* "$tree/srv/feed" "$tree/srv/maker"
  files >"$work/after"
  if left=$(diff "$work/before" "$work/after" | grep '^>' | grep -vE '/etc/(machine-id|\.updated|ld\.so)|/var/(\.updated|lib/(systemd|dbus|private|machines|portables))|/etc/systemd/system(/[a-z.-]*wants)?$|/dev/' ); then
    fail "the purge left: $left"
  fi
  grep -q '^pfxengine:' "$tree/etc/passwd" && fail "the purge left the user"
  say "nothing: done"
}
