//! Converts `resources` into `nodes`, `edges` and `aliases`.
//!
//! ```yaml
//! processors:
//!   graph: {}
//! ```
//!
//! The processor does not depend on the kinds of resources: each row of `resources` has its edges and aliases.
//!
//! | op of the row | emitted rows |
//! |---|---|
//! | `observed`, group `actual` | facts `lifecycle` and `actual`; a snapshot of its edges and one of its aliases |
//! | `observed`, group `desired` | fact `desired`; a snapshot of its edges and one of its aliases |
//! | `created` | fact `lifecycle` with op `created`: a create event reported the resource |
//! | `deleted`, `released` | the same op, of group `lifecycle` or `desired` |
//! | `scope_complete` | the same op, with the members of the scope and their states |
//!
//! Every emitted row carries the `state` of its resource, since the completion of a scan confirms the states of
//! its members. Aliases and deletions also go into the [`AliasIndex`] of the process, where `identity` finds
//! them in any pipeline.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::alias_index::AliasIndex;
use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, Described, Stability};
use pipeline::reports::ReportBatch;
use pipeline::{Batch, Signal, SignalSet};

mod config;
mod facts;

pub use config::Config;

#[derive(Debug)]
pub struct Graph {
    wanted: SignalSet,
    index: Arc<AliasIndex>,
}

impl Described for Graph {
    const TYPE: &'static str = "graph";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "resources become nodes, edges and aliases";
    type Config = Config;
}

impl BuildProcessor for Graph {
    const ACCEPTS: SignalSet = SignalSet::of(&[Signal::Resources]);
    const PRODUCES: SignalSet = SignalSet::of(&[Signal::Nodes, Signal::Edges, Signal::Aliases]);

    fn build(_: Config, host: &Host) -> Result<Graph, BuildError> {
        let index = host.alias_index();
        index.feed();
        Ok(Graph {
            wanted: host.wanted(),
            index,
        })
    }
}

#[async_trait]
impl Processor for Graph {
    /// Waits until the alias index is loaded, so that reports of this processor are newer than its content.
    async fn load(&mut self) {
        self.index.loaded().await;
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if batch.signal() != Signal::Resources {
            return Ok(vec![batch]);
        }
        if let Some(mut writer) = self.index.writer() {
            writer.take_in(&ReportBatch::of(&batch, now));
        }
        let mut made = facts::of_resources(&batch, self.wanted, now);
        made.push(batch);
        Ok(made)
    }
}

#[cfg(test)]
mod tests;
