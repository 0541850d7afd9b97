#!/usr/bin/env bash
# Installs the peers that the tests need into FOLDER, unless they are there: the OpenTelemetry SDK for
# Python and the AWS emulator moto (PyPI), telemetrygen and the OpenTelemetry Collector (Go). The script
# fails if it cannot install a peer; no test is skipped.
#
#   tests/peers/install.sh FOLDER            all peers
#   tests/peers/install.sh FOLDER collector  only the Collector
#   tests/peers/install.sh FOLDER python     only the packages of PyPI
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
peers=${1:?usage: tests/peers/install.sh FOLDER [PEER]}
only=${2:-all}
telemetrygen=v0.157.0
collector=v0.158.0
mkdir -p "$peers/bin"
peers=$(cd "$peers" && pwd)

need() {
  command -v "$1" >/dev/null || { echo "tests/peers: $1 is missing: $2" >&2; exit 1; }
}

python() {
  cmp -s "$here/requirements.txt" "$peers/requirements.txt" && return
  need python3 "install Python 3.10 or newer with its venv module"
  python3 -m venv "$peers/python"
  "$peers/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$peers/requirements.txt"
}

telemetrygen() {
  if [ ! -x "$peers/bin/telemetrygen-$telemetrygen" ]; then
    need go "install Go 1.25 or newer"
    GOBIN="$peers/bin" go install \
      "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@$telemetrygen"
    mv "$peers/bin/telemetrygen" "$peers/bin/telemetrygen-$telemetrygen"
  fi
  ln -sf "telemetrygen-$telemetrygen" "$peers/bin/telemetrygen"
}

# Builds the Collector from the components in collector.yaml, which takes two minutes the first time.
collector() {
  if [ ! -x "$peers/bin/otelcol-$collector" ] || ! cmp -s "$here/collector.yaml" "$peers/collector.yaml"; then
    need go "install Go 1.25 or newer"
    local work log
    work=$(mktemp -d)
    log=$work/log
    if ! (
      cd "$work"
      GOBIN="$work" go install "go.opentelemetry.io/collector/cmd/builder@$collector"
      ./builder --config "$here/collector.yaml"
    ) >"$log" 2>&1; then
      cat "$log" >&2
      exit 1
    fi
    mv "$work/otelcol/otelcol" "$peers/bin/otelcol-$collector"
    cp "$here/collector.yaml" "$peers/collector.yaml"
    rm -rf "$work"
  fi
  ln -sf "otelcol-$collector" "$peers/bin/otelcol"
}

case $only in
  all) python; telemetrygen; collector ;;
  collector) collector ;;
  python) python ;;
  *) echo "tests/peers: unknown peer $only; expected all, collector or python" >&2; exit 1 ;;
esac
