#!/usr/bin/env bash
# Brings Debian's Chromium for the browser tests, or says what to type.
# Exit 0: it is there, or its tests will be skipped visibly. Exit 1: it is missing and CI=true.
set -eu
browser="${COORDWATCH_CHROMIUM:-/usr/bin/chromium}"
[ -x "$browser" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing chromium from Debian's packages (once) ..."
  log=$(mktemp)
  if apt-get update -qq >"$log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >>"$log" 2>&1; then
    rm -f "$log"
    [ -x "$browser" ] && exit 0
  else
    tail -n 5 "$log" >&2
    rm -f "$log"
  fi
fi
cat >&2 <<TEXT
The browser tests need Chromium, and $browser is not there. Type:
    sudo apt-get update && sudo apt-get install chromium
or name one that you have:
    COORDWATCH_CHROMIUM=/path/to/chromium make test
TEXT
if [ "${CI:-}" = true ]; then exit 1; fi
echo "Going on without: the browser tests will be skipped." >&2
