//! Adds to each drift and each change which nodes it affects: holds the graph in memory and walks it.
//!
//! ```yaml
//! processors:
//!   impact: {max_depth: 5, store: sqlite}
//! ```
//!
//! It merges the `nodes`, `edges` and `aliases` that pass by the same rules as a store, and holds only what a
//! walk needs: which nodes exist, their kinds and their edges. With a `store` it loads what was reported before.
//! Batches wait until this is loaded, for 5 minutes at most; after that, impacts are `truncated`. It reads what
//! other processes write to the store within about a second. Rows of `drift`, and rows of `changes` that changed
//! something, get the column `impact`: `{count, depth, top: [{uid, kind, score}], truncated}`. It stays null
//! where the graph does not have the row's uid. Which edges are followed and what a score means:
//! [`pipeline::impact`].
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
use pipeline::impact::Limits;
use pipeline::registry::{BuildProcessor, Described, Stability};
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

use graph::Graph;
use load::{NodeReader, StoredNodes};

use crate::following::{Follower, Update};
use crate::loading::Attempts;

/// The interval at which ended nodes and expired edges are evicted, and the shortest interval between two
/// warnings of the limit.
const SWEEP: Duration = Duration::from_secs(60);

/// How long batches wait until the graph is loaded from the store.
const LOAD_TIMEOUT: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub struct Impact {
    id: String,
    graph: Graph,
    limits: Limits,
    store: Option<(StoreRef, Arc<dyn GraphStore>)>,
    following: Option<Follower<NodeReader>>,
    update: Option<Update<StoredNodes>>,
    /// Those of `drift` and `changes` that a later component accepts.
    wanted: SignalSet,
    nodes_left_out: Counter,
    warned: Option<UnixNanos>,
}

impl Described for Impact {
    const TYPE: &'static str = "impact";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "drift and changes say what they touch";
    type Config = Config;
}

const GRAPH: SignalSet = SignalSet::of(&[Signal::Nodes, Signal::Edges, Signal::Aliases]);
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
            graph: Graph::new(config.max_nodes_held.get(), config.seen_for),
            limits: Limits {
                depth: config.max_depth.get(),
                nodes: config.max_nodes.get(),
            },
            store: store.transpose()?,
            following: None,
            update: None,
            wanted: host.wanted().intersection(FILLED),
            nodes_left_out: host.counter("nodes_left_out"),
            warned: None,
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
        let mut following = Follower::new(&self.id, &name, store.as_ref(), reader);
        let attempts = Attempts::new(&self.id, &name);
        let loaded = load::load(&mut self.graph, store.as_ref(), attempts);
        let loaded = tokio::select! {
            loaded = timeout(LOAD_TIMEOUT, loaded) => loaded.is_ok(),
            () = following.collect() => false,
        };
        self.following = Some(following);
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
        } = self.held();
        let (bytes, took) = (node_bytes + edge_bytes, start.elapsed());
        info!(processor = %self.id, nodes, edges, bytes, ?took, "loaded the graph");
        self.report_left_out(UnixNanos::now());
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let signal = batch.signal();
        if GRAPH.contains(signal) && !self.wanted.is_empty() {
            self.graph.apply(&ReportBatch::of(&batch, now));
            self.report_left_out(now);
        } else if self.wanted.contains(signal) {
            return Ok(vec![column::fill(batch, &self.graph, self.limits, now)]);
        }
        Ok(vec![batch])
    }

    async fn wake(&mut self) {
        match &mut self.following {
            Some(following) => self.update = Some(following.next().await),
            None => std::future::pending().await,
        }
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        (self.graph.len() > 0).then_some(SWEEP)
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        match self.update.take() {
            Some(update) => self.apply_update(&update, now),
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
    pub fn held(&self) -> GraphSize {
        self.graph.size()
    }

    /// Replaces nodes in the graph by what was read from the store.
    fn apply_update(&mut self, update: &Update<StoredNodes>, now: UnixNanos) {
        load::replace(&mut self.graph, &update.uids, &update.part);
        if let Some(following) = &mut self.following {
            // Nodes of which these uids are other names were replaced as well, so own commits that name them must
            // be read from now on.
            let also_read = update
                .part
                .uids()
                .filter(|uid| !update.uids.iter().any(|it| it == uid));
            following.look_at(also_read.map(Arc::from));
        }
        if let Some(following) = self.following.as_mut().filter(|_| update.is_end) {
            following.look_again(self.graph.uids());
        }
        self.report_left_out(now);
    }

    /// Reads observed edges from the store before they expire here: when another process observes an edge
    /// again, it makes no commit.
    fn reread_expiring(&mut self, now: UnixNanos) {
        if let Some(following) = &mut self.following {
            following.look_at(self.graph.expiring(now, 2 * SWEEP));
        }
    }

    /// Counts the nodes that were left out and logs a warning.
    fn report_left_out(&mut self, now: UnixNanos) {
        let rows = self.graph.take_left_out();
        if rows == 0 {
            return;
        }
        self.nodes_left_out.add(rows);
        if self.warned.is_none_or(|warned| now >= warned.after(SWEEP)) {
            self.warned = Some(now);
            let (processor, held) = (&self.id, self.graph.len());
            warn!(
                %processor,
                held,
                "nodes are left out of the graph, impacts are incomplete: raise max_nodes_held"
            );
        }
    }
}

#[cfg(test)]
mod tests;
