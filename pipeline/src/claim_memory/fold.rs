//! Applies reports and completions to the claims of a uid.

use std::collections::BTreeSet;

use super::claims::{MemoryClaim, MemoryClaims};
use super::scopes::{ClaimScopes, CompletedScan, KeyNumber};
use crate::claims::{
    Claim, ClaimClass, ClaimContext, ClaimInterval, IntervalEnd, PointKind, ReportPoint,
    ReportedBy, ScanEffect, ScopeRelation, scan_effect,
};
use crate::reports::{DirectReport, ScanCompletion};
use crate::uid;
use crate::unix_nanos::UnixNanos;

/// The effect of a report on the claims of a uid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClaimChange {
    /// Whether the claims hold new evidence. Then the existence of the uid may have changed.
    pub has_changed: bool,
    /// Whether a claim has a new value or was removed. False if a report only confirmed the value.
    pub has_new_value: bool,
}

impl ClaimChange {
    fn add(&mut self, other: ClaimChange) {
        self.has_changed |= other.has_changed;
        self.has_new_value |= other.has_new_value;
    }
}

impl ClaimScopes {
    /// Applies a report about a uid to its claims.
    pub fn report<T: Default>(
        &mut self,
        claims: &mut MemoryClaims<T>,
        report: &DirectReport<'_>,
    ) -> ClaimChange {
        let DirectReport { class, point, .. } = *report;
        let number = self.number(class, report.source, report.scope);
        let hash = uid::hash(report.uid);
        if claims.get(number).is_some_and(|it| it.has_point(&point)) {
            return ClaimChange::default();
        }
        let mut change = self.fold(hash, claims, number, Some(point), point.time);
        self.add_unconfirmed(number, hash, point.time, change.has_changed);
        let others: Vec<KeyNumber> = match point.kind {
            // Snapshots that no scan made end with the claim of the same source and scope.
            PointKind::Removed(_) => [ClaimClass::Edges, ClaimClass::Aliases]
                .into_iter()
                .filter_map(|class| self.sibling(number, class))
                .filter(|sibling| claims.get(*sibling).is_some())
                .collect(),
            // A delete event ends everything that any source reported before it.
            PointKind::Deleted => claims
                .iter()
                .map(|claim| claim.key)
                .filter(|key| *key != number && self.key(*key).class.ends_by_event())
                .collect(),
            PointKind::Seen { .. } => Vec::new(),
        };
        for key in others {
            let ended = self.fold(hash, claims, key, None, point.time);
            self.add_unconfirmed(key, hash, point.time, ended.has_changed);
            change.add(ended);
        }
        change
    }

    /// Adds a claim that is open in a store. `states` are its states with their start times, ascending. The last state
    /// is the current one, and `seen` is its last confirmation. The kept completions of scans that began after the last
    /// start time apply to the claim, and so does the next completion of its scope. Returns the number of the claim's
    /// key.
    pub fn restore<T: Default>(
        &mut self,
        uid: &str,
        claims: &mut MemoryClaims<T>,
        (class, source, scope): (ClaimClass, &str, &str),
        states: impl IntoIterator<Item = (UnixNanos, u64)>,
        seen: UnixNanos,
    ) -> KeyNumber {
        let (number, hash) = (self.number(class, source, scope), uid::hash(uid));
        let by = match class {
            ClaimClass::Actual | ClaimClass::Desired if !scope.is_empty() => ReportedBy::Scan,
            _ => ReportedBy::Row,
        };
        let mut intervals: Vec<ClaimInterval> = Vec::new();
        for (since, state) in states {
            if let Some(last) = intervals.last_mut() {
                last.until = Some((since, IntervalEnd::Replaced));
            }
            intervals.push(ClaimInterval::opened(since, state, by));
        }
        let Some(since) = intervals.last().map(|last| last.since) else {
            return number;
        };
        let claim = claims.get_or_add(number);
        claim.set_intervals(intervals);
        claim.confirm(seen);
        self.add_unconfirmed(number, hash, since, true);
        // The store has already applied earlier scans to the claim.
        let scans = self.context(hash, number, claims).scans.into_iter();
        for (began, _) in scans.filter(|(began, _)| *began > since) {
            self.fold(hash, claims, number, None, began);
        }
        number
    }

    /// Adds a completed scan. Returns the hashes of the uids whose claims it may change: the caller passes the claims
    /// of each to [`ClaimScopes::apply`].
    pub fn complete(&mut self, completion: &ScanCompletion<'_>) -> Vec<u64> {
        let number = self.number(completion.class, completion.source, completion.scope);
        let (began, members) = (completion.began, &completion.members);
        let scan = CompletedScan {
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
        if is_known || began < self.dropped_before(scope) {
            return Vec::new();
        }
        let last = self.past_scans(scope).last();
        let is_newest = last.is_none_or(|last| last.began < began);
        let is_unchanged = is_newest
            && scope.last_change == UnixNanos(0)
            && last.is_some_and(|it| (it.hash, it.miss) == (scan.hash, scan.miss));
        let mut affected = BTreeSet::new();
        if !is_unchanged {
            // A snapshot that no scan made is listed in the scopes of both classes.
            let scopes = [ClaimClass::Actual, ClaimClass::Desired].into_iter();
            for scope in scopes.filter_map(|class| self.sibling(number, class)) {
                self.collect_uids(scope, &mut affected);
            }
            affected.extend(members.iter().map(|(hash, _)| hash));
        }
        for below in self.scopes_below(number) {
            self.collect_uids(below, &mut affected);
        }
        for created in self.create_event_scopes(number) {
            self.collect_uids(created, &mut affected);
        }
        self.add_scan(number, scan);
        let dropped_before = self.dropped_before(&self.scopes[&number]);
        let scope = self.scopes.entry(number).or_default();
        if scope.last_change <= began {
            scope.last_change = UnixNanos(0);
        }
        if is_newest {
            scope
                .unconfirmed
                .retain(|hash, time| *time >= dropped_before && members.state_of(*hash).is_none());
            scope.unconfirmed.shrink_to_fit();
        }
        affected.into_iter().collect()
    }

    /// Adds the hashes of all uids that may have claims in a scope.
    fn collect_uids(&self, number: KeyNumber, uids: &mut BTreeSet<u64>) {
        let Some(scope) = self.scopes.get(&number) else {
            return;
        };
        uids.extend(scope.unconfirmed.keys());
        let mut before = None;
        for scan in &scope.scans {
            if before != Some(scan.hash) {
                uids.extend(scan.members.iter().map(|(hash, _)| hash));
            }
            before = Some(scan.hash);
        }
    }

    /// Applies a completion to the claims of one of the uids that [`ClaimScopes::complete`] returned.
    pub fn apply<T: Default>(
        &mut self,
        uid: u64,
        claims: &mut MemoryClaims<T>,
        completion: &ScanCompletion<'_>,
    ) -> ClaimChange {
        let scan = self.number(completion.class, completion.source, completion.scope);
        let (began, member) = (completion.began, completion.members.state_of(uid));
        let keys: Vec<KeyNumber> = claims.iter().map(|claim| claim.key).collect();
        let mut change = ClaimChange::default();
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
            let needs_next_scan = match relation {
                ScopeRelation::Own => !matches_member(claim, self.key(key).class, member),
                ScopeRelation::Above => folded.has_changed,
                ScopeRelation::SameName => claim.open().is_some(),
            };
            let in_scope = match relation {
                ScopeRelation::Own => scan,
                ScopeRelation::Above | ScopeRelation::SameName => key,
            };
            if needs_next_scan {
                self.add_unconfirmed(in_scope, uid, began, true);
            }
        }
        change
    }

    /// Whether a completion has an effect on any claim of a uid.
    pub fn concerns<T>(
        &self,
        uid: u64,
        claims: &MemoryClaims<T>,
        completion: &ScanCompletion<'_>,
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

    /// Whether a completion only confirms a claim: it is the newest of the claim's own scope, and its scan saw the uid
    /// in the current state of the claim.
    fn is_confirmed<T>(
        &self,
        key: KeyNumber,
        scan: KeyNumber,
        claims: &MemoryClaims<T>,
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

    /// Lists a uid with a claim of this key, so that the next completion of the scope applies to it.
    fn add_unconfirmed(&mut self, number: KeyNumber, uid: u64, time: UnixNanos, has_changed: bool) {
        let key = self.key(number);
        if key.scope.is_empty() {
            return;
        }
        let numbers = match key.class {
            ClaimClass::Actual | ClaimClass::Desired | ClaimClass::Created => vec![number],
            ClaimClass::Edges | ClaimClass::Aliases => {
                let (source, scope) = (key.source.clone(), key.scope.clone());
                let desired = self.sibling(number, ClaimClass::Desired);
                let actual = self.number(ClaimClass::Actual, &source, &scope);
                desired.into_iter().chain([actual]).collect()
            }
            ClaimClass::Telemetry | ClaimClass::Health => Vec::new(),
        };
        for number in numbers {
            let scope = self.scopes.entry(number).or_default();
            let known = scope.unconfirmed.entry(uid).or_insert(time);
            *known = time.max(*known);
            if has_changed {
                scope.last_change = scope.last_change.max(time);
            }
        }
    }

    fn fold<T: Default>(
        &mut self,
        uid: u64,
        claims: &mut MemoryClaims<T>,
        number: KeyNumber,
        point: Option<ReportPoint>,
        time: UnixNanos,
    ) -> ClaimChange {
        let mut context = self.context(uid, number, claims);
        let kept = claims.get_or_add(number);
        let confirmed = kept.stored_confirmation();
        if let Some((seen, state)) = confirmed {
            // The confirmation counts like a scan that saw the uid: evidence from before it is late.
            context.scans.push((seen, ScanEffect::Seen(state)));
            context.scans.sort_by_key(|(began, _)| *began);
        }
        let mut claim = Claim {
            key: self.key(number).clone(),
            intervals: kept.intervals(),
        };
        let changed = match point {
            Some(point) => claim.report(point, &context),
            None => claim.refold_at(time, &context),
        };
        let mut change = ClaimChange::default();
        if changed.is_some() {
            let before: Vec<_> = kept.values().collect();
            kept.set_intervals(claim.intervals);
            if let Some((seen, _)) = confirmed.filter(|(_, state)| has_open_state(kept, *state)) {
                kept.confirm(seen);
            }
            change.has_changed = true;
            let is_removal = point.is_some_and(|point| !point.is_sighting());
            change.has_new_value = is_removal || !kept.values().eq(before);
        }
        change
    }

    /// Collects the evidence about a claim that its own intervals do not hold.
    fn context<T>(&self, uid: u64, number: KeyNumber, claims: &MemoryClaims<T>) -> ClaimContext {
        let mut context = ClaimContext {
            deleted: claims.delete_event_times(),
            scans: self.sibling_removals(number, claims),
            ..ClaimContext::default()
        };
        let class = self.key(number).class;
        for (relation, scope) in self.relations(number) {
            let scan_class = self.key(scope).class;
            let Some(scope) = self.scopes.get(&scope) else {
                continue;
            };
            context.dropped_before = context.dropped_before.max(self.dropped_before(scope));
            for scan in self.past_scans(scope) {
                let member = scan.members.state_of(uid);
                let effect = scan_effect(relation, (class, scan_class), member, scan.miss);
                context
                    .scans
                    .extend(effect.map(|effect| (scan.began, effect)));
            }
        }
        context.scans.sort_by_key(|(began, _)| *began);
        context
    }

    /// The removals of other claims that also end this claim. Only a snapshot that no scan made has such removals:
    /// those of the claims with the same source and scope.
    fn sibling_removals<T>(
        &self,
        number: KeyNumber,
        claims: &MemoryClaims<T>,
    ) -> Vec<(UnixNanos, ScanEffect)> {
        if !matches!(
            self.key(number).class,
            ClaimClass::Edges | ClaimClass::Aliases
        ) {
            return Vec::new();
        }
        let siblings = [ClaimClass::Actual, ClaimClass::Desired].into_iter();
        let siblings = siblings.filter_map(|class| claims.get(self.sibling(number, class)?));
        let removals = siblings.flat_map(MemoryClaim::reported_removals);
        removals
            .map(|(time, how)| (time, ScanEffect::Missing(how)))
            .collect()
    }
}

fn has_open_state<T>(claim: &MemoryClaim<T>, state: u64) -> bool {
    claim.open().is_some_and(|(open, _)| open == state)
}

/// Whether the claim has the state in which a scan of its scope saw the uid.
fn matches_member<T>(claim: &MemoryClaim<T>, class: ClaimClass, member: Option<u64>) -> bool {
    match (claim.open(), member) {
        // The state of a member does not identify a snapshot that no scan made.
        (_, Some(_)) if matches!(class, ClaimClass::Edges | ClaimClass::Aliases) => true,
        (Some((open, _)), Some(state)) => state == 0 || state == open,
        (open, member) => open.is_some() == member.is_some(),
    }
}
