//! A walk over all nodes, in the order of their numbers. Where it is stands in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::super::Store;
use super::super::rows::{Backend, NodeId, ReadRows, RowsError, WriteRows};
use super::super::write::Transaction;
use super::aged::{self, Limits};
use super::forget::{self, Tidied};
use super::node::{self, NodeRows};
use super::plan::Plan;
use super::{Horizon, MARGIN, Pace};
use crate::component::UnixNanos;

/// Under which its place is stored.
const NAME: &str = "walk";

/// Nodes that are looked at together.
const PAGE: usize = if cfg!(test) { 2 } else { 128 };

/// Rows of nodes that a transaction reads at a time.
const READ: usize = if cfg!(test) { 3 } else { 500 };

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
    /// The horizon when the first walk began.
    first: u64,
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

impl Place {
    /// Up to which horizon all nodes are looked at; of the first walk, where it began. None before it.
    pub(super) fn walked_up_to(&self) -> Option<UnixNanos> {
        let walked = match self.walked {
            0 => self.first,
            walked => walked,
        };
        (walked > 0).then_some(UnixNanos(walked))
    }
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
            place.first = if place.first == 0 {
                place.began
            } else {
                place.first
            };
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
            let aged = aged_ones(&mut rows, &nodes, &limits).await?;
            if !aged.is_empty() {
                let plans = plans(&mut rows, &nodes, &aged, &limits).await?;
                drop(rows);
                return self
                    .tidy(place, &nodes, plans, now, &limits)
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

    /// Removes what is planned of nodes of a page, until the step is over.
    async fn tidy(
        &self,
        mut place: Place,
        page: &[NodeRows],
        mut plans: Plans,
        now: UnixNanos,
        limits: &Limits,
    ) -> Result<u64, RowsError> {
        let mut rows = self.backend.write().await?;
        let pace = Pace::start();
        let mut transaction = Transaction::new(&mut rows, now);
        let (mut removed, mut again) = (0, Again::default());
        for node in page.iter().take_while(|node| node.row.id <= plans.until) {
            let id = node.row.id;
            if let Some(plan) = plans.of.remove(&id) {
                if !again.has(id) {
                    again = Again::read(&mut transaction, page, &plans, id, limits).await?;
                }
                let tidied = match again.nodes.get(&id) {
                    Some(node) => {
                        let plan = plan.only_if(again.going.contains(&id));
                        forget::tidy(&mut transaction, node, plan, limits).await?
                    }
                    None => Tidied::nothing(),
                };
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

/// Those of these nodes of which something goes.
async fn aged_ones(
    rows: &mut impl ReadRows,
    nodes: &[NodeRows],
    limits: &Limits,
) -> Result<BTreeSet<NodeId>, RowsError> {
    let has_old = |node: &&NodeRows| {
        !aged::old_claims(node, limits).is_empty()
            || !node.expired_edges.is_empty()
            || !node.expired_aliases.is_empty()
            || !aged::unnamed_versions(node, &[], limits).is_empty()
    };
    let old = nodes.iter().filter(has_old).map(|node| node.row.id);
    let mut aged: BTreeSet<NodeId> = old.collect();
    let rest = nodes.iter().filter(|node| !aged.contains(&node.row.id));
    aged.extend(going(rows, rest, limits).await?);
    Ok(aged)
}

/// Those of these nodes that go as a whole.
async fn going<'n>(
    rows: &mut impl ReadRows,
    nodes: impl Iterator<Item = &'n NodeRows>,
    limits: &Limits,
) -> Result<BTreeSet<NodeId>, RowsError> {
    let over = nodes.filter(|node| aged::is_over(node, limits));
    let over: Vec<NodeId> = over.map(|node| node.row.id).collect();
    let needed = node::needed(rows, &over, limits).await?;
    Ok(over.into_iter().filter(|id| !needed.contains(id)).collect())
}

/// What goes of nodes of a page.
#[derive(Debug, Default)]
struct Plans {
    of: BTreeMap<NodeId, Plan>,
    /// The last node up to which all are planned.
    until: NodeId,
}

/// Plans for the first nodes of a page: about as many as a step takes.
async fn plans(
    rows: &mut impl ReadRows,
    page: &[NodeRows],
    aged: &BTreeSet<NodeId>,
    limits: &Limits,
) -> Result<Plans, RowsError> {
    let going = going(rows, page.iter(), limits).await?;
    let mut plans = Plans::default();
    let pace = Pace::start();
    for node in page {
        let id = node.row.id;
        if aged.contains(&id) {
            if pace.is_over() && !plans.of.is_empty() {
                break;
            }
            let plan = Plan::of(rows, node, going.contains(&id), limits).await?;
            plans.of.insert(id, plan);
        }
        plans.until = id;
    }
    Ok(plans)
}

/// Nodes as the transaction of a step finds them: some at a time.
#[derive(Debug, Default)]
struct Again {
    nodes: BTreeMap<NodeId, NodeRows>,
    going: BTreeSet<NodeId>,
    until: NodeId,
}

impl Again {
    fn has(&self, id: NodeId) -> bool {
        id <= self.until
    }

    /// Reads the planned nodes from this one on that are about [`READ`] rows together.
    async fn read<R: WriteRows>(
        transaction: &mut Transaction<'_, R>,
        page: &[NodeRows],
        plans: &Plans,
        first: NodeId,
        limits: &Limits,
    ) -> Result<Again, RowsError> {
        let (mut ids, mut weight) = (Vec::new(), 0);
        for node in page.iter().filter(|node| node.row.id >= first) {
            let id = node.row.id;
            if id == first || plans.of.contains_key(&id) {
                weight += node.weight();
                if !ids.is_empty() && weight > READ {
                    break;
                }
                ids.push(id);
            }
        }
        let nodes = node::load(transaction.rows, &ids, limits).await?;
        let going = going(transaction.rows, nodes.iter(), limits).await?;
        Ok(Again {
            until: ids.last().copied().unwrap_or(first),
            nodes: nodes.into_iter().map(|node| (node.row.id, node)).collect(),
            going,
        })
    }
}
