//! Folds direct reports into claims. Direct reports are sightings, removals and delete events of one uid; a scan
//! completion is about a whole scope.

use hashbrown::{HashMap, HashSet};

use super::Transaction;
use crate::claims::{ClaimClass, ClaimContext, PointKind, ReportPoint, ReportedBy, SourceKey};
use crate::component::UnixNanos;
use crate::reports::ReportBatch;
use crate::store::rows::{NodeId, RowsError, WriteRows};
use crate::uid;

/// A direct report of any kind, with the id of its node.
struct InternedReport<'a> {
    id: NodeId,
    class: ClaimClass,
    source: &'a str,
    scope: &'a str,
    point: ReportPoint,
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Folds the direct reports of a batch into the claims of their nodes, and writes the changed claims.
    pub(super) async fn apply_direct(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        let all = reports
            .direct_reports()
            .into_iter()
            .map(|report| InternedReport {
                id: self.node_ids.of(report.uid),
                class: report.class,
                source: report.source,
                scope: report.scope,
                point: report.point,
            });
        let all: Vec<InternedReport<'_>> = all.collect();
        self.load_nodes(all.iter().map(|report| report.id).collect())
            .await?;
        let confirmed = self.confirmed_by_completion(reports);
        for report in all {
            if confirmed.contains(&(report.id, report.class, report.source, report.scope))
                && matches!(
                    report.point.kind,
                    PointKind::Seen {
                        by: ReportedBy::Scan,
                        ..
                    }
                )
            {
                continue;
            }
            self.apply_report(&report).await?;
        }
        self.flush_claims().await
    }

    /// The claims whose sightings need not be folded: the completion of the scan is in the same batch and confirms the
    /// claim, which is already open with the same state.
    fn confirmed_by_completion<'a>(
        &self,
        reports: &'a ReportBatch<'_>,
    ) -> HashSet<(NodeId, ClaimClass, &'a str, &'a str)> {
        let completions: HashMap<_, _> = reports
            .completions
            .iter()
            .map(|it| ((it.class, it.source, it.scope, it.began), &it.members))
            .collect();
        let mut confirmed = HashSet::new();
        if completions.is_empty() {
            return confirmed;
        }
        let mut sighting_counts: HashMap<_, usize> = HashMap::new();
        for it in &reports.sightings {
            *sighting_counts
                .entry((it.uid, it.class, it.source, it.scope))
                .or_default() += 1;
        }
        for it in &reports.sightings {
            let completion = (it.class, it.source, it.scope, it.time);
            let Some(members) = completions.get(&completion) else {
                continue;
            };
            let id = self.node_ids.of(it.uid);
            let open = self.nodes.0.get(&id).and_then(|node| {
                let is_reported = |key: &SourceKey| {
                    key.class == it.class && *key.source == *it.source && *key.scope == *it.scope
                };
                let mut claims = node.claims.iter().map(|loaded| &loaded.claim);
                claims.find(|claim| is_reported(&claim.key))?.open()
            });
            let is_unchanged = open.is_some_and(|open| {
                open.state == it.state && open.since < it.time && open.last_report() < it.time
            });
            let sightings = sighting_counts.get(&(it.uid, it.class, it.source, it.scope));
            let is_only_sighting = sightings == Some(&1);
            let is_member = members.state_of(uid::hash(it.uid)) == Some(it.state);
            if is_unchanged && is_only_sighting && is_member && it.by == ReportedBy::Scan {
                confirmed.insert((id, it.class, it.source, it.scope));
            }
        }
        confirmed
    }

    /// Folds one report into its claim. A removal also ends snapshots of the same source and scope; a delete event also
    /// ends other claims of the uid.
    async fn apply_report(&mut self, report: &InternedReport<'_>) -> Result<(), RowsError> {
        let key = SourceKey {
            class: report.class,
            source: report.source.into(),
            scope: report.scope.into(),
        };
        let (id, time) = (report.id, report.point.time);
        let changed = self.fold_report(id, &key, report.point).await?;
        if let Some(node) = self.nodes.0.get_mut(&id) {
            node.extend_report_times(time);
        }
        if changed && !key.scope.is_empty() {
            match key.class {
                ClaimClass::Actual | ClaimClass::Desired | ClaimClass::Created => {
                    let scope = self.words.scope_key(key.class, &key.source, &key.scope);
                    self.scopes.mark_for_examination(scope, time);
                }
                ClaimClass::Edges | ClaimClass::Aliases => {
                    for class in [ClaimClass::Actual, ClaimClass::Desired] {
                        let scope = self.words.scope_key(class, &key.source, &key.scope);
                        if self.scopes.rows.contains_key(&scope) {
                            self.scopes.mark_for_examination(scope, time);
                        }
                    }
                }
                ClaimClass::Telemetry | ClaimClass::Health => {}
            }
        }
        match report.point.kind {
            PointKind::Removed(_) => self.end_snapshot_claims(id, &key, time).await,
            PointKind::Deleted => self.end_claims_by_event(id, &key, time).await,
            PointKind::Seen { .. } => Ok(()),
        }
    }

    /// Ends the claims of edges and aliases that have the same source and scope as the removed claim.
    async fn end_snapshot_claims(
        &mut self,
        id: NodeId,
        removed: &SourceKey,
        time: UnixNanos,
    ) -> Result<(), RowsError> {
        for class in [ClaimClass::Edges, ClaimClass::Aliases] {
            let key = SourceKey {
                class,
                ..removed.clone()
            };
            let node = self.nodes.0.get(&id);
            let has_claim =
                node.is_some_and(|node| node.claims.iter().any(|it| it.claim.key == key));
            if has_claim {
                self.fold_at(id, &key, time).await?;
            }
        }
        Ok(())
    }

    /// Ends all other claims of the uid at the time of a delete event, if a delete event ends claims of their class.
    async fn end_claims_by_event(
        &mut self,
        id: NodeId,
        event_key: &SourceKey,
        time: UnixNanos,
    ) -> Result<(), RowsError> {
        let Some(node) = self.nodes.0.get(&id) else {
            return Ok(());
        };
        let keys = node.claims.iter().map(|it| &it.claim.key);
        let keys: Vec<SourceKey> = keys
            .filter(|key| key.class.ends_by_event() && *key != event_key)
            .cloned()
            .collect();
        for key in keys {
            let changed = self.fold_at(id, &key, time).await?;
            if changed && key.class == ClaimClass::Actual && !key.scope.is_empty() {
                let scope = self.words.scope_key(key.class, &key.source, &key.scope);
                self.scopes.mark_for_examination(scope, time);
            }
        }
        Ok(())
    }

    /// Folds a direct report into a claim. Returns whether the claim changed.
    async fn fold_report(
        &mut self,
        id: NodeId,
        key: &SourceKey,
        point: ReportPoint,
    ) -> Result<bool, RowsError> {
        let Some(node) = self.nodes.0.get_mut(&id) else {
            return Ok(false);
        };
        let index = node.claim_index(key);
        let last = node.claims[index].claim.last();
        if last.is_some_and(|last| last.points.contains(&point)) {
            return Ok(false);
        }
        let context = match self.is_newest(id, key, index, point.time) {
            true => self.context_of_newest(id, index),
            false => self.context_of_late(id, key, point.time).await?,
        };
        Ok(self.change_claim(id, key, |claim| claim.report(point, &context)))
    }

    /// Folds the completion or delete event at `time` into a claim; the context of the claim contains it. Returns
    /// whether the claim changed.
    pub(super) async fn fold_at(
        &mut self,
        id: NodeId,
        key: &SourceKey,
        time: UnixNanos,
    ) -> Result<bool, RowsError> {
        let context = self.context_of_late(id, key, time).await?;
        Ok(self.change_claim(id, key, |claim| claim.refold_at(time, &context)))
    }

    /// The context for a report at `time` that may be late. Loads the past intervals that must be folded again.
    async fn context_of_late(
        &mut self,
        id: NodeId,
        key: &SourceKey,
        time: UnixNanos,
    ) -> Result<ClaimContext, RowsError> {
        self.load_past_for(id, time).await?;
        let context = self.full_context(id, key).await?;
        let node = self.nodes.0.get(&id);
        let claim = node.and_then(|node| node.claims.iter().find(|it| it.claim.key == *key));
        let Some(since) = claim.map(|it| it.claim.refold_start(time, &context)) else {
            return Ok(context);
        };
        if since == time {
            return Ok(context);
        }
        // A delete event may suppress sightings of scans that are folded again, so the events before them are needed.
        self.load_past_for(id, since).await?;
        self.full_context(id, key).await
    }

    /// Changes a claim and records what changed. Returns whether the claim changed.
    pub(super) fn change_claim(
        &mut self,
        id: NodeId,
        key: &SourceKey,
        change: impl FnOnce(&mut crate::claims::Claim) -> Option<usize>,
    ) -> bool {
        let Some(node) = self.nodes.0.get_mut(&id) else {
            return false;
        };
        let index = node.claim_index(key);
        let it = &mut node.claims[index];
        let last_value = |claim: &crate::claims::Claim| {
            let last = claim.last();
            last.map(|last| (last.since, last.until, last.state))
        };
        let before = last_value(&it.claim);
        let was_open = it.claim.open().is_some();
        let changed = change(&mut it.claim).is_some();
        self.deleted_claims.record_change(id, was_open, &it.claim);
        it.has_changed |= changed;
        it.has_new_interval |= changed && before != last_value(&it.claim);
        changed
    }

    /// Whether a report at `time` is newer than everything that affects the claim at `index`, and all events that have
    /// not settled at `time` are loaded.
    pub(super) fn is_newest(
        &self,
        id: NodeId,
        key: &SourceKey,
        index: usize,
        time: UnixNanos,
    ) -> bool {
        let Some(node) = self.nodes.0.get(&id) else {
            return true;
        };
        let claim = &node.claims[index].claim;
        let last = claim.last();
        last.is_none_or(|last| last.last_report() < time)
            && self
                .last_confirming_scan(claim)
                .is_none_or(|scan| node.has_loaded_delete_events_at(scan))
            && self.last_relevant_scan(key).is_none_or(|scan| scan < time)
            && node.has_loaded_events_for(key, time)
            && node
                .delete_event_times()
                .iter()
                .all(|deleted| *deleted <= time)
            && node
                .removals_of_parent_claim(key)
                .iter()
                .all(|(removed, _)| *removed < time)
    }

    /// Loads the past intervals of a node that a late report at `time` may affect.
    pub(super) async fn load_past_for(
        &mut self,
        id: NodeId,
        time: UnixNanos,
    ) -> Result<(), RowsError> {
        let settle = u64::try_from(crate::claims::SETTLE.as_nanos()).unwrap_or(u64::MAX);
        self.flush_and_read_past_intervals(id, UnixNanos(time.0.saturating_sub(settle)))
            .await
    }
}
