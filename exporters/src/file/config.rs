//! The configuration of `file`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of the exporter `file`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The file to append to. It is created if it does not exist; its directory must exist.
    pub path: PathBuf,
}
