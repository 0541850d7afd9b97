//! Takes in reports.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLockWriteGuard};

use tokio::sync::watch;

use super::held::Held;
use super::name::{Kind, Name};
use super::owner::{Observed, Version};
use crate::claim_memory::KeyNumber;
use crate::claims::{By, Class, Point, What};
use crate::component::UnixNanos;
use crate::reports::{
    AliasItem, AliasObservation, Completion, DeleteEvent, DirectReport, EdgeItem, Items,
    ReportBatch, Snapshot,
};
use crate::schema::edges::kind::DNS_POINTS_TO;

/// Changes the index; readers see all of it when this is dropped.
#[derive(Debug)]
pub struct Writer<'a> {
    pub(super) held: RwLockWriteGuard<'a, Held>,
    version: &'a watch::Sender<u64>,
    pub(super) changed: bool,
    /// Owners of which versions may be unused.
    touched: BTreeSet<Arc<str>>,
}

impl<'a> Writer<'a> {
    pub(super) fn of(
        held: RwLockWriteGuard<'a, Held>,
        version: &'a watch::Sender<u64>,
    ) -> Writer<'a> {
        Writer {
            held,
            version,
            changed: false,
            touched: BTreeSet::new(),
        }
    }

    /// Takes in what a batch of `resources`, `nodes`, `edges` or `aliases` reports. Of uids that never
    /// had a name that is kept nothing is held.
    pub fn take_in(&mut self, reports: &ReportBatch<'_>) {
        self.held.scopes.set_clock(reports.now);
        for snapshot in &reports.snapshots {
            self.put_names(snapshot);
        }
        for report in reports.direct() {
            self.report(&report);
        }
        for snapshot in &reports.snapshots {
            self.see_in_snapshot(snapshot);
        }
        let mut completions: Vec<_> = reports.completions.iter().collect();
        completions.sort_by_key(|completion| completion.began);
        for completion in completions {
            for hash in self.held.scopes.complete(completion) {
                let Some(uid) = self.concerned(hash, completion) else {
                    continue;
                };
                self.touched.insert(uid.clone());
                self.changed |= self.held.change(&uid, |owner, scopes| {
                    scopes.apply(hash, &mut owner.claims, completion).has_news
                });
            }
        }
        for observation in &reports.aliases {
            self.observe(observation);
        }
        self.settle();
    }

    /// The uid with this hash, where it has a claim for which the completion means something new.
    fn concerned(&self, hash: u64, completion: &Completion<'_>) -> Option<Arc<str>> {
        let uid = self.held.by_hash.get(&hash)?;
        let owner = self.held.owners.get(uid)?;
        let scopes = &self.held.scopes;
        scopes
            .concerns(hash, &owner.claims, completion)
            .then(|| uid.clone())
    }

    /// Forgets names of states that no claim has any more, and what is beyond the limit.
    fn settle(&mut self) {
        for uid in std::mem::take(&mut self.touched) {
            if self.held.owners.contains_key(&uid) {
                self.held
                    .change(&uid, |owner, scopes| owner.drop_unused(scopes));
            }
        }
        self.held.evict();
    }

    /// All aliases (kind, value, scope) that a source reports of a uid at a time, by no scan.
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
        self.put(uid, source, time, Items::Aliases(aliases.collect()));
    }

    /// All uids that a DNS record leads to, likewise.
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
        self.put(uid, source, time, Items::Edges(targets.collect()));
    }

    fn put(&mut self, uid: &str, source: &str, time: UnixNanos, items: Items<'_>) {
        self.take_in(&ReportBatch {
            snapshots: vec![Snapshot {
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

    /// An event deleted the uid: no name leads to it from this time on.
    pub fn delete(&mut self, uid: &str, time: UnixNanos) {
        let source = "";
        self.take_in(&ReportBatch {
            delete_events: vec![DeleteEvent { uid, source, time }],
            ..ReportBatch::default()
        });
    }

    /// An alias that was observed by itself, and leads to the uid from a time on.
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
        self.held.evict();
    }

    fn put_names(&mut self, snapshot: &Snapshot<'_>) {
        let mut names: Vec<Name> = match &snapshot.items {
            Items::Edges(edges) => {
                let targets = edges.iter().filter(|edge| edge.kind == DNS_POINTS_TO);
                targets.map(|edge| Name::target(edge.to)).collect()
            }
            Items::Aliases(aliases) => {
                let names = aliases.iter().filter_map(|alias| {
                    let within = Some(alias.within).filter(|within| !within.is_empty());
                    Name::of(alias.kind, alias.value, within)
                });
                names.collect()
            }
        };
        // As of most resources.
        if names.is_empty() && !self.held.owners.contains_key(snapshot.uid) {
            return;
        }
        names.sort_unstable();
        names.dedup();
        let names: Vec<Name> = names
            .into_iter()
            .map(|name| self.held.shared(name))
            .collect();
        let (class, hash) = snapshot.items.class_and_hash();
        let (aliases, targets) = match class {
            Class::Edges => (None, Some(names)),
            _ => (Some(names), None),
        };
        let area = self.area(snapshot.source, snapshot.scope);
        let state = snapshot.state.unwrap_or(hash);
        // The report of the state itself is taken in later: until then nothing refers to the names.
        self.held.change(snapshot.uid, |owner, _| {
            owner.put(area, state, aliases, targets);
        });
        self.touched.insert(snapshot.uid.into());
    }

    fn area(&mut self, source: &str, scope: &str) -> KeyNumber {
        self.held.scopes.number(Class::Actual, source, scope)
    }

    fn report(&mut self, report: &DirectReport<'_>) {
        let is_kept = !matches!(report.class, Class::Telemetry | Class::Health);
        if is_kept && self.held.owners.contains_key(report.uid) {
            self.touched.insert(report.uid.into());
            self.changed |= self.held.change(report.uid, |owner, scopes| {
                scopes.report(&mut owner.claims, report).has_news
            });
        }
    }

    /// A snapshot that a scan made shows that the scan saw the uid, also where its row of `nodes` does
    /// not come by.
    fn see_in_snapshot(&mut self, snapshot: &Snapshot<'_>) {
        let Some(state) = snapshot.state else {
            return;
        };
        let area = self.area(snapshot.source, snapshot.scope);
        let is_known = self.held.owners.get(snapshot.uid).is_none_or(|owner| {
            let claims = owner.claims.iter();
            let mut claims = claims.filter(|claim| self.held.scopes.area(claim.key) == area);
            claims.any(|claim| claim.held().any(|(held, ..)| held == state))
        });
        if is_known {
            return;
        }
        let what = What::Seen {
            state,
            by: By::Scan,
        };
        self.report(&DirectReport {
            uid: snapshot.uid,
            class: Class::Actual,
            source: snapshot.source,
            scope: snapshot.scope,
            point: Point {
                time: snapshot.time,
                what,
            },
        });
    }

    /// An address that was observed without an end is not kept: nothing would say when another has it.
    pub(super) fn observe(&mut self, observation: &AliasObservation<'_>) {
        let AliasObservation { uid, alias, .. } = observation;
        let within = Some(alias.within).filter(|within| !within.is_empty());
        let Some(name) = Name::of(alias.kind, alias.value, within) else {
            return;
        };
        let until = alias.valid_to;
        if Kind::ADDRESSES.contains(&name.kind) && until.is_none() {
            return;
        }
        let new = Observed {
            name: self.held.shared(name),
            from: alias.valid_from.unwrap_or(observation.time),
            until,
            last: observation.time,
        };
        self.changed |= self.held.change(uid, |owner, _| owner.observe(new));
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if self.changed {
            self.version.send_modify(|version| *version += 1);
        }
    }
}

impl super::owner::Owner {
    /// Puts what is known of a state; none where nothing new is.
    pub(super) fn put(
        &mut self,
        area: KeyNumber,
        state: u64,
        aliases: Option<Vec<Name>>,
        targets: Option<Vec<Name>>,
    ) {
        let known = self
            .versions
            .iter()
            .position(|it| (it.area, it.state) == (area, state));
        let known = known.map(|place| self.versions.swap_remove(place));
        let names = |new: Option<Vec<Name>>, known: Option<&Arc<[Name]>>| -> Arc<[Name]> {
            match new {
                Some(new) => new.into(),
                None => known.cloned().unwrap_or_default(),
            }
        };
        let version = Version {
            area,
            state,
            aliases: names(aliases, known.as_ref().map(|it| &it.aliases)),
            targets: names(targets, known.as_ref().map(|it| &it.targets)),
        };
        if version.names().next().is_some() {
            self.versions.push(version);
        }
    }

    /// Whether it is new, or holds for longer.
    fn observe(&mut self, new: Observed) -> bool {
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
