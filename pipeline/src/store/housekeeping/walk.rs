//! Walks over all nodes in the order of their numbers and removes expired rows. The position of the walk is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::expiry;
use super::limits::ExpiryLimits;
use super::node_rows::{NodeRows, load_nodes, referenced_nodes};
use super::plan::RemovalPlan;
use super::removal::{RemovalOutcome, remove_planned};
use super::{Horizon, MARGIN, StepTimer};
use crate::component::UnixNanos;
use crate::store::Store;
use crate::store::rows::{Backend, NodeId, ReadRows, RowsError, WriteRows};
use crate::store::write::Transaction;

/// The name of the stored position.
const STATE_NAME: &str = "walk";

/// The number of nodes that are examined together.
const PAGE: usize = if cfg!(test) { 2 } else { 128 };

/// The approximate number of rows of nodes that a transaction reads at a time.
const ROWS_PER_READ: usize = if cfg!(test) { 3 } else { 500 };

/// The maximum time that a step spends on the examination of nodes without removable rows.
const MAX_EXAMINATION: Duration = Duration::from_millis(100);

/// The position of the walk.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct WalkPosition {
    /// The last examined node; 0 between two walks.
    after: NodeId,
    /// The horizon when the current walk began, in Unix nanoseconds.
    began: u64,
    /// The horizon when the last complete walk began; 0 before the first.
    pub(super) walked: u64,
    /// The horizon when the first walk began.
    first: u64,
    /// The counts of the current walk so far.
    counting: WalkCounts,
    /// The counts of the last complete walk.
    pub(super) counted: WalkCounts,
}

/// The numbers of rows that a walk kept.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct WalkCounts {
    pub(super) nodes: u64,
    pub(super) claims: u64,
    pub(super) past_claims: u64,
    pub(super) versions: u64,
}

impl WalkPosition {
    /// Returns the horizon when the last complete walk began; during the first walk, the horizon when that walk began.
    /// `None` before the first walk.
    pub(super) fn walked_up_to(&self) -> Option<UnixNanos> {
        let walked = match self.walked {
            0 => self.first,
            walked => walked,
        };
        (walked > 0).then_some(UnixNanos(walked))
    }
}

impl WalkCounts {
    fn add(&mut self, node: &NodeRows) {
        let intervals: usize = node.claims.values().map(Vec::len).sum();
        self.nodes += 1;
        self.claims += node.claims.len() as u64;
        self.past_claims += (intervals - node.claims.len()) as u64;
        self.versions += node.versions.len() as u64;
    }
}

pub(super) async fn read_position(rows: &mut impl ReadRows) -> Result<WalkPosition, RowsError> {
    let stored = rows.state(STATE_NAME).await?;
    let position = stored.and_then(|stored| serde_json::from_slice(&stored).ok());
    Ok(position.unwrap_or_default())
}

async fn put_position(rows: &mut impl WriteRows, position: &WalkPosition) -> Result<(), RowsError> {
    let stored = serde_json::to_vec(position).unwrap_or_default();
    rows.put_state(STATE_NAME, &stored).await
}

impl<B: Backend> Store<B> {
    /// Continues the walk until rows are removed or [`MAX_EXAMINATION`] is over. Returns how many rows were removed;
    /// `None` if all nodes were examined since the horizon was raised.
    pub(super) async fn walk_nodes(
        &self,
        now: UnixNanos,
        horizon: &Horizon,
    ) -> Result<Option<u64>, RowsError> {
        let mut rows = self.backend.read().await?;
        let mut position = read_position(&mut rows).await?;
        if position.after == 0 {
            if position.walked >= horizon.history().0 {
                return Ok(None);
            }
            position.began = horizon.history().0;
            position.first = if position.first == 0 {
                position.began
            } else {
                position.first
            };
            position.counting = WalkCounts::default();
        }
        let limits = self.limits(now, horizon);
        let began = Instant::now();
        loop {
            let ids = rows.node_page(position.after, PAGE).await?;
            let Some(&last) = ids.last() else {
                position.after = 0;
                position.walked = position.began;
                position.counted = position.counting;
                break;
            };
            let nodes = load_nodes(&mut rows, &ids, &limits).await?;
            let expired = nodes_with_removable_rows(&mut rows, &nodes, &limits).await?;
            if !expired.is_empty() {
                let plans = plan_page(&mut rows, &nodes, &expired, &limits).await?;
                drop(rows);
                return self
                    .remove_from_page(position, &nodes, plans, now, &limits)
                    .await
                    .map(Some);
            }
            nodes.iter().for_each(|node| position.counting.add(node));
            position.after = last;
            if began.elapsed() >= MAX_EXAMINATION {
                break;
            }
        }
        drop(rows);
        let mut rows = self.backend.write().await?;
        put_position(&mut rows, &position).await?;
        rows.commit().await?;
        Ok(Some(0))
    }

    /// Removes the planned rows of the nodes of a page until the step is over. Returns how many rows were removed.
    async fn remove_from_page(
        &self,
        mut position: WalkPosition,
        page: &[NodeRows],
        mut plans: PagePlans,
        now: UnixNanos,
        limits: &ExpiryLimits,
    ) -> Result<u64, RowsError> {
        let mut rows = self.backend.write().await?;
        let timer = StepTimer::start();
        let mut transaction = Transaction::new(&mut rows, now);
        let (mut removed, mut reloaded) = (0, ReloadedNodes::default());
        for node in page.iter().take_while(|node| node.row.id <= plans.until) {
            let id = node.row.id;
            if let Some(plan) = plans.by_node.remove(&id) {
                if !reloaded.includes(id) {
                    reloaded =
                        ReloadedNodes::read(&mut transaction, page, &plans, id, limits).await?;
                }
                let outcome = match reloaded.nodes.get(&id) {
                    Some(node) => {
                        let plan = plan.keep_node_unless(reloaded.removable.contains(&id));
                        remove_planned(&mut transaction, node, plan, limits).await?
                    }
                    None => RemovalOutcome::nothing(),
                };
                removed += outcome.removed;
                if !outcome.is_complete {
                    break;
                }
            }
            position.counting.add(node);
            position.after = id;
            if timer.has_elapsed() {
                break;
            }
        }
        transaction.update_same_as().await?;
        let commit = transaction.commit;
        put_position(&mut rows, &position).await?;
        self.commit_and_publish(rows, commit).await?;
        Ok(removed)
    }

    /// Returns the limits that follow from a horizon.
    fn limits(&self, now: UnixNanos, horizon: &Horizon) -> ExpiryLimits {
        let minus = |time: UnixNanos, by: Duration| {
            let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
            UnixNanos(time.0.saturating_sub(by))
        };
        let (ended_before, ttl) = (horizon.history_cutoff(), self.settings.observed_edge_ttl);
        ExpiryLimits {
            ended_before,
            observed_before: (!ttl.is_zero()).then(|| minus(ended_before, ttl)),
            written_before: minus(now, MARGIN),
            stats_before: horizon.edge_stats_hourly(),
        }
    }
}

/// Returns those of these nodes that have removable rows, or are removable themselves.
async fn nodes_with_removable_rows(
    rows: &mut impl ReadRows,
    nodes: &[NodeRows],
    limits: &ExpiryLimits,
) -> Result<BTreeSet<NodeId>, RowsError> {
    let has_expired_rows = |node: &&NodeRows| {
        !expiry::expired_claims(node, limits).is_empty()
            || !node.expired_edges.is_empty()
            || !node.expired_aliases.is_empty()
            || !expiry::unreferenced_versions(node, &[], limits).is_empty()
    };
    let expired = nodes
        .iter()
        .filter(has_expired_rows)
        .map(|node| node.row.id);
    let mut found: BTreeSet<NodeId> = expired.collect();
    let rest = nodes.iter().filter(|node| !found.contains(&node.row.id));
    found.extend(removable_nodes(rows, rest, limits).await?);
    Ok(found)
}

/// Returns those of these nodes that are removable with all their rows.
async fn removable_nodes<'n>(
    rows: &mut impl ReadRows,
    nodes: impl Iterator<Item = &'n NodeRows>,
    limits: &ExpiryLimits,
) -> Result<BTreeSet<NodeId>, RowsError> {
    let expired = nodes.filter(|node| expiry::is_node_expired(node, limits));
    let expired: Vec<NodeId> = expired.map(|node| node.row.id).collect();
    let referenced = referenced_nodes(rows, &expired, limits).await?;
    Ok(expired
        .into_iter()
        .filter(|id| !referenced.contains(id))
        .collect())
}

/// Removal plans for the first nodes of a page.
#[derive(Debug, Default)]
struct PagePlans {
    by_node: BTreeMap<NodeId, RemovalPlan>,
    /// Each node of the page up to this one has a plan or has no removable rows.
    until: NodeId,
}

/// Plans removals for the first nodes of a page, as many as take about the time of a step.
async fn plan_page(
    rows: &mut impl ReadRows,
    page: &[NodeRows],
    expired: &BTreeSet<NodeId>,
    limits: &ExpiryLimits,
) -> Result<PagePlans, RowsError> {
    let removable = removable_nodes(rows, page.iter(), limits).await?;
    let mut plans = PagePlans::default();
    let timer = StepTimer::start();
    for node in page {
        let id = node.row.id;
        if expired.contains(&id) {
            if timer.has_elapsed() && !plans.by_node.is_empty() {
                break;
            }
            let plan = RemovalPlan::of(rows, node, removable.contains(&id), limits).await?;
            plans.by_node.insert(id, plan);
        }
        plans.until = id;
    }
    Ok(plans)
}

/// Nodes that the transaction of a step has read again.
#[derive(Debug, Default)]
struct ReloadedNodes {
    nodes: BTreeMap<NodeId, NodeRows>,
    /// The nodes that are removable with all their rows.
    removable: BTreeSet<NodeId>,
    /// The last node that was read.
    until: NodeId,
}

impl ReloadedNodes {
    fn includes(&self, id: NodeId) -> bool {
        id <= self.until
    }

    /// Reads `first` and the planned nodes after it, up to about [`ROWS_PER_READ`] rows in total.
    async fn read<R: WriteRows>(
        transaction: &mut Transaction<'_, R>,
        page: &[NodeRows],
        plans: &PagePlans,
        first: NodeId,
        limits: &ExpiryLimits,
    ) -> Result<ReloadedNodes, RowsError> {
        let (mut ids, mut row_count) = (Vec::new(), 0);
        for node in page.iter().filter(|node| node.row.id >= first) {
            let id = node.row.id;
            if id == first || plans.by_node.contains_key(&id) {
                row_count += node.row_count();
                if !ids.is_empty() && row_count > ROWS_PER_READ {
                    break;
                }
                ids.push(id);
            }
        }
        let nodes = load_nodes(transaction.rows, &ids, limits).await?;
        let removable = removable_nodes(transaction.rows, nodes.iter(), limits).await?;
        Ok(ReloadedNodes {
            until: ids.last().copied().unwrap_or(first),
            nodes: nodes.into_iter().map(|node| (node.row.id, node)).collect(),
            removable,
        })
    }
}
