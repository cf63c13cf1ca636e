#!/usr/bin/env bash
# The switch from one version to the next, with the real pfxengine-switch and a service manager that
# is played by a script: a version that holds, one that does not start, one that is never ready, one
# that ends after a while, and kills and a full disk at every step. Prints one line at the end.
set -u
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx" "$bin/pfxengine-switch"
work_in switch
shown=(out err manager.log)
switch=$bin/pfxengine-switch

# -- the service manager: what a version does stands in its own package ------
cat >manager <<'MANAGER'
#!/bin/sh
# restart UNIT | reset-failed UNIT | show … UNIT
cd "$(dirname "$0")" || exit 1
manner=$(cat programs/current/manner 2>/dev/null)
case $1 in
  restart)
    echo "restart $(readlink programs/current)" >>manager.log
    date +%s%N >begun
    [ ! -e blind.soon ] || mv blind.soon blind
    echo $(($(cat pid 2>/dev/null || echo 100) + 1)) >pid
    case $manner in
      fails) exit 1 ;;
      hangs) exec sleep 60 ;;
    esac ;;
  show)
    if [ -s blind ]; then # so many times it does not answer
      left=$(($(cat blind) - 1)); echo $left >blind; [ $left -gt 0 ] || rm blind
      exit 1
    fi
    case $* in *ExecStart*) # as the unit's drop-in says
      echo "LoadState=${load_state:-loaded}"
      echo "ExecStart={ path=${program:-$PWD/programs/current/bin/pfxengine} ; argv[]=x run ; pid=0 }"
      [ -z "${second:-}" ] || echo "ExecStart={ path=$second ; argv[]=x run ; pid=0 }"
      exit 0 ;;
    esac
    state=active
    [ ! -d later ] || { mv updates earlier; mv later updates; } # the engine asks for another one
    if [ "$manner" = ends ] && [ $(($(date +%s%N) - $(cat begun))) -gt 300000000 ]; then
      echo $(($(cat pid) + 1)) >pid # started again behind our back
    fi
    word="running, 0 open"
    [ "$manner" != idles ] || word="starting, 0 open"
    printf 'StatusText=%s\nActiveState=%s\nMainPID=%s\n' "$word" "$state" "$(cat pid 2>/dev/null)" ;;
esac
exit 0
MANAGER
chmod 755 manager

# -- a maker, and an engine that stages ------
maker() { timeout 60 "$pfx" release "$@" >out 2>err || fail "release $*"; }
maker key --out a.key
maker root --out 1.root --root-key a.key --release-key a.key
maker sign 1.root --key a.key
platform=test-machine
stage() { # VERSION MANNER: staged and asked for
  rm -rf tree; mkdir -p tree/bin; echo "$1" >tree/bin/pfxengine; chmod 755 tree/bin/pfxengine
  echo "$2" >tree/manner
  tar --format=ustar --sort=name --owner=0 --group=0 -C tree -cf package.tar .
  rm -f manifest
  maker manifest --out manifest --version "$1" --package package.tar --platform $platform
  maker sign manifest --key a.key
  rm -rf updates; mkdir -p updates/staging/roots
  cp 1.root updates/staging/roots/
  cp package.tar "updates/staging/pfxengine_$1_$platform.tar"
  cp manifest updates/staging/staged.manifest
  echo "$1" >updates/wanted
}
machine() { # anew: 0.1.0 runs
  rm -rf programs state manager.log pid begun
  mkdir -p programs/versions/0.1.0/bin
  echo good >programs/versions/0.1.0/manner
  ln -s versions/0.1.0 programs/current
}
places="--state $dir/state --updates $dir/updates --programs $dir/programs --first-root $dir/1.root
  --store-marker $dir/store-marker --platform $platform --manager $dir/manager
  --ready-seconds 1 --watch-seconds 0.6 --look-every-seconds 0.05"
switch() { # CODE SENTENCE COMMAND...
  local want=$1 what=$2 got
  shift 2
  # shellcheck disable=SC2086 # many words
  timeout 60 "$switch" $places --shipped "${shipped:-0.1.0}" "$@" >out 2>err </dev/null
  got=$?
  is "$what" "$got" "$want"
}
current() { basename "$(readlink programs/current)"; }
restarts() { grep -c restart manager.log 2>/dev/null || true; }

# -- help and usage ------
switch 0 "help" --help
says out 'Exit codes'
switch 1 "no command"
switch 1 "a hold without a version" unhold

# -- a version that holds ------
machine; stage 0.2.0 good
export program=/usr/bin/pfxengine
switch 2 "a unit that does not run what the link leads to" run
unset program
second=/usr/bin/pfxengine switch 2 "a unit that runs another program as well" run
load_state=bad-setting switch 2 "a unit that is not loaded" run
says err 'does not run .*/programs/current/bin/pfxengine'
says err 'does not run .*/programs/current/bin/pfxengine'
is "restarts of such a unit" "$(restarts)" ""
is "the link of such a unit" "$(current)" 0.1.0
switch 0 "a good version" run
is "the link" "$(current)" 0.2.0
is "restarts" "$(restarts)" 1
switch 0 "the same again" run
is "restarts" "$(restarts)" 1
switch 0 "the status" status
says out '^current 0.2.0 1$'
says out '^previous 0.1.0 1$'
program=/usr/bin/pfxengine switch 2 "a way back of a unit that does not run what the link leads to" rollback
is "the link of such a unit" "$(current)" 0.2.0
switch 0 "a way back by hand" rollback
is "the link" "$(current)" 0.1.0
switch 2 "what was left by hand is held" run
says err 'held'
switch 0 "a hold is lifted" unhold 0.2.0
switch 0 "then it is tried again" run
is "the link" "$(current)" 0.2.0

# -- asked for while another is being watched: the same run does it, and judges it anew ------
for manner in good fails; do
  machine; stage 0.3.0 $manner; mv updates later; stage 0.2.0 good
  wanted=0 runs=0.3.0
  [ $manner = good ] || { wanted=3; runs=0.2.0; }
  switch $wanted "another version that is $manner, asked for meanwhile" run
  [ ! -d later ] || fail "nothing was asked for meanwhile"
  is "the link after two versions, the second $manner" "$(current)" $runs
  says out '^0.2.0 runs$'
  rm -rf earlier
done

# -- versions that do not hold: back once, then held ------
for manner in fails hangs ends idles; do
  machine; stage 0.2.0 $manner
  switch 3 "a version that $manner" run
  is "the link after one that $manner" "$(current)" 0.1.0
  is "restarts after one that $manner" "$(restarts)" 2
  switch 2 "a version that $manner, again" run
  is "restarts after one that $manner, again" "$(restarts)" 2
  stage 0.3.0 good
  switch 0 "the version after one that $manner" run
  is "the link" "$(current)" 0.3.0
done
machine; echo idles >programs/versions/0.1.0/manner; stage 0.2.0 idles
switch 0 "a version that does not check in while the service is away" run
is "the link" "$(current)" 0.2.0
machine; stage 0.2.0 good; echo 4 >blind.soon
switch 0 "a manager that is busy for a moment" run
is "the link" "$(current)" 0.2.0
machine; stage 0.2.0 good; echo 1000 >blind.soon
switch 3 "a manager that does not answer any more" run
says out 'nobody could see whether it holds'
is "the link" "$(current)" 0.1.0
rm -f blind

# -- the package's own program, which apt brings beside what was switched to ------
printf 'one\n' >installed; chmod 755 installed
machine; rm -r programs
switch 0 "the first version is the package's" adopt "$dir/installed"
says out '^0.1.0 is the version that the link leads to now$'
is "the link" "$(current) $(cat programs/current/bin/pfxengine)" "0.1.0 one"
stage 0.2.0 fails
shipped=0.1.5
switch 3 "a return although apt brought a newer switch" run
is "the link" "$(current)" 0.1.0
switch 0 "taken over by hand" adopt "$dir/installed"
is "the link" "$(current)" 0.1.5
stage 0.3.0 good
switch 0 "and switched from" run
switch 0 "an older package takes nothing back" adopt "$dir/installed"
is "the link" "$(current)" 0.3.0
ln -sfn versions/0.1.5 programs/current
switch 2 "a link that somebody moved" run
says err 'current does not lead to .*/versions/0.3.0'
switch 0 "a link that is mended" adopt "$dir/installed"
is "the link" "$(current)" 0.3.0
unset shipped

# -- a wish is carried out when it is written, and not behind anybody's back ------
machine; stage 0.2.0 good
program=/usr/bin/pfxengine switch 2 "a wish that is refused" run --once
switch 0 "the same at the next boot" run --once
says out '^nothing to do; 0.1.0 runs$'
echo 0.2.0 >wanted.new; mv wanted.new updates/wanted
switch 0 "the same written anew" run --once
is "the link" "$(current)" 0.2.0

machine; echo fails >programs/versions/0.1.0/manner; stage 0.2.0 fails
switch 4 "none of the two starts" run
is "restarts when none starts" "$(restarts)" 2
switch 2 "and no circle" run
is "restarts when none starts" "$(restarts)" 2

# -- killed at every step: the next run ends what this one began ------
labels="trust.written trust.renamed switch.copied unpack.entry switch.unpacked switch.named
  switch.state.written switch.state.renamed switch.link switch.linked switch.restarted"
killed() { # LABEL PASS: true if it was killed there
  # shellcheck disable=SC2086 # many words
  { PFXENGINE_KILL_AT="$1:$2" timeout 60 "$switch" $places run >out 2>err </dev/null; } 2>/dev/null
  [ $? -eq 137 ]
}
kills=0
for label in $labels; do
  for pass in 1 2; do
    machine; stage 0.2.0 good
    killed "$label" $pass || continue
    kills=$((kills + 1))
    [ -x "programs/current/bin" ] || fail "the link leads nowhere after a kill at $label:$pass"
    switch 0 "a run after a kill at $label:$pass" run
    is "the link after a kill at $label:$pass" "$(current)" 0.2.0
    machine; stage 0.2.0 fails
    killed "$label" $pass || continue
    kills=$((kills + 1))
    switch 3 "a return after a kill at $label:$pass" run
    is "the link after a return and a kill at $label:$pass" "$(current)" 0.1.0
  done
done
[ $kills -ge 24 ] || fail "only $kills kills"
for pass in 2 3; do # killed on the way back
  machine; stage 0.2.0 fails
  killed switch.state.renamed $pass || fail "no kill on the way back"
  [ "$pass" = 2 ] && { switch 3 "a return that was killed" run; }
  is "the link after a return that was killed" "$(current)" 0.1.0
  before=$(restarts)
  switch 2 "and held" run
  is "restarts after that" "$(restarts)" "$before"
done
machine; stage 0.2.0 good
killed switch.linked 1 || fail "no kill"
program=/usr/bin/pfxengine switch 2 "going on where the unit does not run what the link leads to" run
switch 0 "going on when it does" run
is "the link" "$(current)" 0.2.0
machine; stage 0.2.0 good
for try in 1 2 3; do killed switch.linked 1 || fail "no kill in try $try"; done
switch 3 "a switch that was interrupted too often" run
is "the link" "$(current)" 0.1.0

# -- a store that only the new version can read ------
machine; stage 0.2.0 ends; printf 'pfxengine store\nformat 2\nid x\n' >store-marker
switch 2 "a version that cannot read the store" run
is "the link" "$(current)" 0.1.0
rm -f manifest
maker manifest --out manifest --version 0.2.0 --package package.tar --platform $platform --store-format 2
maker sign manifest --key a.key
cp manifest updates/staging/staged.manifest
printf 'pfxengine store\nformat 1\nid x\n' >store-marker
switch 3 "back while the store is old" run
rm -rf state; printf 'pfxengine store\nformat 2\nid x\n' >store-marker
switch 4 "no way back to a version that cannot read the store" run
is "the link" "$(current)" 0.2.0
says err 'no way back'
switch 2 "nor by hand" rollback
rm -f store-marker

# -- a full disk: nothing changes, and it goes on when there is room ------
if command -v unshare >/dev/null && unshare -rm true 2>/dev/null; then
  machine; stage 0.2.0 good
  head -c 3000000 /dev/urandom >tree/large; tar --format=ustar -C tree -cf package.tar .
  rm -f manifest; maker manifest --out manifest --version 0.2.0 --package package.tar --platform $platform
  maker sign manifest --key a.key
  cp manifest updates/staging/staged.manifest; cp package.tar "updates/staging/pfxengine_0.2.0_$platform.tar"
  for place in state programs; do
    # shellcheck disable=SC2016,SC2086 # for the inner shell
    unshare -rm sh -c 'mkdir -p "$1" full && cp -a "$1/." full/ && mount -t tmpfs -o size=34m none "$1" \
      && cp -a full/. "$1/" && shift && "$@"' sh "$dir/$place" "$switch" $places run >out 2>err
    is "a full disk below $place" $? 2
    says err disk_full
    rm -rf full
    is "the link" "$(current)" 0.1.0
  done
  switch 0 "room again" run
  is "the link" "$(current)" 0.2.0
else
  echo "no user namespaces here: the full disk is left to the unit tests" >&2
fi
echo "switch: $checks checks, $kills kills"
