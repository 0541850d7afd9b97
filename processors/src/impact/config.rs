//! The YAML of `impact`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use pipeline::component::StoreRef;
use pipeline::config::duration;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The maximum number of edges from the changed node to an affected one.
    pub max_depth: NonZeroU32,
    /// The maximum number of nodes of an impact; if more are affected, the impact is `truncated`.
    pub max_nodes: NonZeroUsize,
    /// The maximum number of nodes held in memory. Further nodes are left out, with a warning.
    pub max_nodes_held: NonZeroUsize,
    /// How long an observed edge (a call, a service on its pod) holds after it was last observed;
    /// 0 is for ever.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub seen_for: Duration,
    /// The exporter that stores the graph. The processor loads the graph from it at the start; without
    /// a store it knows only the rows that pass.
    pub store: Option<StoreRef>,
}

impl Default for Config {
    fn default() -> Config {
        let number = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Config {
            max_depth: NonZeroU32::new(5).unwrap_or(NonZeroU32::MIN),
            max_nodes: number(10_000),
            max_nodes_held: number(1_000_000),
            seen_for: Duration::from_secs(24 * 60 * 60),
            store: None,
        }
    }
}
