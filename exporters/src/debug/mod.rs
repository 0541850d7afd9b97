//! Writes batches to the log and to standard error, for debugging.
//!
//! ```yaml
//! exporters:
//!   debug: {verbosity: detailed}
//! ```
//!
//! For each batch, the exporter writes one log line with the signal and the number of rows. `normal` and `detailed`
//! also write the rows to standard error as JSON: `normal` on one line each, `detailed` indented.

use std::io::Write;

use async_trait::async_trait;
use pipeline::component::{BuildError, ExportError, Exporter, Host};
use pipeline::registry::{BuildExporter, ComponentMeta, Stability};
use pipeline::{Batch, SignalSet, json_rows};
use serde_json::Value as Json;

mod config;

pub use config::{Config, Verbosity};

/// Writes batches to the log and to standard error.
#[derive(Debug)]
pub struct Debug {
    id: String,
    verbosity: Verbosity,
}

impl ComponentMeta for Debug {
    const TYPE: &'static str = "debug";
    const ALIASES: &'static [&'static str] = &["logging"];
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "writes batches to the log and stderr";
    type Config = Config;
}

impl BuildExporter for Debug {
    const ACCEPTS: SignalSet = SignalSet::ALL;
    const IDEMPOTENT: bool = false;

    fn build(config: Config, host: &Host) -> Result<Debug, BuildError> {
        Ok(Debug {
            id: host.id().to_string(),
            verbosity: config.verbosity,
        })
    }
}

#[async_trait]
impl Exporter for Debug {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        tracing::info!(exporter = self.id, signal = %batch.signal(), rows = batch.num_rows(), "batch");
        let text = format_rows(batch, self.verbosity);
        // Standard error may be closed; the exporter has no other output for the rows.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
        Ok(())
    }
}

/// The rows as text; empty for `basic`.
fn format_rows(batch: &Batch, verbosity: Verbosity) -> String {
    let rows = json_rows::to_json(batch).map(Json::Object);
    match verbosity {
        Verbosity::Basic => String::new(),
        Verbosity::Normal => rows
            .map(|row| format!("{} {row}\n", batch.signal()))
            .collect(),
        Verbosity::Detailed => rows
            .map(|row| format!("{} {row:#}\n", batch.signal()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::component::UnixNanos;
    use pipeline::rows::Rows;
    use pipeline::{Delivery, Signal};

    use super::{Verbosity, format_rows};

    #[test]
    fn a_higher_verbosity_writes_more_of_a_row() {
        let mut rows = Rows::new(Signal::Edges);
        rows.push(Some(UnixNanos(1)), Some("svc:////a"), "test", &[]);
        let batch = rows.finish(Delivery::untracked());
        assert_eq!(format_rows(&batch, Verbosity::Basic), "");
        let normal = format_rows(&batch, Verbosity::Normal);
        assert!(
            normal.starts_with("edges {\"time\":") && normal.lines().count() == 1,
            "{normal}"
        );
        assert!(format_rows(&batch, Verbosity::Detailed).lines().count() > 3);
    }
}
