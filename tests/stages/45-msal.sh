#!/usr/bin/env bash
# Microsoft's own sign-in library (MSAL for Python, a Debian package) against the sandbox's tenant: by
# secret, by certificate, and what its tokens open. Prints one line at the end.
set -u
# shellcheck source=tests/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
need_programs "$pfx"
work_in msal
shown=(out sandbox.err)

"$pfx" sandbox --dir "$dir/box" --requests 1 --orders 1 --assertions-again --stay --format plain \
  >"$dir/lines" 2>"$dir/sandbox.err" &
sandbox=$!
until_true 30 grep -q '^ready' "$dir/lines" || fail "the sandbox is not ready"
# Debian's own Python: another one that stands before it in PATH has no MSAL.
timeout 60 /usr/bin/python3 -B "$root/tests/tools/msal_client.py" "$dir/lines" >"$dir/out" 2>&1 ||
  fail "MSAL cannot work with the sandbox"
cat "$dir/out"
