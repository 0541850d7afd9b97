//! The YAML of `impact`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use pipeline::component::StoreRef;
use pipeline::config::duration;
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The maximum number of edges between the changed node and an affected node.
    pub max_depth: NonZeroU32,
    /// The maximum number of nodes in an impact. If more nodes are affected, the impact is `truncated`.
    pub max_nodes: NonZeroUsize,
    /// The maximum number of nodes in memory. Beyond that, the processor logs a warning and adds no nodes.
    pub max_nodes_held: NonZeroUsize,
    /// How long an observed edge (a call, a service on its pod) is current after its last observation; 0 means that it
    /// does not expire.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub observed_edge_ttl: Duration,
    /// The exporter that stores the graph. The processor loads the graph at the start, and then reads what other
    /// processes write. Without this key, the processor knows only the rows that pass it.
    pub store: Option<StoreRef>,
}

impl Default for Config {
    fn default() -> Config {
        let number = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Config {
            max_depth: NonZeroU32::new(5).unwrap_or(NonZeroU32::MIN),
            max_nodes: number(10_000),
            max_nodes_held: number(1_000_000),
            observed_edge_ttl: Duration::from_secs(24 * 60 * 60),
            store: None,
        }
    }
}
