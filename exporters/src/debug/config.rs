//! The configuration of `debug`.

use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of the output.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How much of each batch is written.
    pub verbosity: Verbosity,
}

/// How much of each batch is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Verbosity {
    /// A log line with the signal and the number of rows.
    #[default]
    Basic,
    /// Also each row as one line of JSON on standard error.
    Normal,
    /// Also each row as indented JSON on standard error.
    Detailed,
}
