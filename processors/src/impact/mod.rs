//! Fills the column `impact` of drifts and changes: the nodes that a drift or change affects. The processor holds the
//! graph in memory and walks it.
//!
//! ```yaml
//! processors:
//!   impact: {max_depth: 5, store: sqlite}
//! ```
//!
//! The processor forwards batches of `nodes`, `edges` and `aliases`, and merges their rows into its graph by the rules
//! of a store. It holds only the data that a walk needs: which nodes exist, their kinds and their edges. With the key
//! `store`, it loads the graph at the start. Batches wait for this load for at most 5 minutes. If the load takes
//! longer, the processor works with a partial graph and marks all impacts as `truncated`. When another process changes
//! nodes in the store, the processor reads them within about a second.
//!
//! The column `impact` has the value `{count, depth, top: [{uid, kind, score}], truncated}`. The processor sets it in
//! rows of `drift`, and in rows of `changes` that report a successful change. It does not set the column if the graph
//! does not have the uid of the row. [`pipeline::impact`] describes which edges a walk follows and how it computes a
//! score.
//!
//! ```text
//!  nodes edges aliases ──▶ graph/ ◀── load.rs ── store
//!                            │ reach.rs
//!  drift changes ────────────┴──▶ column.rs ──▶ the same rows with `impact`
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pipeline::component::{BuildError, Host, ProcessError, Processor, StoreRef, UnixNanos};
use pipeline::counters::Counter;
use pipeline::graph_store::GraphStore;
use pipeline::impact::WalkLimits;
use pipeline::log_throttle::LogThrottle;
use pipeline::registry::{BuildProcessor, ComponentMeta, Stability};
use pipeline::reports::ReportBatch;
use pipeline::{Batch, Signal, SignalSet};
use tokio::time::timeout;
use tracing::{info, warn};

mod column;
mod config;
mod graph;
mod load;
mod reach;

pub use config::Config;
pub use graph::GraphSize;

use graph::ImpactGraph;
use load::{NodeReader, StoredNodes};

use crate::following::{Follower, StoreUpdate};
use crate::loading::ReadAttempts;

/// The interval between two sweeps, which evict ended nodes and expired edges. It is also the minimum interval between
/// two warnings about the limit of nodes, since a sweep may make room.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// The maximum time that batches wait until the graph is loaded from the store.
const LOAD_TIMEOUT: Duration = Duration::from_secs(300);

/// The processor `impact`.
#[derive(Debug)]
pub struct Impact {
    id: String,
    graph: ImpactGraph,
    limits: WalkLimits,
    store: Option<(StoreRef, Arc<dyn GraphStore>)>,
    follower: Option<Follower<NodeReader>>,
    /// The update that `wake` received from the follower. The next tick applies it.
    update: Option<StoreUpdate<StoredNodes>>,
    /// Which of `drift` and `changes` a component after this processor accepts.
    wanted: SignalSet,
    /// Counts how often a node was left out of the graph because of `max_nodes_held`.
    nodes_left_out: Counter,
    nodes_left_out_log: LogThrottle,
}

impl ComponentMeta for Impact {
    const TYPE: &'static str = "impact";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "annotates changes and drift (a resource differs from its declaration) with the nodes that they affect";
    type Config = Config;
}

/// The signals from which the graph is built.
const GRAPH: SignalSet = SignalSet::of(&[Signal::Nodes, Signal::Edges, Signal::Aliases]);
/// The signals that get the column `impact`.
const FILLED: SignalSet = SignalSet::of(&[Signal::Drift, Signal::Changes]);

impl BuildProcessor for Impact {
    const ACCEPTS: SignalSet = GRAPH.union(FILLED);
    const PRODUCES: SignalSet = SignalSet::NONE;

    fn build(config: Config, host: &Host) -> Result<Impact, BuildError> {
        let store = config.store.map(|name| {
            let store = host.graph_store(&name)?;
            Ok((name, store))
        });
        Ok(Impact {
            id: host.id().to_string(),
            graph: ImpactGraph::new(config.max_nodes_held.get(), config.observed_edge_ttl),
            limits: WalkLimits {
                depth: config.max_depth.get(),
                nodes: config.max_nodes.get(),
            },
            store: store.transpose()?,
            follower: None,
            update: None,
            wanted: host.accepted_downstream().intersection(FILLED),
            nodes_left_out: host.counter("nodes_left_out"),
            nodes_left_out_log: LogThrottle::new(SWEEP_INTERVAL),
        })
    }
}

#[async_trait]
impl Processor for Impact {
    async fn load(&mut self) {
        let Some((name, store)) = &self.store else {
            return;
        };
        if self.wanted.is_empty() {
            return;
        }
        let (start, name) = (Instant::now(), name.0.to_string());
        let reader = NodeReader(Arc::clone(store));
        let mut follower = Follower::new(&self.id, &name, store.as_ref(), reader);
        let attempts = ReadAttempts::new(&self.id, &name);
        let loaded = load::load(&mut self.graph, store.as_ref(), attempts);
        let loaded = tokio::select! {
            loaded = timeout(LOAD_TIMEOUT, loaded) => loaded.is_ok(),
            () = follower.queue_commits() => false,
        };
        self.follower = Some(follower);
        if !loaded {
            self.graph.mark_incomplete();
            let processor = &self.id;
            warn!(
                %processor,
                store = name,
                timeout = ?LOAD_TIMEOUT,
                "timeout while loading the graph: impacts are incomplete and marked as truncated"
            );
        }
        let GraphSize {
            nodes,
            edges,
            node_bytes,
            edge_bytes,
        } = self.graph_size();
        let (bytes, took) = (node_bytes + edge_bytes, start.elapsed());
        let message = match loaded {
            true => "loaded the graph",
            false => "loaded a part of the graph",
        };
        info!(processor = %self.id, nodes, edges, bytes, ?took, "{message}");
        self.report_nodes_left_out();
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let signal = batch.signal();
        if GRAPH.contains(signal) && !self.wanted.is_empty() {
            self.graph.apply(&ReportBatch::from_batch(&batch, now));
            self.report_nodes_left_out();
        } else if self.wanted.contains(signal) {
            return Ok(vec![column::fill(batch, &self.graph, self.limits, now)]);
        }
        Ok(vec![batch])
    }

    async fn wake(&mut self) {
        match &mut self.follower {
            Some(follower) => self.update = Some(follower.next().await),
            None => std::future::pending().await,
        }
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        (self.graph.len() > 0).then_some(SWEEP_INTERVAL)
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        match self.update.take() {
            Some(update) => self.apply_update(&update),
            None => {
                self.graph.sweep(now);
                self.reread_expiring(now);
            }
        }
        Vec::new()
    }
}

impl Impact {
    /// The size of the graph in memory.
    pub fn graph_size(&self) -> GraphSize {
        self.graph.size()
    }

    /// Replaces nodes in the graph by the nodes that the follower read from the store.
    fn apply_update(&mut self, update: &StoreUpdate<StoredNodes>) {
        load::replace(&mut self.graph, &update.uids, &update.content);
        if let Some(follower) = &mut self.follower {
            // If a uid that was read is merged into a node, the update also contains this node, under its own uid. The
            // follower reads a uid after own commits only if it has read this uid before. So it must read the node.
            let also_replaced = update
                .content
                .uids()
                .filter(|uid| !update.uids.iter().any(|read| read == uid));
            follower.queue_uids(also_replaced.map(Arc::from));
        }
        if let Some(follower) = self
            .follower
            .as_mut()
            .filter(|_| update.completes_full_read)
        {
            follower.queue_missing(self.graph.uids());
        }
        self.report_nodes_left_out();
    }

    /// Makes the follower read observed edges before they expire here. Another process may have observed them again,
    /// which makes no commit.
    fn reread_expiring(&mut self, now: UnixNanos) {
        if let Some(follower) = &mut self.follower {
            follower.queue_uids(self.graph.expiring(now, 2 * SWEEP_INTERVAL));
        }
    }

    /// Counts how often a node was left out since the last call, and logs a warning.
    fn report_nodes_left_out(&mut self) {
        let count = self.graph.take_nodes_left_out();
        if count == 0 {
            return;
        }
        self.nodes_left_out.add(count);
        if let Some(suppressed) = self.nodes_left_out_log.allow() {
            let (processor, held) = (&self.id, self.graph.len());
            warn!(
                %processor,
                held,
                suppressed,
                "nodes are left out of the graph, impacts are incomplete: raise max_nodes_held"
            );
        }
    }
}

#[cfg(test)]
mod tests;
