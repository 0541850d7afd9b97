//! The scenarios and their configurations. Both programs get the same text.

/// A pipeline to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// Spans are batched and forwarded.
    Forward,
    /// Spans are forwarded without batching.
    Straight,
    /// Like `Forward`, with the exporter's default compression, gzip.
    Gzip,
    /// Spans become the metrics of a service graph.
    ServiceGraph,
    /// Spans are received and dropped; the exporter logs a line per batch.
    Drop,
}

impl Scenario {
    pub(crate) const ALL: [Scenario; 5] = [
        Scenario::Forward,
        Scenario::Straight,
        Scenario::Gzip,
        Scenario::ServiceGraph,
        Scenario::Drop,
    ];

    /// The name in the table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Scenario::Forward => "`otlp` → `batch` → `otlp`, not compressed",
            Scenario::Straight => "`otlp` → `otlp`, not compressed",
            Scenario::Gzip => "`otlp` → `batch` → `otlp`, gzip",
            Scenario::ServiceGraph => "`otlp` → `servicegraph` → `otlp`",
            Scenario::Drop => "`otlp` → `debug`",
        }
    }

    /// Numbers of requests in flight.
    pub(crate) fn in_flight(self) -> &'static [usize] {
        match self {
            Scenario::Forward | Scenario::Straight => &[1, 4, 32, 256],
            _ => &[32],
        }
    }

    /// How many of `all` turns are sent. With fewer requests in flight the round would take longer, so fewer are
    /// sent, but at least an eighth, which is enough for percentiles.
    pub(crate) fn turns(in_flight: usize, all: u64) -> u64 {
        (all * in_flight.min(32) as u64).div_ceil(32).max(all / 8)
    }

    pub(crate) fn config(self) -> String {
        let rest = match self {
            Scenario::Forward => FORWARD.replace("COMPRESSION", "none"),
            Scenario::Straight => {
                let straight = FORWARD.replace("processors: [batch], ", "");
                straight
                    .replace("COMPRESSION", "none")
                    .replace("processors:\n  batch:\n", "")
            }
            Scenario::Gzip => FORWARD.replace("COMPRESSION", "gzip"),
            Scenario::ServiceGraph => SERVICE_GRAPH.to_owned(),
            Scenario::Drop => DROP.to_owned(),
        };
        format!("{RECEIVER}{rest}")
    }
}

/// A pipeline that is measured while it is idle.
pub(crate) struct IdlePipeline {
    pub(crate) title: &'static str,
    rest: &'static str,
    /// The Collector does not have its components.
    pub(crate) only_airdig: bool,
}

impl IdlePipeline {
    pub(crate) fn config(&self) -> String {
        format!("{RECEIVER}{}", self.rest.replace("COMPRESSION", "none"))
    }
}

pub(crate) const IDLE: [IdlePipeline; 2] = [
    IdlePipeline {
        title: "`otlp` → `batch` → `otlp`",
        rest: FORWARD,
        only_airdig: false,
    },
    IdlePipeline {
        title: "the quick start without its demo",
        rest: GRAPH,
        only_airdig: true,
    },
];

const RECEIVER: &str = r#"
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "${env:LISTEN}"}
"#;

const FORWARD: &str = r#"
processors:
  batch:
exporters:
  otlp: {endpoint: "${env:SINK}", tls: {insecure: true}, compression: COMPRESSION}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}
"#;

/// The default `max_items` is 1,000 unpaired spans, fewer than two requests have.
const SERVICE_GRAPH: &str = r#"
connectors:
  servicegraph:
    store: {ttl: 10s, max_items: 100000}
    metrics_flush_interval: 1s
exporters:
  otlp: {endpoint: "${env:SINK}", tls: {insecure: true}, compression: none}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [servicegraph]}
    metrics: {receivers: [servicegraph], exporters: [otlp]}
"#;

const GRAPH: &str = r#"
processors:
  identity: {}
  graph: {}
  service_graph:
    store: {ttl: 10s, max_items: 100000}
  impact: {store: sqlite}
exporters:
  sqlite: {path: "${env:STORE}"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  telemetry:
    metrics: {address: "127.0.0.1:0"}
  pipelines:
    unified:
      receivers: [otlp]
      processors: [identity, graph, service_graph, impact]
      exporters: [sqlite, graphql]
"#;

const DROP: &str = r#"
exporters:
  debug:
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"#;
