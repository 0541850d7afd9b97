//! The YAML of `identity`.

use std::num::NonZeroUsize;

use pipeline::component::StoreRef;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The exporter that keeps the graph: the names that it knows are known from the start. Without
    /// one, a name is known once a scan tells it.
    pub(super) store: Option<StoreRef>,
    /// How many names the alias index of the process holds, past ones included; a name takes 150 to 300
    /// bytes. All `identity` of a process share one index: the greatest of their limits counts. Without
    /// any, 524288.
    pub(super) max_names: Option<NonZeroUsize>,
}
