//! The YAML of `identity`.

use std::num::NonZeroUsize;

use pipeline::component::StoreRef;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The exporter whose store has the graph. The aliases in it are loaded at the start, and those that
    /// other processes write are read later. Without it, an alias is known once this process receives it.
    pub(super) store: Option<StoreRef>,
    /// The maximum number of names in the alias index, past ones included; a name takes 150 to 300 bytes.
    /// All `identity` processors of a process share one index, which has the greatest of their limits.
    /// The default is 524288.
    pub(super) max_names: Option<NonZeroUsize>,
}
