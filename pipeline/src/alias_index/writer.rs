//! Applies reports to the index.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLockWriteGuard};

use tokio::sync::watch;

use super::name::{AliasKind, AliasName};
use super::owner::{ObservedName, Owner, StateNames};
use super::state::IndexState;
use crate::claim_memory::KeyNumber;
use crate::claims::{ClaimClass, PointKind, ReportPoint, ReportedBy};
use crate::reports::{
    AliasItem, AliasObservation, DeleteEvent, DirectReport, EdgeItem, ReportBatch, ScanCompletion,
    SnapshotItems, SnapshotReport,
};
use crate::schema::edges::kind::DNS_POINTS_TO;
use crate::unix_nanos::UnixNanos;

/// A write lock on the index. Readers see the changes once the lock is dropped.
#[derive(Debug)]
pub struct AliasWriter<'a> {
    pub(super) state: RwLockWriteGuard<'a, IndexState>,
    version: &'a watch::Sender<u64>,
    /// Whether the names of a uid may have changed.
    pub(super) changed: bool,
    /// The owners that may have names of states that no claim has any more.
    touched: BTreeSet<Arc<str>>,
}

impl<'a> AliasWriter<'a> {
    pub(super) fn of(
        state: RwLockWriteGuard<'a, IndexState>,
        version: &'a watch::Sender<u64>,
    ) -> AliasWriter<'a> {
        AliasWriter {
            state,
            version,
            changed: false,
            touched: BTreeSet::new(),
        }
    }

    /// Applies the reports of a batch of `resources`, `nodes`, `edges` or `aliases`. The index keeps nothing about a
    /// uid until the uid has a name of one of the kinds in [`AliasKind`].
    pub fn apply(&mut self, reports: &ReportBatch<'_>) {
        self.state.scopes.set_clock(reports.now);
        for snapshot in &reports.snapshots {
            self.put_names(snapshot);
        }
        for report in reports.direct_reports() {
            self.report(&report);
        }
        for snapshot in &reports.snapshots {
            self.report_snapshot(snapshot);
        }
        let mut completions: Vec<_> = reports.completions.iter().collect();
        completions.sort_by_key(|completion| completion.began);
        for completion in completions {
            for hash in self.state.scopes.complete(completion) {
                let Some(uid) = self.affected_uid(hash, completion) else {
                    continue;
                };
                self.touched.insert(uid.clone());
                self.changed |= self.state.change(&uid, |owner, scopes| {
                    scopes
                        .apply(hash, &mut owner.claims, completion)
                        .has_new_value
                });
            }
        }
        for observation in &reports.aliases {
            self.observe(observation);
        }
        self.drop_unused();
    }

    /// The uid with this hash, if the completion has an effect on any of its claims.
    fn affected_uid(&self, hash: u64, completion: &ScanCompletion<'_>) -> Option<Arc<str>> {
        let uid = self.state.by_hash.get(&hash)?;
        let owner = self.state.owners.get(uid)?;
        let scopes = &self.state.scopes;
        scopes
            .concerns(hash, &owner.claims, completion)
            .then(|| uid.clone())
    }

    /// Removes the names of states that no claim has any more, and the names beyond the limit.
    fn drop_unused(&mut self) {
        for uid in std::mem::take(&mut self.touched) {
            if self.state.owners.contains_key(&uid) {
                self.state
                    .change(&uid, |owner, scopes| owner.drop_unused_states(scopes));
            }
        }
        self.state.evict();
    }

    /// Applies a snapshot that no scan made: all aliases (kind, value, scope) that a source reports for a uid.
    pub fn put_aliases<'n>(
        &mut self,
        uid: &str,
        source: &str,
        time: UnixNanos,
        aliases: impl Iterator<Item = (&'n str, &'n str, Option<&'n str>)>,
    ) {
        let aliases = aliases.map(|(kind, value, within)| AliasItem {
            kind,
            value,
            within: within.unwrap_or_default(),
            valid_from: None,
            valid_to: None,
        });
        self.put_snapshot(uid, source, time, SnapshotItems::Aliases(aliases.collect()));
    }

    /// Applies a snapshot that no scan made: all uids that a DNS record leads to.
    pub fn put_targets<'n>(
        &mut self,
        uid: &str,
        source: &str,
        time: UnixNanos,
        targets: impl Iterator<Item = &'n str>,
    ) {
        let targets = targets.map(|to| EdgeItem {
            kind: DNS_POINTS_TO,
            to,
            confidence: 1.0,
            properties: None,
        });
        self.put_snapshot(uid, source, time, SnapshotItems::Edges(targets.collect()));
    }

    fn put_snapshot(&mut self, uid: &str, source: &str, time: UnixNanos, items: SnapshotItems<'_>) {
        self.apply(&ReportBatch {
            snapshots: vec![SnapshotReport {
                uid,
                source,
                scope: "",
                time,
                state: None,
                items,
            }],
            ..ReportBatch::default()
        });
    }

    /// Applies a delete event: the uid has no names from this time on.
    pub fn delete(&mut self, uid: &str, time: UnixNanos) {
        let source = "";
        self.apply(&ReportBatch {
            delete_events: vec![DeleteEvent { uid, source, time }],
            ..ReportBatch::default()
        });
    }

    /// Applies an observation of one alias (kind, value, scope), which the uid has from `from` until `until`.
    pub fn put_observation(
        &mut self,
        uid: &str,
        (kind, value, within): (&str, &str, &str),
        from: UnixNanos,
        until: Option<UnixNanos>,
    ) {
        self.observe(&AliasObservation {
            uid,
            source: "",
            time: from,
            alias: AliasItem {
                kind,
                value,
                within,
                valid_from: Some(from),
                valid_to: until,
            },
        });
        self.state.evict();
    }

    /// Adds the names of the state that a snapshot belongs to.
    fn put_names(&mut self, snapshot: &SnapshotReport<'_>) {
        let mut names: Vec<AliasName> = match &snapshot.items {
            SnapshotItems::Edges(edges) => {
                let targets = edges.iter().filter(|edge| edge.kind == DNS_POINTS_TO);
                targets.map(|edge| AliasName::target(edge.to)).collect()
            }
            SnapshotItems::Aliases(aliases) => {
                let names = aliases.iter().filter_map(|alias| {
                    let within = Some(alias.within).filter(|within| !within.is_empty());
                    AliasName::of(alias.kind, alias.value, within)
                });
                names.collect()
            }
        };
        // The fast path: most resources have no names that the index keeps.
        if names.is_empty() && !self.state.owners.contains_key(snapshot.uid) {
            return;
        }
        names.sort_unstable();
        names.dedup();
        let names: Vec<AliasName> = names
            .into_iter()
            .map(|name| self.state.intern(name))
            .collect();
        let (class, hash) = snapshot.items.class_and_hash();
        let (aliases, targets) = match class {
            ClaimClass::Edges => (None, Some(names)),
            _ => (Some(names), None),
        };
        let scope_key = self.scope_key(snapshot.source, snapshot.scope);
        let state = snapshot.state.unwrap_or(hash);
        // No claim has this state until the report of the state is applied.
        self.state.change(snapshot.uid, |owner, _| {
            owner.put_state_names(scope_key, state, aliases, targets);
        });
        self.touched.insert(snapshot.uid.into());
    }

    fn scope_key(&mut self, source: &str, scope: &str) -> KeyNumber {
        self.state.scopes.number(ClaimClass::Actual, source, scope)
    }

    fn report(&mut self, report: &DirectReport<'_>) {
        let is_kept = !matches!(report.class, ClaimClass::Telemetry | ClaimClass::Health);
        if is_kept && self.state.owners.contains_key(report.uid) {
            self.touched.insert(report.uid.into());
            self.changed |= self.state.change(report.uid, |owner, scopes| {
                scopes.report(&mut owner.claims, report).has_new_value
            });
        }
    }

    /// Applies a sighting for a snapshot that a scan made, unless a claim of its scope already has the state. This
    /// index may never receive the row of `nodes` that reports the sighting.
    fn report_snapshot(&mut self, snapshot: &SnapshotReport<'_>) {
        let Some(state) = snapshot.state else {
            return;
        };
        let scope_key = self.scope_key(snapshot.source, snapshot.scope);
        let is_known = self.state.owners.get(snapshot.uid).is_none_or(|owner| {
            let claims = owner.claims.iter();
            let mut claims =
                claims.filter(|claim| self.state.scopes.scope_key(claim.key) == scope_key);
            claims.any(|claim| claim.values().any(|(known, ..)| known == state))
        });
        if is_known {
            return;
        }
        let kind = PointKind::Seen {
            state,
            by: ReportedBy::Scan,
        };
        self.report(&DirectReport {
            uid: snapshot.uid,
            class: ClaimClass::Actual,
            source: snapshot.source,
            scope: snapshot.scope,
            point: ReportPoint {
                time: snapshot.time,
                kind,
            },
        });
    }

    /// Adds an observed name. Ignores an observed address without an end: if another uid later got the address, no
    /// report would end this observation.
    pub(super) fn observe(&mut self, observation: &AliasObservation<'_>) {
        let AliasObservation { uid, alias, .. } = observation;
        let within = Some(alias.within).filter(|within| !within.is_empty());
        let Some(name) = AliasName::of(alias.kind, alias.value, within) else {
            return;
        };
        let until = alias.valid_to;
        if AliasKind::ADDRESSES.contains(&name.kind) && until.is_none() {
            return;
        }
        let new = ObservedName {
            name: self.state.intern(name),
            from: alias.valid_from.unwrap_or(observation.time),
            until,
            last: observation.time,
        };
        self.changed |= self.state.change(uid, |owner, _| owner.observe(new));
    }
}

impl Drop for AliasWriter<'_> {
    fn drop(&mut self) {
        if self.changed {
            self.version.send_modify(|version| *version += 1);
        }
    }
}

impl Owner {
    /// Sets the aliases or the targets of a state; `None` leaves them unchanged. Removes a state without names.
    pub(super) fn put_state_names(
        &mut self,
        scope_key: KeyNumber,
        state: u64,
        aliases: Option<Vec<AliasName>>,
        targets: Option<Vec<AliasName>>,
    ) {
        let known = self
            .states
            .iter()
            .position(|it| (it.scope_key, it.state) == (scope_key, state));
        let known = known.map(|index| self.states.swap_remove(index));
        let names =
            |new: Option<Vec<AliasName>>, known: Option<&Arc<[AliasName]>>| -> Arc<[AliasName]> {
                match new {
                    Some(new) => new.into(),
                    None => known.cloned().unwrap_or_default(),
                }
            };
        let state_names = StateNames {
            scope_key,
            state,
            aliases: names(aliases, known.as_ref().map(|it| &it.aliases)),
            targets: names(targets, known.as_ref().map(|it| &it.targets)),
        };
        if state_names.names().next().is_some() {
            self.states.push(state_names);
        }
    }

    /// Adds an observed name, or extends it. Returns whether that changed its period.
    fn observe(&mut self, new: ObservedName) -> bool {
        let Some(old) = self.observed.iter_mut().find(|old| old.name == new.name) else {
            self.observed.push(new);
            return true;
        };
        let before = (old.from, old.until);
        old.from = old.from.min(new.from);
        old.last = old.last.max(new.last);
        let both = old.until.zip(new.until);
        old.until = both.map(|(one, other)| one.max(other));
        before != (old.from, old.until)
    }
}
