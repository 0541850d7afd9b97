//! The YAML of `sqlite`.

use std::path::PathBuf;
use std::time::Duration;

use pipeline::config::duration;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The database; it is made where it is missing, its folder is not.
    pub path: PathBuf,
    /// How long an edge that was seen by itself (a call, a service on its pod) holds after it was
    /// last seen; 0 is for ever.
    #[serde(default = "a_day", deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub seen_for: Duration,
}

fn a_day() -> Duration {
    Duration::from_secs(24 * 60 * 60)
}
