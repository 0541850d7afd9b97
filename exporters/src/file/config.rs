//! The YAML of `file`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Lines are added at its end; it is made where it is missing, its folder is not.
    pub path: PathBuf,
}
