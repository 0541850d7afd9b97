//! The nodes that a transaction has loaded, with their claims. Changed claims are written by `flush_claims`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::Transaction;
use crate::claims::{Claim, ClaimClass, ClaimInterval, PointKind, SETTLE, ScanEffect, SourceKey};
use crate::component::UnixNanos;
use crate::store::rows::{
    ClaimKey, ClaimRow, NodeId, NodeRow, Projection, ReadRows, RowsError, WriteRows,
};

/// The loaded nodes, by id.
#[derive(Debug, Default)]
pub(in crate::store) struct LoadedNodes(pub(super) BTreeMap<NodeId, LoadedNode>);

/// A node with the last intervals of its claims, and with past intervals if a late report needs them.
#[derive(Debug, Default)]
pub(in crate::store) struct LoadedNode {
    /// The current row as it is stored.
    pub(super) row: NodeRow,
    /// Whether this transaction created the node.
    pub(super) is_new: bool,
    pub(super) claims: Vec<LoadedClaim>,
    /// All intervals that end after this time are loaded; `None` if only the last interval of each claim is.
    pub(super) past_loaded_since: Option<UnixNanos>,
    /// The first and the last time of the direct reports in this transaction.
    pub(super) report_times: Option<(UnixNanos, UnixNanos)>,
    /// Whether the transaction wrote a version or a snapshot of the node.
    pub(super) has_new_content: bool,
    /// Whether the current row is computed again although no claim changed: the node is contested in a scope that
    /// completed a scan.
    pub(super) is_contested: bool,
}

/// A claim, and how the transaction changed it.
#[derive(Debug)]
pub(in crate::store) struct LoadedClaim {
    pub(super) claim: Claim,
    /// The loaded intervals as they are stored.
    pub(super) stored: Vec<ClaimInterval>,
    /// Whether the claim changed since the transaction began.
    pub(super) has_changed: bool,
    /// Whether begin, end or state of its last interval changed, not only the time of the last report.
    pub(super) has_new_interval: bool,
}

impl LoadedNodes {
    /// Marks a loaded node, so that all its current rows are computed again.
    pub(in crate::store) fn mark_for_recompute(&mut self, id: NodeId) {
        if let Some(node) = self.0.get_mut(&id) {
            node.has_new_content = true;
            node.is_contested = true;
        }
    }

    /// The stored row of a loaded node; `None` if the store has no such node.
    pub(in crate::store) fn row(&self, id: NodeId) -> Option<&NodeRow> {
        let node = self.0.get(&id)?;
        (node.row.id == id).then_some(&node.row)
    }
}

impl LoadedNode {
    /// Extends `report_times` to include a time.
    pub(super) fn extend_report_times(&mut self, time: UnixNanos) {
        let (first, last) = self.report_times.unwrap_or((time, time));
        self.report_times = Some((first.min(time), last.max(time)));
    }

    /// The index of a claim in `claims`; adds an empty claim if there is none with this key.
    pub(super) fn claim_index(&mut self, key: &SourceKey) -> usize {
        let index = self.claims.iter().position(|it| it.claim.key == *key);
        index.unwrap_or_else(|| {
            self.claims.push(LoadedClaim {
                claim: Claim::new(key.clone()),
                stored: Vec::new(),
                has_changed: false,
                has_new_interval: false,
            });
            self.claims.len() - 1
        })
    }

    /// The times of all loaded delete events of the uid, ascending, without duplicates.
    pub(super) fn delete_event_times(&self) -> Vec<UnixNanos> {
        let intervals = self.claims.iter().flat_map(|it| &it.claim.intervals);
        let points = intervals.flat_map(|interval| &interval.points);
        let deleted = points.filter(|point| point.kind == PointKind::Deleted);
        let mut times: Vec<UnixNanos> = deleted.map(|point| point.time).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Whether all delete events and removals that affect a report at `time` are loaded. The past intervals of a claim
    /// may not be loaded, so none of their reports may be later than `time` or settle after it.
    pub(super) fn has_loaded_events_for(&self, key: &SourceKey, time: UnixNanos) -> bool {
        let is_before = |claim: &Claim, since: UnixNanos| {
            let other = &claim.key;
            let has_same_scope = (&other.source, &other.scope) == (&key.source, &key.scope);
            other.class == ClaimClass::Created || !has_same_scope || since <= time
        };
        let mut claims = self.claims.iter().map(|it| &it.claim);
        self.has_loaded_delete_events_at(time)
            && claims.all(|claim| claim.last().is_none_or(|last| is_before(claim, last.since)))
    }

    /// Whether all delete events that have not settled at this time are loaded. Delete events are points of claims of
    /// class `Created`.
    pub(super) fn has_loaded_delete_events_at(&self, time: UnixNanos) -> bool {
        let claims = self.claims.iter().map(|it| &it.claim);
        let mut created = claims.filter(|claim| claim.key.class == ClaimClass::Created);
        created.all(|claim| claim.last().is_none_or(|last| last.since + SETTLE <= time))
    }

    /// For a claim of a snapshot outside of scans: the removals of the claims with the same source and scope, which end
    /// the snapshot too. Empty for other classes.
    pub(super) fn removals_of_parent_claim(&self, key: &SourceKey) -> Vec<(UnixNanos, ScanEffect)> {
        if !matches!(key.class, ClaimClass::Edges | ClaimClass::Aliases) {
            return Vec::new();
        }
        let parents = self.claims.iter().map(|it| &it.claim).filter(|claim| {
            let other = &claim.key;
            matches!(other.class, ClaimClass::Actual | ClaimClass::Desired)
                && (&other.source, &other.scope) == (&key.source, &key.scope)
        });
        let points = parents
            .flat_map(|claim| &claim.intervals)
            .flat_map(|interval| &interval.points);
        let removed = points.filter_map(|point| match point.kind {
            PointKind::Removed(how) => Some((point.time, ScanEffect::Missing(how))),
            _ => None,
        });
        removed.collect()
    }

    /// Copies of all claims.
    pub(super) fn clone_claims(&self) -> Vec<Claim> {
        self.claims.iter().map(|it| it.claim.clone()).collect()
    }
}

impl<R: ReadRows> Transaction<'_, R> {
    /// Loads nodes that are not loaded yet, with the last interval of each claim, and the scopes of these claims.
    pub(in crate::store) async fn load_nodes(
        &mut self,
        mut ids: Vec<NodeId>,
    ) -> Result<(), RowsError> {
        ids.retain(|id| *id != 0 && !self.nodes.0.contains_key(id));
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        let old: Vec<NodeId> = ids
            .iter()
            .copied()
            .filter(|id| !self.node_ids.is_new(*id))
            .collect();
        for id in &ids {
            let is_new = self.node_ids.is_new(*id);
            let node = LoadedNode {
                is_new,
                ..LoadedNode::default()
            };
            self.nodes.0.insert(*id, node);
        }
        // If this transaction created a node, only its uid is stored so far.
        for row in self.rows.nodes(&ids, Projection::Full).await? {
            if let Some(node) = self.nodes.0.get_mut(&row.id) {
                node.row = row;
            }
        }
        if old.is_empty() {
            return Ok(());
        }
        let claims = self.rows.claims(&old).await?;
        let words = claims
            .iter()
            .flat_map(|row| [row.key.source, row.key.scope]);
        self.words.load_texts(self.rows, words).await?;
        let scopes: Vec<_> = claims.iter().map(|row| row.key.scope).collect();
        for row in claims {
            self.add_stored_interval(row);
        }
        self.load_scopes_of(scopes).await
    }

    /// Adds an interval as it is stored to its loaded node.
    fn add_stored_interval(&mut self, row: ClaimRow) {
        let key = self.words.source_key(row.key.scope_key());
        let Some(node) = self.nodes.0.get_mut(&row.key.node) else {
            return;
        };
        let index = node.claim_index(&key);
        let it = &mut node.claims[index];
        if it
            .stored
            .iter()
            .any(|interval| interval.since == row.interval.since)
        {
            return;
        }
        it.stored.push(row.interval);
        it.stored.sort_by_key(|interval| interval.since);
        if !it.has_changed {
            it.claim.intervals.clone_from(&it.stored);
        }
    }

    /// Whether all intervals that end after `since` are loaded.
    fn has_loaded_past(&self, id: NodeId, since: UnixNanos) -> bool {
        let loaded = self
            .nodes
            .0
            .get(&id)
            .and_then(|node| node.past_loaded_since);
        loaded.is_some_and(|loaded| loaded <= since) || self.node_ids.is_new(id)
    }

    /// Loads the intervals of a node that end after `since`, and the newest earlier one of each claim. The caller must
    /// have flushed all changes of the node's claims.
    pub(super) async fn read_past_intervals(
        &mut self,
        id: NodeId,
        since: UnixNanos,
    ) -> Result<(), RowsError> {
        if self.has_loaded_past(id, since) {
            return Ok(());
        }
        for row in self.rows.past_claims(&[id], since).await? {
            let words = [row.key.source, row.key.scope];
            self.words.load_texts(self.rows, words.into_iter()).await?;
            let key = self.words.source_key(row.key.scope_key());
            let Some(node) = self.nodes.0.get_mut(&id) else {
                continue;
            };
            let index = node.claim_index(&key);
            let it = &mut node.claims[index];
            if !it
                .stored
                .iter()
                .any(|interval| interval.since == row.interval.since)
            {
                it.stored.push(row.interval);
                it.stored.sort_by_key(|interval| interval.since);
                it.claim.intervals.clone_from(&it.stored);
            }
        }
        if let Some(node) = self.nodes.0.get_mut(&id) {
            node.past_loaded_since = Some(since);
        }
        Ok(())
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Writes the changed claims of the node, then does the same as `read_past_intervals`.
    pub(super) async fn flush_and_read_past_intervals(
        &mut self,
        id: NodeId,
        since: UnixNanos,
    ) -> Result<(), RowsError> {
        if self.has_loaded_past(id, since) {
            return Ok(());
        }
        // The backend must have all changes of the claims before their past is read from it.
        self.flush_claims_of(id..=id).await?;
        self.read_past_intervals(id, since).await
    }

    /// Writes all claims that changed since the last flush.
    pub(super) async fn flush_claims(&mut self) -> Result<(), RowsError> {
        self.flush_claims_of(NodeId::MIN..=NodeId::MAX).await
    }

    async fn flush_claims_of(&mut self, ids: RangeInclusive<NodeId>) -> Result<(), RowsError> {
        let (mut last, mut past, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (id, node) in self.nodes.0.range_mut(ids) {
            for it in &mut node.claims {
                if it.claim.intervals == it.stored {
                    continue;
                }
                let key = ClaimKey {
                    node: *id,
                    class: it.claim.key.class,
                    source: self.words.number(&it.claim.key.source),
                    scope: self.words.number(&it.claim.key.scope),
                };
                let row = |interval: &ClaimInterval| ClaimRow {
                    key,
                    interval: interval.clone(),
                };
                let Some((new_last, new_past)) = it.claim.intervals.split_last() else {
                    continue;
                };
                let stored_last = it.stored.last();
                if stored_last != Some(new_last) {
                    last.push(row(new_last));
                }
                for interval in new_past {
                    let is_stored = it.stored.contains(interval) && stored_last != Some(interval);
                    if !is_stored {
                        past.push(row(interval));
                    }
                }
                let stays = |since| it.claim.intervals.iter().any(|it| it.since == since);
                for old in it.stored.iter().rev().skip(1) {
                    // An interval that became the last one again also leaves the table of past intervals.
                    if !stays(old.since) || old.since == new_last.since {
                        removed.push((key, old.since));
                    }
                }
                it.stored.clone_from(&it.claim.intervals);
            }
        }
        if !removed.is_empty() {
            self.rows.remove_claims(&removed).await?;
        }
        if !past.is_empty() {
            self.rows.put_past_claims(&past).await?;
        }
        if !last.is_empty() {
            self.rows.put_claims(&last).await?;
        }
        Ok(())
    }
}
