#!/usr/bin/env bash
# Sends load to airdig for ten minutes; it exports to two destinations, and one of them is down for four minutes.
# Prints the spans that each destination received, and the memory of airdig:
#
#   benches/compare/outage.sh AIRDIG TELEMETRYGEN [SECONDS] [TRACES_PER_SECOND]
#
# AIRDIG is a release build; tests/peers/install.sh installs TELEMETRYGEN. A trace has two spans.
set -euo pipefail
airdig=${1:?the binary} telemetrygen=${2:?telemetrygen}
seconds=${3:-600} rate=${4:-200}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT

cat >"$work/branches.yaml" <<'YAML'
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:14317"}}}}
exporters:
  otlp/up: {endpoint: "127.0.0.1:14327", tls: {insecure: true}}
  otlp/down: {endpoint: "127.0.0.1:14337", tls: {insecure: true}, sending_queue: {wait_for_result: false, queue_size: 1000000}}
service:
  telemetry: {metrics: {address: "127.0.0.1:18888"}}
  pipelines: {traces: {receivers: [otlp], exporters: [otlp/up, otlp/down]}}
YAML
cat >"$work/sink.yaml" <<'YAML'
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${env:PORT}"}}}}
exporters: {debug: {}}
service:
  telemetry: {metrics: {address: "127.0.0.1:${env:METRICS}"}}
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
YAML

sink() { PORT=$1 METRICS=$2 "$airdig" run --config "$work/sink.yaml" 2>/dev/null & }
got() { curl -sf "http://127.0.0.1:$1/metrics" | awk '/^otelcol_receiver_accepted_spans/ {print $NF}'; }
resident() { awk '/^VmRSS/ {print int($2/1024)}' "/proc/$1/status"; }

sink 14327 18889
sink 14337 18890
down=$!
"$airdig" run --config "$work/branches.yaml" 2>"$work/log" &
main=$!
sleep 2
"$telemetrygen" traces --otlp-endpoint 127.0.0.1:14317 --otlp-insecure --workers 1 --rate "$rate" \
  --duration "${seconds}s" >/dev/null 2>&1 &
load=$!

at() { echo "$(printf %4d "$1") s: $2, $(resident $main) MiB"; }
sleep $((seconds / 5)); before=$(got 18890); kill $down
at $((seconds / 5)) "one destination goes down after $before spans"
sleep $((seconds * 2 / 5)); at $((seconds * 3 / 5)) "it comes back"
sink 14337 18890
wait $load || true
at "$seconds" "the load ends"
for _ in $(seq 60); do
  sleep 1
  sent=$(got 18888) up=$(got 18889) back=$(($(got 18890) + before))
  [ "$up" = "$sent" ] && [ "$back" -ge "$sent" ] && break
done
at $((seconds + 1)) "accepted $sent spans, one destination received $up, the other $back"
