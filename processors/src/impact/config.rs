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
    /// How many edges away what is touched may be.
    pub max_depth: NonZeroU32,
    /// How many nodes one impact has at most; where there are more it says `truncated`.
    pub max_nodes: NonZeroUsize,
    /// How many nodes of the graph are held in memory; those beyond are left out, with a warning.
    pub max_nodes_held: NonZeroUsize,
    /// How long an edge that was seen by itself (a call, a service on its pod) holds after it was
    /// last seen; 0 is for ever.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub seen_for: Duration,
    /// The exporter that keeps the graph, to know at start what was told before; without one only
    /// what passes is known.
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
