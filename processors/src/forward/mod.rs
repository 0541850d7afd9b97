//! Passes batches to other pipelines: joins several pipelines into one, or splits one into several.
//!
//! ```yaml
//! connectors:
//!   forward:
//! service:
//!   pipelines:
//!     traces/in:  {receivers: [otlp], exporters: [forward]}
//!     traces/out: {receivers: [forward], processors: [batch], exporters: [otlp/tempo]}
//! ```

use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildConnector, BuildProcessor, ComponentMeta, Stability};
use pipeline::{Batch, SignalSet};
use schemars::JsonSchema;
use serde::Deserialize;

/// The connector `forward`.
#[derive(Debug)]
pub struct Forward;

/// The connector has no settings.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {}

impl ComponentMeta for Forward {
    const TYPE: &'static str = "forward";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "passes batches to other pipelines";
    type Config = Config;
}

impl BuildProcessor for Forward {
    const ACCEPTS: SignalSet = SignalSet::NONE;
    const PRODUCES: SignalSet = SignalSet::NONE;

    fn build(_: Config, _: &Host) -> Result<Forward, BuildError> {
        Ok(Forward)
    }
}

impl BuildConnector for Forward {
    const PASSES_INPUT: bool = true;
}

impl Processor for Forward {
    fn process(&mut self, batch: Batch, _: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }
}
