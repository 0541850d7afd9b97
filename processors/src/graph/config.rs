//! The YAML of `graph`, which has no settings.

use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration, which is empty.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {}
