//! Makes a graph of resources: `resources` → `nodes`, `edges`, `aliases`.
//!
//! ```yaml
//! processors:
//!   graph: {}
//! ```
//!
//! Knows no kind of resource: a row of `resources` says itself which edges and aliases it has.
//!
//! | a row says | what is made of it |
//! |---|---|
//! | `observed`, group `actual` | the facts `lifecycle` and `actual`; its edges and aliases, each as one set |
//! | `observed`, group `desired` | the fact `desired`; its edges and aliases, each as one set |
//! | `created` | that a create event reported it: a row of `lifecycle` |
//! | `deleted`, `released` | the same, of `lifecycle` or of `desired` |
//! | `scope_complete` | the same of the scope's nodes, with the state in which each was seen |
//!
//! Every fact that is made of a row carries the row's `state`, by which the completion of a scan
//! vouches for it. What the rows report of names, and of when they end, also goes into the process's
//! [`AliasIndex`], where `identity` finds them whatever pipeline it stands in.

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
