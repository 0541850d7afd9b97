//! What both programs are made to do: the same configuration, word for word.

/// A pipeline to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// Spans are put together and sent on.
    Forward,
    /// Spans are sent on as they come.
    Straight,
    /// The first with the exporter's default, gzip.
    Gzip,
    /// Spans become the metrics of a service graph.
    ServiceGraph,
    /// Spans are received and dropped; a log line tells of batches.
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

    /// As the table calls it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Scenario::Forward => "`otlp` → `batch` → `otlp`, not compressed",
            Scenario::Straight => "`otlp` → `otlp`, not compressed",
            Scenario::Gzip => "`otlp` → `batch` → `otlp`, gzip",
            Scenario::ServiceGraph => "`otlp` → `servicegraph` → `otlp`",
            Scenario::Drop => "`otlp` → `debug`",
        }
    }

    /// How many requests wait for their answer at the same time.
    pub(crate) fn in_flight(self) -> &'static [usize] {
        match self {
            Scenario::Forward | Scenario::Straight => &[1, 4, 32, 256],
            _ => &[32],
        }
    }

    /// Of so many turns of requests, those that are sent: enough for percentiles where a sender waits
    /// for each answer before it goes on.
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

/// What waits for spans and has nothing to do.
pub(crate) struct IdlePipeline {
    pub(crate) title: &'static str,
    rest: &'static str,
    /// The Collector has no such components.
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

/// By default only 1,000 spans may wait for their partners, fewer than there are in two requests.
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
