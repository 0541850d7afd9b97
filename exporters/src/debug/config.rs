//! The YAML of `debug`.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub verbosity: Verbosity,
}

/// How much is told of a batch.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Verbosity {
    /// Its signal and how many rows it has.
    #[default]
    Basic,
    /// A line a row.
    Normal,
    /// All of every row.
    Detailed,
}
