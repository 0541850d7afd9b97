//! Tells what arrives, to look at.
//!
//! ```yaml
//! exporters:
//!   debug: {verbosity: detailed}
//! ```
//!
//! `basic` goes to the log; rows go to standard error, as JSON: `normal` one line each, `detailed`
//! indented.

use std::io::Write;

use async_trait::async_trait;
use pipeline::component::{BuildError, ExportError, Exporter, Host};
use pipeline::registry::{BuildExporter, Described, Stability};
use pipeline::{Batch, SignalSet, json_rows};
use serde_json::Value as Json;

mod config;

pub use config::{Config, Verbosity};

#[derive(Debug)]
pub struct Debug {
    id: String,
    verbosity: Verbosity,
}

impl Described for Debug {
    const TYPE: &'static str = "debug";
    const ALIASES: &'static [&'static str] = &["logging"];
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "tells what arrives, to look at";
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
        let told = tell(batch, self.verbosity);
        // Nobody may read standard error: then there is nobody to tell.
        let _ = std::io::stderr().lock().write_all(told.as_bytes());
        Ok(())
    }
}

/// The rows as text; nothing at `basic`.
fn tell(batch: &Batch, verbosity: Verbosity) -> String {
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

    use super::{Verbosity, tell};

    #[test]
    fn more_is_told_the_higher_the_verbosity() {
        let mut rows = Rows::new(Signal::Edges);
        rows.push(Some(UnixNanos(1)), Some("svc:////a"), "test", &[]);
        let batch = rows.finish(Delivery::nobody());
        assert_eq!(tell(&batch, Verbosity::Basic), "");
        let normal = tell(&batch, Verbosity::Normal);
        assert!(
            normal.starts_with("edges {\"time\":") && normal.lines().count() == 1,
            "{normal}"
        );
        assert!(tell(&batch, Verbosity::Detailed).lines().count() > 3);
    }
}
