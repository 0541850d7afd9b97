//! The YAML of `identity`.

use std::num::NonZeroUsize;

use pipeline::component::StoreRef;
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The exporter that stores the graph. The processor loads the aliases of the store at the start. After that, it
    /// reads the aliases that other processes write. Without this key, the processor knows only the aliases that this
    /// process receives.
    pub(super) store: Option<StoreRef>,
    /// The maximum number of names in the alias index, including names that are not valid any more; a name takes 150
    /// to 300 bytes. All `identity` processors of a process share one index, and the greatest of their limits applies.
    /// The default is 524288.
    pub(super) max_names: Option<NonZeroUsize>,
}
