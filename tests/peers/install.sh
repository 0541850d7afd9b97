#!/usr/bin/env bash
# Installs the real senders that the tests speak to, once, into the folder that is named:
# the OpenTelemetry SDK for Python (PyPI) and telemetrygen (Go). A peer that cannot be
# installed fails here; no test skips it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
peers=${1:?usage: tests/peers/install.sh FOLDER}
telemetrygen=v0.157.0
mkdir -p "$peers/bin"
peers=$(cd "$peers" && pwd)

need() {
  command -v "$1" >/dev/null || { echo "tests/peers: $1 is missing: $2" >&2; exit 1; }
}

if ! cmp -s "$here/requirements.txt" "$peers/requirements.txt"; then
  need python3 "install Python 3.9 or newer with its venv module"
  python3 -m venv "$peers/python"
  "$peers/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$peers/requirements.txt"
fi

if [ ! -x "$peers/bin/telemetrygen-$telemetrygen" ]; then
  need go "install Go 1.24 or newer"
  GOBIN="$peers/bin" go install \
    "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@$telemetrygen"
  mv "$peers/bin/telemetrygen" "$peers/bin/telemetrygen-$telemetrygen"
fi
ln -sf "telemetrygen-$telemetrygen" "$peers/bin/telemetrygen"
