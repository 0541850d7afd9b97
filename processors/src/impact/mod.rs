//! Says of each drift and each change what it touches: keeps the graph in memory and walks it.
//!
//! ```yaml
//! processors:
//!   impact: {max_depth: 5, store: sqlite}
//! ```
//!
//! `nodes`, `edges` and `aliases` that pass are merged as every store merges them, in a compact form
//! of which a walk needs no more: who there is, of which kind, what leads to whom. With a `store` it
//! knows what was reported before: batches wait in front of it until that is loaded, for 5 minutes at
//! most, after which impacts say `truncated`. What other processes write there later it knows within
//! about a second. Rows of `drift`, and of `changes` that changed
//! something, get the column `impact`: `{count, depth, top: [{uid, kind, score}], truncated}`; what
//! is not known in the graph keeps none. Which edges are followed, and what a score is:
//! [`pipeline::impact`].
//!
//! ```text
//!  nodes edges aliases ──▶ graph/ ◀── load.rs ── store
//!                            │ reach.rs
//!  drift changes ────────────┴──▶ column.rs ──▶ the same with `impact`
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
pub use graph::Held;

use graph::Graph;
use load::{Nodes, ReadNodes};

use crate::following::{Follower, Update};
use crate::loading::Attempts;

/// How often what is over is forgotten, and how often it is said at most that there is no room.
const SWEEP: Duration = Duration::from_secs(60);

/// How long batches wait for the graph of the store to be loaded.
const LOAD_WITHIN: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub struct Impact {
    id: String,
    graph: Graph,
    limits: Limits,
    store: Option<(StoreRef, Arc<dyn GraphStore>)>,
    following: Option<Follower<ReadNodes>>,
    update: Option<Update<Nodes>>,
    /// Of `drift` and `changes`, what somebody after it takes.
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
        let store = config.store.map(|named| {
            let store = host.graph_store(&named)?;
            Ok((named, store))
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
        let Some((named, store)) = &self.store else {
            return;
        };
        if self.wanted.is_empty() {
            return;
        }
        let (start, named) = (Instant::now(), named.0.to_string());
        let reads = ReadNodes(Arc::clone(store));
        let mut following = Follower::new(&self.id, &named, store.as_ref(), reads);
        let attempts = Attempts::new(&self.id, &named);
        let loaded = load::load(&mut self.graph, store.as_ref(), attempts);
        let loaded = tokio::select! {
            loaded = timeout(LOAD_WITHIN, loaded) => loaded.is_ok(),
            () = following.collect() => false,
        };
        self.following = Some(following);
        if !loaded {
            self.graph.leave_out_the_rest();
            let processor = &self.id;
            warn!(
                %processor,
                store = named,
                within = ?LOAD_WITHIN,
                "the graph is not loaded in time, so impacts are too small and say `truncated`"
            );
        }
        let Held {
            nodes,
            edges,
            node_bytes,
            edge_bytes,
        } = self.held();
        let (bytes, took) = (node_bytes + edge_bytes, start.elapsed());
        info!(processor = %self.id, nodes, edges, bytes, ?took, "read the graph");
        self.tell_what_is_left_out(UnixNanos::now());
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let signal = batch.signal();
        if GRAPH.contains(signal) && !self.wanted.is_empty() {
            self.graph.take_in(&ReportBatch::of(&batch, now));
            self.tell_what_is_left_out(now);
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
            Some(update) => self.take_in(&update, now),
            None => {
                self.graph.sweep(now);
                self.look_at_expiring(now);
            }
        }
        Vec::new()
    }
}

impl Impact {
    /// How large the graph in memory is.
    pub fn held(&self) -> Held {
        self.graph.held()
    }

    /// Puts what was read of the store into the graph.
    fn take_in(&mut self, update: &Update<Nodes>, now: UnixNanos) {
        load::replace(&mut self.graph, &update.uids, &update.part);
        if let Some(following) = &mut self.following {
            // What they are other names of was replaced, too: own commits of it count from now on.
            let read = update
                .part
                .uids()
                .filter(|uid| !update.uids.iter().any(|it| it == uid));
            following.look_at(read.map(Arc::from));
        }
        if let Some(following) = self.following.as_mut().filter(|_| update.is_end) {
            following.look_again(self.graph.uids());
        }
        self.tell_what_is_left_out(now);
    }

    /// What another process saw again makes no commit: it is read before it expires here.
    fn look_at_expiring(&mut self, now: UnixNanos) {
        if let Some(following) = &mut self.following {
            following.look_at(self.graph.expiring(now, 2 * SWEEP));
        }
    }

    fn tell_what_is_left_out(&mut self, now: UnixNanos) {
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
                "nodes are left out of the graph, so impacts are too small: raise max_nodes_held"
            );
        }
    }
}

#[cfg(test)]
mod tests;
