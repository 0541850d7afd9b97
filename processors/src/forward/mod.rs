//! Hands over what it is given: joins pipelines, or splits one.
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
use pipeline::registry::{BuildConnector, BuildProcessor, Described, Stability};
use pipeline::{Batch, SignalSet};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug)]
pub struct Forward;

/// There is nothing to set.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {}

impl Described for Forward {
    const TYPE: &'static str = "forward";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "what leaves a pipeline enters others";
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
    const PASSES: bool = true;
}

impl Processor for Forward {
    fn process(&mut self, batch: Batch, _: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }
}
