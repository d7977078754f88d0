#!/usr/bin/env bash
# Brings Debian's Prometheus (with promtool) and Alertmanager for the tests of metrics, rules and channels, or says what to type.
# Exit 0: it is there, or its tests will be skipped visibly. Exit 1: it is missing and CI=true.
set -eu
there() {
  command -v "${COORDWATCH_PROMETHEUS:-prometheus}" >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1 &&
    { command -v prometheus-alertmanager >/dev/null 2>&1 || command -v alertmanager >/dev/null 2>&1; }
}
there && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing prometheus and its alertmanager from Debian's packages (once) ..."
  log=$(mktemp)
  # The package would start a service of its own. 101 says: not on this machine. What an operator wrote there stays.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  if apt-get update -qq >"$log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus prometheus-alertmanager >>"$log" 2>&1; then
    rm -f "$log"
    hash -r
    there && exit 0
  else
    tail -n 5 "$log" >&2
    rm -f "$log"
  fi
fi
cat >&2 <<TEXT
The tests of metrics, rules and channels need prometheus, promtool and alertmanager, and they are not all on the PATH. Type:
    sudo apt-get update && sudo apt-get install --no-install-recommends prometheus prometheus-alertmanager
or put a release of Prometheus on the PATH, or name its server:
    COORDWATCH_PROMETHEUS=/path/to/prometheus make test
TEXT
if [ "${CI:-}" = true ]; then exit 1; fi
echo "Going on without: the tests that need Prometheus will be skipped." >&2
