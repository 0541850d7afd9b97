//! The YAML of `identity`.

use pipeline::component::StoreRef;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The exporter that keeps the graph: the names that it knows are known from the start. Without
    /// one, a name is known once a scan tells it.
    pub(super) store: Option<StoreRef>,
}
