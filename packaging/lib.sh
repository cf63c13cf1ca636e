# shellcheck shell=bash disable=SC2154
# Shell functions that ./check, ./quickstart and the stages share. Sourced, never run.
# Expects `root` to be the top of the source tree. Needs bash.

jobs_count() { # how many compilers run at once
  echo "${PFX_JOBS:-$(nproc 2>/dev/null || echo 2)}"
}

say() { printf '== %s\n' "$*"; }
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# Prints the packages of packaging/debian-packages.txt that are not installed.
missing_packages() {
  local package
  grep -vE '^[[:space:]]*(#|$)' "$root/packaging/debian-packages.txt" | while read -r package; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      echo "$package"
    fi
  done
}

# Installs what is missing; silent and without network if nothing is.
need_packages() {
  local missing as_root=()
  if ! command -v dpkg-query >/dev/null; then
    complain "this is no Debian system: install the counterparts of packaging/debian-packages.txt"
    complain "yourself; going on as if they were there"
    return 0
  fi
  missing=$(missing_packages | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  say "installing: $missing"
  if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    [ -t 2 ] && [ -z "${CI:-}" ] || as_root=(sudo -n)
    if ! command -v sudo >/dev/null || ! "${as_root[@]}" true; then
      complain "these packages are missing and need an administrator; run this, then come back:"
      complain "  sudo apt-get install --no-install-recommends $missing"
      return 2
    fi
  fi
  # A stale package list is a common state; an update that fails may still leave a usable one.
  "${as_root[@]}" apt-get update -q </dev/null || complain "apt-get update failed; trying anyway"
  # shellcheck disable=SC2086 # one word per package
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends $missing </dev/null
}

# The compiler's cache: the user's own, or one in the tree where there is no usable home.
# Another clone of the same sources finds what this one compiled.
choose_cache() {
  export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$root}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"
  if [ -z "${CCACHE_DIR:-}" ] && { [ -z "${HOME:-}" ] || [ ! -w "${HOME:-/nonexistent}" ]; }; then
    export CCACHE_DIR="$root/.cache/ccache"
  fi
}

# configure DIR [cmake options]: also from a state in which DIR was left half-configured, was made
# by another generator, or belonged to a tree that has moved.
configure() {
  local dir=$1 log
  shift
  mkdir -p "$dir" || return 1
  log="$dir/configure.log"
  if cmake -S "$root" -B "$dir" -G Ninja "$@" >"$log" 2>&1; then
    return 0
  fi
  say "configuring $dir anew"
  rm -rf "$dir/CMakeCache.txt" "$dir/CMakeFiles" "$dir/build.ninja" "$dir/.ninja_deps" \
    "$dir/.ninja_log" "$dir/Makefile"
  if cmake -S "$root" -B "$dir" -G Ninja "$@" >"$log" 2>&1; then
    return 0
  fi
  tail -n 40 "$log" >&2
  return 1
}

# build DIR [targets]: quiet if all is well, the compiler's words if not.
build() {
  local dir=$1 log
  shift
  log="$dir/build.log"
  if ninja -C "$dir" -j "$(jobs_count)" "$@" >"$log" 2>&1; then
    return 0
  fi
  grep -E '(error|FAILED|undefined reference|ninja:)' "$log" | head -n 60 >&2
  complain "the whole log is in $log"
  return 1
}
