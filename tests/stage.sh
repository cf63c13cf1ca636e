# shellcheck shell=bash disable=SC2034
# What the stages that run the program from outside share. Sourced, never run; needs bash, -u.
# Afterwards: $root (the source tree), $bin and $pfx (what was built), and after work_in also $dir,
# the stage's own folder, in which it stands.

root=${PFX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
build=${PFX_BUILD:-$root/build/check}
bin=${PFX_BIN:-$build/bin}
pfx=${PFX_PROGRAM:-$bin/pfxengine}
checks=0
shown=(out err) # files that tell why, when something failed
patience=60     # seconds of a program that try or ends starts
# Process ids of what a stage keeps in these is killed at its end; empty them after a wait.
sandbox='' engine='' silent='' server='' proxy=''

need_programs() { # PATH...
  local program
  for program in "$@"; do
    [ -x "$program" ] || { echo "$program is not built"; exit 1; }
  done
}

work_in() { # NAME: makes $dir, removed at the end
  dir=$(mktemp -d "${TMPDIR:-/tmp}/pfx-$1.XXXXXX") && cd "$dir" || exit 1
  trap end_stage EXIT
}

end_stage() {
  local pid
  for pid in $engine $sandbox $silent $server $proxy; do kill -9 "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; done
  rm -rf "$dir"
}

fail() { # SENTENCE
  local file
  for file in "${shown[@]}"; do
    [ -s "$dir/$file" ] && { echo "--- $file"; tail -n 20 "$dir/$file"; }
  done
  echo "$1"
  exit 1
}

try() { # CODE SENTENCE ARGUMENTS...: the program ends with CODE
  local want=$1 what=$2
  shift 2
  ends "$want" "$what" "$pfx" "$@"
}

ends() { # CODE SENTENCE COMMAND...: any program ends with CODE
  local want=$1 what=$2 got
  shift 2
  timeout "$patience" "$@" >"$dir/out" 2>"$dir/err" </dev/null
  got=$?
  [ "$got" -eq "$want" ] || fail "$what: exit code $got, not $want ($*)"
  checks=$((checks + 1))
}

good() { # SENTENCE COMMAND...: ends with 0; COMMAND may be a function
  local what=$1
  shift
  "$@" >"$dir/out" 2>"$dir/err" || fail "$what"
  checks=$((checks + 1))
}

is() { # SENTENCE GOT WANTED
  [ "$2" = "$3" ] || fail "$1: $2, not $3"
  checks=$((checks + 1))
}

says() { # FILE PATTERN
  grep -qE -- "$2" "$dir/$1" || fail "$1 does not say: $2"
  checks=$((checks + 1))
}

until_true() { # SECONDS COMMAND...
  local left=$(($1 * 10))
  shift
  until "$@"; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    sleep 0.1
  done
}
