//! Converts `resources` into `nodes`, `edges` and `aliases`.
//!
//! ```yaml
//! processors:
//!   graph: {}
//! ```
//!
//! ```text
//!  resources ─┬─ convert ───────▶ nodes, edges, aliases, and the same rows of resources
//!             └─ ReportBatch ───▶ AliasIndex of the process ──▶ `identity`, in any pipeline
//! ```
//!
//! The processor handles all kinds of resources alike: a row of `resources` already has its edges and aliases.
//!
//! | op of the row | emitted rows |
//! |---|---|
//! | `observed`, group `actual` | facts `lifecycle` and `actual`, a snapshot of the edges, a snapshot of the aliases |
//! | `observed`, group `desired` | fact `desired`, a snapshot of the edges, a snapshot of the aliases |
//! | `created` | a fact of group `lifecycle` or `desired` with op `created`: a create event reported the resource |
//! | `deleted`, `released` | a row of group `lifecycle` or `desired` with the same op |
//! | `scope_complete` | a row with the same op, the members of the scope and their states |
//!
//! The rows that report a resource carry its `state`, since a scan completion lists a state for each member and
//! confirms only the claims that have this state. The processor also applies the reports to the [`AliasIndex`] of the
//! process, in which the processors `identity` of all pipelines look up names.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::alias_index::AliasIndex;
use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, ComponentMeta, Stability};
use pipeline::reports::ReportBatch;
use pipeline::{Batch, Signal, SignalSet};

mod config;
mod convert;

pub use config::Config;

/// The processor `graph`.
#[derive(Debug)]
pub struct Graph {
    /// The signals that a component after this processor accepts.
    wanted: SignalSet,
    index: Arc<AliasIndex>,
}

impl ComponentMeta for Graph {
    const TYPE: &'static str = "graph";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "converts resources into nodes, edges and aliases (other names of a node, such as addresses)";
    type Config = Config;
}

impl BuildProcessor for Graph {
    const ACCEPTS: SignalSet = SignalSet::of(&[Signal::Resources]);
    const PRODUCES: SignalSet = SignalSet::of(&[Signal::Nodes, Signal::Edges, Signal::Aliases]);

    fn build(_: Config, host: &Host) -> Result<Graph, BuildError> {
        let index = host.alias_index();
        index.add_source();
        Ok(Graph {
            wanted: host.accepted_downstream(),
            index,
        })
    }
}

#[async_trait]
impl Processor for Graph {
    /// Waits until the alias index is loaded, so that this processor applies no report before the loaded aliases.
    async fn load(&mut self) {
        self.index.wait_loaded().await;
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if batch.signal() != Signal::Resources {
            return Ok(vec![batch]);
        }
        if let Some(mut writer) = self.index.writer() {
            writer.apply(&ReportBatch::from_batch(&batch, now));
        }
        let mut output = convert::convert_resources(&batch, self.wanted, now);
        output.push(batch);
        Ok(output)
    }
}

#[cfg(test)]
mod tests;
