//! A walk over all nodes, in the order of their numbers. Where it is stands in the store.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::super::Store;
use super::super::rows::{Backend, NodeId, ReadRows, RowsError, WriteRows};
use super::super::write::Transaction;
use super::aged::{self, Limits};
use super::node::{self, NodeRows};
use super::{Horizon, MARGIN, Pace, forget};
use crate::component::UnixNanos;

/// Under which its place is stored.
const NAME: &str = "walk";

/// Nodes that are looked at together.
const PAGE: usize = if cfg!(test) { 2 } else { 128 };

/// How long a step looks at nodes of which nothing goes.
const LOOK: Duration = Duration::from_millis(100);

/// Where the walk is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// The last node that was looked at; 0 where no walk is under way.
    after: NodeId,
    /// The horizon when this walk began, in nanoseconds.
    began: u64,
    /// The horizon when the last walk began that ended.
    pub(super) walked: u64,
    /// What this walk counted so far.
    counting: Counts,
    /// What the last one counted.
    pub(super) counted: Counts,
}

/// Rows that stayed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) nodes: u64,
    pub(super) claims: u64,
    pub(super) past_claims: u64,
    pub(super) versions: u64,
}

impl Counts {
    fn add(&mut self, node: &NodeRows) {
        let stretches: usize = node.claims.values().map(Vec::len).sum();
        self.nodes += 1;
        self.claims += node.claims.len() as u64;
        self.past_claims += (stretches - node.claims.len()) as u64;
        self.versions += node.versions.len() as u64;
    }
}

pub(super) async fn place(rows: &mut impl ReadRows) -> Result<Place, RowsError> {
    let stored = rows.state(NAME).await?;
    let place = stored.and_then(|stored| serde_json::from_slice(&stored).ok());
    Ok(place.unwrap_or_default())
}

async fn put(rows: &mut impl WriteRows, place: &Place) -> Result<(), RowsError> {
    let stored = serde_json::to_vec(place).unwrap_or_default();
    rows.put_state(NAME, &stored).await
}

impl<B: Backend> Store<B> {
    /// How many rows were removed; none where all nodes were looked at since the horizon was raised.
    pub(super) async fn walk_nodes(
        &self,
        now: UnixNanos,
        horizon: &Horizon,
    ) -> Result<Option<u64>, RowsError> {
        let mut rows = self.backend.read().await?;
        let mut place = place(&mut rows).await?;
        if place.after == 0 {
            if place.walked >= horizon.history().0 {
                return Ok(None);
            }
            place.began = horizon.history().0;
            place.counting = Counts::default();
        }
        let limits = self.limits(now, horizon);
        let began = Instant::now();
        loop {
            let ids = rows.node_page(place.after, PAGE).await?;
            let Some(&last) = ids.last() else {
                place.after = 0;
                place.walked = place.began;
                place.counted = place.counting;
                break;
            };
            let nodes = node::load(&mut rows, &ids, &limits).await?;
            let mut aged = Vec::new();
            for node in &nodes {
                if has_aged(&mut rows, node, &limits).await? {
                    aged.push(node.row.id);
                }
            }
            if !aged.is_empty() {
                drop(rows);
                return self
                    .tidy(place, &nodes, &aged, now, &limits)
                    .await
                    .map(Some);
            }
            nodes.iter().for_each(|node| place.counting.add(node));
            place.after = last;
            if began.elapsed() >= LOOK {
                break;
            }
        }
        drop(rows);
        let mut rows = self.backend.write().await?;
        put(&mut rows, &place).await?;
        rows.commit().await?;
        Ok(Some(0))
    }

    /// Removes what has aged of nodes of a page, until the step is over.
    async fn tidy(
        &self,
        mut place: Place,
        page: &[NodeRows],
        aged: &[NodeId],
        now: UnixNanos,
        limits: &Limits,
    ) -> Result<u64, RowsError> {
        let mut rows = self.backend.write().await?;
        let pace = Pace::start();
        let mut transaction = Transaction::new(&mut rows, now);
        let mut removed = 0;
        for node in page {
            let id = node.row.id;
            if aged.contains(&id) {
                let tidied = forget::tidy(&mut transaction, id, limits).await?;
                removed += tidied.removed;
                if !tidied.is_complete {
                    break;
                }
            }
            place.counting.add(node);
            place.after = id;
            if pace.is_over() {
                break;
            }
        }
        transaction.merge_same_as().await?;
        let news = transaction.news;
        put(&mut rows, &place).await?;
        self.finish(rows, news).await?;
        Ok(removed)
    }

    fn limits(&self, now: UnixNanos, horizon: &Horizon) -> Limits {
        let less = |time: UnixNanos, by: Duration| {
            let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
            UnixNanos(time.0.saturating_sub(by))
        };
        let (cut, seen_for) = (horizon.cut(), self.settings.seen_for);
        Limits {
            cut,
            observed: (!seen_for.is_zero()).then(|| less(cut, seen_for)),
            written: less(now, MARGIN),
            stats: horizon.edge_stats_hourly(),
        }
    }
}

async fn has_aged(
    rows: &mut impl ReadRows,
    node: &NodeRows,
    limits: &Limits,
) -> Result<bool, RowsError> {
    let mut claims = node.claims.iter();
    let has_old = claims
        .any(|(key, stretches)| !aged::old_stretches(key.class, stretches, limits.cut).is_empty());
    let kept: Vec<_> = node
        .claims
        .iter()
        .map(|(key, it)| (*key, it.as_slice()))
        .collect();
    if has_old
        || !node.expired_edges.is_empty()
        || !node.expired_aliases.is_empty()
        || !aged::unnamed_versions(&node.versions, &kept, limits).is_empty()
    {
        return Ok(true);
    }
    Ok(aged::is_over(node, limits) && !node::is_needed(rows, node.row.id, limits).await?)
}
