//! Sightings, removals and delete events: reports about a uid itself.

use hashbrown::{HashMap, HashSet};

use super::Transaction;
use crate::claims::{Around, By, Class, Key, Point, What};
use crate::component::UnixNanos;
use crate::reports::ReportBatch;
use crate::store::rows::{NodeId, RowsError, WriteRows};
use crate::uid;

/// A direct report, as all kinds of them are applied.
struct Direct<'a> {
    id: NodeId,
    class: Class,
    source: &'a str,
    scope: &'a str,
    point: Point,
}

impl<R: WriteRows> Transaction<'_, R> {
    pub(super) async fn apply_direct(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        let all = reports.direct().into_iter().map(|report| Direct {
            id: self.ids.of(report.uid),
            class: report.class,
            source: report.source,
            scope: report.scope,
            point: report.point,
        });
        let all: Vec<Direct<'_>> = all.collect();
        self.touch(all.iter().map(|report| report.id).collect())
            .await?;
        let confirmed = self.confirmed(reports);
        for report in all {
            if confirmed.contains(&(report.id, report.class, report.source, report.scope))
                && matches!(report.point.what, What::Seen { by: By::Scan, .. })
            {
                continue;
            }
            self.apply(&report).await?;
        }
        self.flush().await
    }

    /// Rows of scans that need not be written: the completion of their scan is in the same batch, and
    /// finds the claim open in the same state.
    fn confirmed<'a>(
        &self,
        reports: &'a ReportBatch<'_>,
    ) -> HashSet<(NodeId, Class, &'a str, &'a str)> {
        let completions: HashMap<_, _> = reports
            .completions
            .iter()
            .map(|it| ((it.class, it.source, it.scope, it.began), &it.members))
            .collect();
        let mut confirmed = HashSet::new();
        if completions.is_empty() {
            return confirmed;
        }
        let mut rows: HashMap<_, usize> = HashMap::new();
        for it in &reports.sightings {
            *rows
                .entry((it.uid, it.class, it.source, it.scope))
                .or_default() += 1;
        }
        for it in &reports.sightings {
            let completion = (it.class, it.source, it.scope, it.time);
            let Some(members) = completions.get(&completion) else {
                continue;
            };
            let id = self.ids.of(it.uid);
            let known = self.touched.0.get(&id).and_then(|node| {
                let is_it = |key: &Key| {
                    key.class == it.class && *key.source == *it.source && *key.scope == *it.scope
                };
                let claim = node.claims.iter().find(|known| is_it(&known.claim.key))?;
                claim.claim.open()
            });
            let is_known = known.is_some_and(|open| {
                open.state == it.state && open.since < it.time && open.last_report() < it.time
            });
            let alone = rows.get(&(it.uid, it.class, it.source, it.scope)) == Some(&1);
            let is_member = members.state_of(uid::hash(it.uid)) == Some(it.state);
            if is_known && alone && is_member && it.by == By::Scan {
                confirmed.insert((id, it.class, it.source, it.scope));
            }
        }
        confirmed
    }

    async fn apply(&mut self, report: &Direct<'_>) -> Result<(), RowsError> {
        let key = Key {
            class: report.class,
            source: report.source.into(),
            scope: report.scope.into(),
        };
        let (id, time) = (report.id, report.point.time);
        let changed = self.report(id, &key, report.point).await?;
        if let Some(node) = self.touched.0.get_mut(&id) {
            node.is_reported_at(time);
        }
        if changed && !key.scope.is_empty() {
            match key.class {
                Class::Actual | Class::Desired | Class::Created => {
                    let scope = self.scope_key(key.class, &key.source, &key.scope);
                    self.scopes.touch(scope, time);
                }
                Class::Edges | Class::Aliases => {
                    for class in [Class::Actual, Class::Desired] {
                        let scope = self.scope_key(class, &key.source, &key.scope);
                        if self.scopes.rows.contains_key(&scope) {
                            self.scopes.touch(scope, time);
                        }
                    }
                }
                Class::Telemetry | Class::Health => {}
            }
        }
        match report.point.what {
            What::Removed(_) => self.end_snapshots(id, &key, time).await,
            What::Deleted => self.end_all(id, &key, time).await,
            What::Seen { .. } => Ok(()),
        }
    }

    /// Snapshots that no scan made end with the claim of the same source and scope.
    async fn end_snapshots(
        &mut self,
        id: NodeId,
        of: &Key,
        time: UnixNanos,
    ) -> Result<(), RowsError> {
        for class in [Class::Edges, Class::Aliases] {
            let key = Key {
                class,
                ..of.clone()
            };
            let node = self.touched.0.get(&id);
            let is_there =
                node.is_some_and(|node| node.claims.iter().any(|it| it.claim.key == key));
            if is_there {
                self.happened(id, &key, time).await?;
            }
        }
        Ok(())
    }

    /// A delete event ends what every source reported before it.
    async fn end_all(&mut self, id: NodeId, by: &Key, time: UnixNanos) -> Result<(), RowsError> {
        let Some(node) = self.touched.0.get(&id) else {
            return Ok(());
        };
        let keys = node.claims.iter().map(|it| &it.claim.key);
        let keys: Vec<Key> = keys
            .filter(|key| key.class.ends_by_event() && *key != by)
            .cloned()
            .collect();
        for key in keys {
            let changed = self.happened(id, &key, time).await?;
            if changed && key.class == Class::Actual && !key.scope.is_empty() {
                let scope = self.scope_key(key.class, &key.source, &key.scope);
                self.scopes.touch(scope, time);
            }
        }
        Ok(())
    }

    /// Whether the report changed anything.
    async fn report(&mut self, id: NodeId, key: &Key, point: Point) -> Result<bool, RowsError> {
        let Some(node) = self.touched.0.get_mut(&id) else {
            return Ok(false);
        };
        let place = node.claim(key);
        let last = node.claims[place].claim.last();
        if last.is_some_and(|last| last.points.contains(&point)) {
            return Ok(false);
        }
        let around = match self.is_newest(id, key, place, point.time) {
            true => self.around_newest(id, place),
            false => self.around_late(id, key, point.time).await?,
        };
        Ok(self.change(id, key, |claim| claim.report(point, &around)))
    }

    /// Whether a completion or an event at this time changed anything.
    pub(super) async fn happened(
        &mut self,
        id: NodeId,
        key: &Key,
        time: UnixNanos,
    ) -> Result<bool, RowsError> {
        let around = self.around_late(id, key, time).await?;
        Ok(self.change(id, key, |claim| claim.happened(time, &around)))
    }

    /// What is known around a claim for something of this time that may come late, with all that is
    /// folded with it loaded.
    async fn around_late(
        &mut self,
        id: NodeId,
        key: &Key,
        time: UnixNanos,
    ) -> Result<Around, RowsError> {
        self.load_before(id, time).await?;
        let around = self.around(id, key).await?;
        let node = self.touched.0.get(&id);
        let claim = node.and_then(|node| node.claims.iter().find(|it| it.claim.key == *key));
        let Some(since) = claim.map(|it| it.claim.folded_since(time, &around)) else {
            return Ok(around);
        };
        if since == time {
            return Ok(around);
        }
        // Sightings of scans that are folded again may be those that a delete event suppresses.
        self.load_before(id, since).await?;
        self.around(id, key).await
    }

    pub(super) fn change(
        &mut self,
        id: NodeId,
        key: &Key,
        change: impl FnOnce(&mut crate::claims::Claim) -> Option<usize>,
    ) -> bool {
        let Some(node) = self.touched.0.get_mut(&id) else {
            return false;
        };
        let place = node.claim(key);
        let it = &mut node.claims[place];
        let says = |claim: &crate::claims::Claim| {
            let last = claim.last();
            last.map(|last| (last.since, last.until, last.state))
        };
        let before = says(&it.claim);
        let was_open = it.claim.open().is_some();
        let changed = change(&mut it.claim).is_some();
        self.missed.note(id, was_open, &it.claim);
        it.has_changed |= changed;
        it.has_news |= changed && before != says(&it.claim);
        changed
    }

    /// Whether nothing newer is known of the claim.
    pub(super) fn is_newest(&self, id: NodeId, key: &Key, place: usize, time: UnixNanos) -> bool {
        let Some(node) = self.touched.0.get(&id) else {
            return true;
        };
        let claim = &node.claims[place].claim;
        let last = claim.last();
        last.is_none_or(|last| last.last_report() < time)
            && self
                .confirmed_by(claim)
                .is_none_or(|scan| node.knows_events_at(scan))
            && self.last_scan(key).is_none_or(|scan| scan < time)
            && node.begins_before(key, time)
            && node.delete_events().iter().all(|deleted| *deleted <= time)
            && node
                .removed_beside(key)
                .iter()
                .all(|(removed, _)| *removed < time)
    }

    /// Loads what a late report is folded with.
    pub(super) async fn load_before(
        &mut self,
        id: NodeId,
        time: UnixNanos,
    ) -> Result<(), RowsError> {
        let settle = u64::try_from(crate::claims::SETTLE.as_nanos()).unwrap_or(u64::MAX);
        self.load_past(id, UnixNanos(time.0.saturating_sub(settle)))
            .await
    }
}
