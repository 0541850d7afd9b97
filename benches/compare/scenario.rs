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
            Scenario::Forward | Scenario::Straight => &[4, 32, 256],
            _ => &[32],
        }
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

const DROP: &str = r#"
exporters:
  debug:
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"#;
