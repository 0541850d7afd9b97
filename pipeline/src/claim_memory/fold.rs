//! Reports in: which claims they change.

use std::collections::BTreeSet;

use super::claims::{HeldClaim, HeldClaims};
use super::scopes::{KeyNumber, Scan, Scopes};
use crate::claims::{
    Around, By, Claim, Class, Ending, Meaning, Point, Relation, Stretch, What, meaning,
};
use crate::component::UnixNanos;
use crate::reports::{Completion, DirectReport};
use crate::uid;

/// What a report did to the claims of a uid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Whether anything is known that was not: whether the uid exists may depend on it.
    pub has_changed: bool,
    /// Whether a claim says something else, or was removed, and was not only seen again.
    pub has_news: bool,
}

impl Change {
    fn add(&mut self, other: Change) {
        self.has_changed |= other.has_changed;
        self.has_news |= other.has_news;
    }
}

impl Scopes {
    /// Takes in a report about a uid.
    pub fn report<T: Default>(
        &mut self,
        claims: &mut HeldClaims<T>,
        report: &DirectReport<'_>,
    ) -> Change {
        let DirectReport { class, point, .. } = *report;
        let number = self.number(class, report.source, report.scope);
        let hash = uid::hash(report.uid);
        if claims.get(number).is_some_and(|it| it.reports(&point)) {
            return Change::default();
        }
        let mut change = self.fold(hash, claims, number, Some(point), point.time);
        self.note(number, hash, point.time, change.has_changed);
        let beside: Vec<KeyNumber> = match point.what {
            // Snapshots that no scan made end with the claim of the same source and scope.
            What::Removed(_) => [Class::Edges, Class::Aliases]
                .into_iter()
                .filter_map(|class| self.sibling(number, class))
                .filter(|beside| claims.get(*beside).is_some())
                .collect(),
            // A delete event ends what every source reported before it.
            What::Deleted => claims
                .iter()
                .map(|claim| claim.key)
                .filter(|key| *key != number && self.key(*key).class.ends_by_event())
                .collect(),
            What::Seen { .. } => Vec::new(),
        };
        for key in beside {
            let ended = self.fold(hash, claims, key, None, point.time);
            self.note(key, hash, point.time, ended.has_changed);
            change.add(ended);
        }
        change
    }

    /// Takes in a claim as it is stored: since when it has which states, ascending, the last of them
    /// open and confirmed at `seen`. Scans that began after it and are known here count, and the next one is
    /// compared with it.
    pub fn restore<T: Default>(
        &mut self,
        uid: &str,
        claims: &mut HeldClaims<T>,
        (class, source, scope): (Class, &str, &str),
        states: impl IntoIterator<Item = (UnixNanos, u64)>,
        seen: UnixNanos,
    ) -> KeyNumber {
        let (number, hash) = (self.number(class, source, scope), uid::hash(uid));
        let by = match class {
            Class::Actual | Class::Desired if !scope.is_empty() => By::Scan,
            _ => By::Row,
        };
        let mut stretches: Vec<Stretch> = Vec::new();
        for (since, state) in states {
            if let Some(last) = stretches.last_mut() {
                last.until = Some((since, Ending::Replaced));
            }
            stretches.push(Stretch::opened(since, state, by));
        }
        let Some(since) = stretches.last().map(|last| last.since) else {
            return number;
        };
        let claim = claims.of(number);
        claim.set(stretches);
        claim.confirm(seen);
        self.note(number, hash, since, true);
        // What the store knew of earlier scans is in what it says.
        let later = self.around(hash, number, claims).scans.into_iter();
        for (began, _) in later.filter(|(began, _)| *began > since) {
            self.fold(hash, claims, number, None, began);
        }
        number
    }

    /// Takes in that a scan completed: the hashes of the uids whose claims it may change.
    pub fn complete(&mut self, completion: &Completion<'_>) -> Vec<u64> {
        let number = self.number(completion.class, completion.source, completion.scope);
        let (began, members) = (completion.began, &completion.members);
        let scan = Scan {
            began,
            members: members.clone(),
            hash: members.hash(),
            miss: completion.miss,
        };
        self.scopes.entry(number).or_default();
        let scope = &self.scopes[&number];
        let is_known = scope
            .scans
            .iter()
            .any(|it| (it.began, it.hash, it.miss) == (scan.began, scan.hash, scan.miss));
        if is_known || began < self.forgotten(scope) {
            return Vec::new();
        }
        let last = self.happened(scope).last();
        let is_newest = last.is_none_or(|last| last.began < began);
        let is_unchanged = is_newest
            && scope.touched == UnixNanos(0)
            && last.is_some_and(|it| (it.hash, it.miss) == (scan.hash, scan.miss));
        let mut found = BTreeSet::new();
        if !is_unchanged {
            // Snapshots that no scan made are noted in one of them.
            let scopes = [Class::Actual, Class::Desired].into_iter();
            for scope in scopes.filter_map(|class| self.sibling(number, class)) {
                self.add_candidates(scope, &mut found);
            }
            found.extend(members.iter().map(|(hash, _)| hash));
        }
        for below in self.below(number) {
            self.add_candidates(below, &mut found);
        }
        for created in self.created_beside(number) {
            self.add_candidates(created, &mut found);
        }
        self.record(number, scan);
        let forgotten = self.forgotten(&self.scopes[&number]);
        let scope = self.scopes.entry(number).or_default();
        if scope.touched <= began {
            scope.touched = UnixNanos(0);
        }
        if is_newest {
            scope
                .others
                .retain(|hash, time| *time >= forgotten && members.state_of(*hash).is_none());
            scope.others.shrink_to_fit();
        }
        found.into_iter().collect()
    }

    fn add_candidates(&self, number: KeyNumber, found: &mut BTreeSet<u64>) {
        let Some(scope) = self.scopes.get(&number) else {
            return;
        };
        found.extend(scope.others.keys());
        let mut before = None;
        for scan in &scope.scans {
            if before != Some(scan.hash) {
                found.extend(scan.members.iter().map(|(hash, _)| hash));
            }
            before = Some(scan.hash);
        }
    }

    /// Takes in what the completion means for one of the uids that [`Scopes::complete`] returned.
    pub fn apply<T: Default>(
        &mut self,
        uid: u64,
        claims: &mut HeldClaims<T>,
        completion: &Completion<'_>,
    ) -> Change {
        let scan = self.number(completion.class, completion.source, completion.scope);
        let (began, member) = (completion.began, completion.members.state_of(uid));
        let keys: Vec<KeyNumber> = claims.iter().map(|claim| claim.key).collect();
        let mut change = Change::default();
        for key in keys {
            if self.is_confirmed(key, scan, claims, member, began) {
                continue;
            }
            let relations = self.relations(key).into_iter();
            let mut relations = relations.filter(|(_, scope)| *scope == scan);
            let Some((relation, _)) = relations.next() else {
                continue;
            };
            let folded = self.fold(uid, claims, key, None, began);
            change.add(folded);
            let Some(claim) = claims.get(key) else {
                continue;
            };
            let is_unsettled = match relation {
                Relation::Own => !agrees(claim, self.key(key).class, member),
                Relation::Above => folded.has_changed,
                Relation::SameName => claim.open().is_some(),
            };
            let noted = match relation {
                Relation::Own => scan,
                Relation::Above | Relation::SameName => key,
            };
            if is_unsettled {
                self.note(noted, uid, began, true);
            }
        }
        change
    }

    /// Whether a completion means anything new for any of the claims of a uid.
    pub fn concerns<T>(
        &self,
        uid: u64,
        claims: &HeldClaims<T>,
        completion: &Completion<'_>,
    ) -> bool {
        let Some(scan) = self.find(completion.class, completion.source, completion.scope) else {
            return false;
        };
        let (began, member) = (completion.began, completion.members.state_of(uid));
        claims.iter().any(|claim| {
            !self.is_confirmed(claim.key, scan, claims, member, began)
                && self.relations(claim.key).iter().any(|(_, it)| *it == scan)
        })
    }

    /// Whether the newest scan of its own scope saw a claim as it is.
    fn is_confirmed<T>(
        &self,
        key: KeyNumber,
        scan: KeyNumber,
        claims: &HeldClaims<T>,
        member: Option<u64>,
        began: UnixNanos,
    ) -> bool {
        let claim = claims.get(key).filter(|_| key == scan);
        claim.is_some_and(|claim| {
            let is_same = |(state, _): (u64, UnixNanos)| {
                member.is_some_and(|member| member == 0 || member == state)
            };
            claim.open().is_some_and(is_same)
                && claim.last_report() <= began
                && self.newest_scan(scan) == Some(began)
        })
    }

    /// A uid has a claim of this key that the next completion must look at.
    fn note(&mut self, number: KeyNumber, uid: u64, time: UnixNanos, has_changed: bool) {
        let key = self.key(number);
        if key.scope.is_empty() {
            return;
        }
        let of = match key.class {
            Class::Actual | Class::Desired | Class::Created => vec![number],
            Class::Edges | Class::Aliases => {
                let (source, scope) = (key.source.clone(), key.scope.clone());
                let desired = self.sibling(number, Class::Desired);
                let actual = self.number(Class::Actual, &source, &scope);
                desired.into_iter().chain([actual]).collect()
            }
            Class::Telemetry | Class::Health => Vec::new(),
        };
        for number in of {
            let scope = self.scopes.entry(number).or_default();
            let known = scope.others.entry(uid).or_insert(time);
            *known = time.max(*known);
            if has_changed {
                scope.touched = scope.touched.max(time);
            }
        }
    }

    fn fold<T: Default>(
        &mut self,
        uid: u64,
        claims: &mut HeldClaims<T>,
        number: KeyNumber,
        point: Option<Point>,
        time: UnixNanos,
    ) -> Change {
        let mut around = self.around(uid, number, claims);
        let held = claims.of(number);
        let confirmed = held.confirmed();
        if let Some((seen, state)) = confirmed {
            // As a scan that saw it: what is older than this confirmation is late.
            around.scans.push((seen, Meaning::Seen(state)));
            around.scans.sort_by_key(|(began, _)| *began);
        }
        let mut claim = Claim {
            key: self.key(number).clone(),
            stretches: held.stretches(),
        };
        let changed = match point {
            Some(point) => claim.report(point, &around),
            None => claim.happened(time, &around),
        };
        let mut folded = Change::default();
        if changed.is_some() {
            let before: Vec<_> = held.held().collect();
            held.set(claim.stretches);
            if let Some((seen, _)) = confirmed.filter(|(_, state)| is_open_in(held, *state)) {
                held.confirm(seen);
            }
            folded.has_changed = true;
            let is_removal = point.is_some_and(|point| !point.is_sighting());
            folded.has_news = is_removal || !held.held().eq(before);
        }
        folded
    }

    /// All that is known besides the claim's own stretches.
    fn around<T>(&self, uid: u64, number: KeyNumber, claims: &HeldClaims<T>) -> Around {
        let mut around = Around {
            deleted: claims.delete_events(),
            scans: self.removed_beside(number, claims),
            ..Around::default()
        };
        let class = self.key(number).class;
        for (relation, scope) in self.relations(number) {
            let scan_class = self.key(scope).class;
            let Some(scope) = self.scopes.get(&scope) else {
                continue;
            };
            around.forgotten = around.forgotten.max(self.forgotten(scope));
            for scan in self.happened(scope) {
                let member = scan.members.state_of(uid);
                let meaning = meaning(relation, (class, scan_class), member, scan.miss);
                around.scans.extend(meaning.map(|it| (scan.began, it)));
            }
        }
        around.scans.sort_by_key(|(began, _)| *began);
        around
    }

    /// Removals of the claim that a snapshot without a scan ends with.
    fn removed_beside<T>(
        &self,
        number: KeyNumber,
        claims: &HeldClaims<T>,
    ) -> Vec<(UnixNanos, Meaning)> {
        if !matches!(self.key(number).class, Class::Edges | Class::Aliases) {
            return Vec::new();
        }
        let beside = [Class::Actual, Class::Desired].into_iter();
        let beside = beside.filter_map(|class| claims.get(self.sibling(number, class)?));
        let points = beside.flat_map(HeldClaim::own_removals);
        points
            .map(|(time, how)| (time, Meaning::Gone(how)))
            .collect()
    }
}

fn is_open_in<T>(claim: &HeldClaim<T>, state: u64) -> bool {
    claim.open().is_some_and(|(open, _)| open == state)
}

/// Whether a claim is as a scan of its scope saw it.
fn agrees<T>(claim: &HeldClaim<T>, class: Class, member: Option<u64>) -> bool {
    match (claim.open(), member) {
        // A member says nothing of a snapshot that no scan made.
        (_, Some(_)) if matches!(class, Class::Edges | Class::Aliases) => true,
        (Some((open, _)), Some(state)) => state == 0 || state == open,
        (open, member) => open.is_some() == member.is_some(),
    }
}
