//! Keeps every report and answers by evaluating the claim rules one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use crate::claims::{Class, Existence, Removal, Report, STALE_AFTER};
use crate::component::UnixNanos;
use crate::graph_store::At;

use super::fold::{Claim, Key, Stretch, fold_uid};
use super::histories::time;

/// A completion is too late once this many with a later start arrived before it.
const TOO_LATE: usize = 15;

/// All reports that arrived, and the answers that follow from them.
#[derive(Default)]
pub struct Replay {
    /// Sightings, removals and delete events by uid, in order of arrival.
    direct: BTreeMap<String, Vec<Report>>,
    /// Those that were not too late, in order of arrival.
    completions: Vec<Report>,
    /// When the completions began that arrived.
    arrived: BTreeMap<Key, BTreeSet<UnixNanos>>,
    too_late: usize,
    /// The claims of each uid, until the next report arrives.
    folded: OnceLock<BTreeMap<String, Vec<Claim>>>,
    /// Reports of earlier times are not taken any more.
    horizon: UnixNanos,
}

/// What ended so long before the horizon may be forgotten.
const MARGIN: u64 = 60 * 60 * 1_000_000_000;

/// Says that a uid was deleted.
struct Deletion<'a> {
    time: UnixNanos,
    /// The source and the scope; an event has no scope.
    by: (&'a str, &'a str),
}

impl Replay {
    pub fn new() -> Replay {
        Replay::default()
    }

    pub fn push(&mut self, report: Report) {
        if time(&report) < self.horizon {
            return;
        }
        self.folded = OnceLock::new();
        match &report {
            Report::Seen { uid, .. }
            | Report::Removed { uid, .. }
            | Report::DeleteEvent { uid, .. } => {
                self.direct.entry(uid.clone()).or_default().push(report);
            }
            Report::Completion {
                source,
                scope,
                class,
                began,
                ..
            } => {
                let key = Key::new(*class, source, scope);
                let arrived = self.arrived.entry(key).or_default();
                let later = arrived.iter().filter(|other| *other > began).count();
                arrived.insert(*began);
                if later >= TOO_LATE {
                    self.too_late += 1;
                } else {
                    self.completions.push(report);
                }
            }
        }
    }

    pub fn raise_horizon(&mut self, horizon: UnixNanos) {
        self.horizon = self.horizon.max(horizon);
    }

    pub fn horizon(&self) -> UnixNanos {
        self.horizon
    }

    /// Whether nothing has claimed or seen the uid since an hour before the horizon.
    pub fn is_over(&self, uid: &str, seen_for: Duration) -> bool {
        let cut = self.horizon.0.saturating_sub(MARGIN);
        let seen_for = u64::try_from(seen_for.as_nanos()).unwrap_or(u64::MAX);
        let direct = self.direct.get(uid).into_iter().flatten();
        if direct.clone().any(|report| time(report).0 >= cut) {
            return false;
        }
        self.claims(uid).iter().all(|claim| {
            let Some(last) = claim.stretches.last() else {
                return true;
            };
            match (last.until, claim.key.class) {
                (Some(until), _) => until.0 < cut,
                (None, Class::Actual | Class::Created | Class::Desired) => false,
                (None, _) => {
                    let seen = claim.sightings.keys().next_back();
                    let seen = seen.map_or(0, |seen| seen.0);
                    seen_for > 0 && seen < cut.saturating_sub(seen_for)
                }
            }
        })
    }

    /// Forgets what rows reported of a uid.
    pub fn forget(&mut self, uid: &str) {
        self.folded = OnceLock::new();
        self.direct.remove(uid);
    }

    /// How many completions were ignored because they arrived too late.
    pub fn too_late(&self) -> usize {
        self.too_late
    }

    /// All that a report names.
    pub fn uids(&self) -> BTreeSet<String> {
        self.folded().keys().cloned().collect()
    }

    /// The class, source and scope of each claim that a uid ever had.
    pub fn keys(&self, uid: &str) -> Vec<(Class, String, String)> {
        let keys = self.claims(uid).iter().map(|claim| &claim.key);
        keys.map(|key| (key.class, key.source.clone(), key.scope.clone()))
            .collect()
    }

    /// Empty for a claim that nothing ever opened.
    pub fn stretches(&self, uid: &str, class: Class, source: &str, scope: &str) -> Vec<Stretch> {
        let key = Key::new(class, source, scope);
        let mut claims = self.claims(uid).iter();
        let claim = claims.find(|claim| claim.key == key);
        claim.map_or_else(Vec::new, |claim| claim.stretches.clone())
    }

    /// The source, scope and state whose value a uid shows, or showed last.
    pub fn value(&self, uid: &str, class: Class, at: At) -> Option<(String, String, u64)> {
        let moment = moment(at);
        let of_class = || {
            let claims = self.claims(uid).iter();
            claims.filter(|claim| claim.key.class == class)
        };
        let open = of_class().filter_map(|claim| {
            let stretch = claim.open_at(moment)?;
            Some((stretch, &claim.key))
        });
        if let Some((stretch, key)) = open.max_by_key(|(stretch, key)| {
            let source = key.source.as_str();
            (stretch.since, source, stretch.state, key.scope.as_str())
        }) {
            return Some((key.source.clone(), key.scope.clone(), stretch.state));
        }
        let ended = of_class().filter_map(|claim| {
            let mut latest = claim.stretches.iter().rev();
            let last = latest.find(|one| one.since <= moment)?;
            Some((last, &claim.key))
        });
        let (stretch, key) = ended.max_by_key(|(stretch, key)| {
            let source = key.source.as_str();
            let scope = key.scope.as_str();
            (stretch.until, stretch.since, source, stretch.state, scope)
        })?;
        Some((key.source.clone(), key.scope.clone(), stretch.state))
    }

    /// The source, scope and state of each version whose edges and aliases a uid has.
    pub fn snapshots(&self, uid: &str, at: At) -> BTreeSet<(String, String, u64)> {
        let moment = moment(at);
        let mut snapshots = BTreeSet::new();
        for claim in self.claims(uid) {
            let has_snapshot = match claim.key.class {
                Class::Actual | Class::Desired | Class::Edges | Class::Aliases => true,
                Class::Created | Class::Telemetry | Class::Health => false,
            };
            let Some(stretch) = claim.open_at(moment) else {
                continue;
            };
            if has_snapshot {
                let key = &claim.key;
                snapshots.insert((key.source.clone(), key.scope.clone(), stretch.state));
            }
        }
        snapshots
    }

    pub fn existence(&self, uid: &str, at: At) -> Existence {
        let moment = moment(at);
        let lifecycle: Vec<&Claim> = self
            .claims(uid)
            .iter()
            .filter(|claim| matches!(claim.key.class, Class::Actual | Class::Created))
            .collect();
        let deletions = self.deletions(uid, &lifecycle, moment);

        let all_stretches = || lifecycle.iter().flat_map(|claim| &claim.stretches);
        if !all_stretches().any(|stretch| stretch.since <= moment) {
            let first = deletions.iter().map(|deletion| deletion.time).min();
            return first.map_or(Existence::Unknown, Existence::Ended);
        }

        let open = || {
            let claims = lifecycle.iter().copied();
            claims.filter(|claim| claim.open_at(moment).is_some())
        };
        if open().any(|claim| !self.is_stale(claim, moment, &deletions)) {
            return Existence::Exists;
        }

        let sightings = lifecycle.iter().flat_map(|claim| claim.sightings.keys());
        let last_sighting = sightings.filter(|time| **time <= moment).max();
        let times = deletions.iter().map(|deletion| deletion.time);
        let after = times.filter(|time| Some(time) > last_sighting);
        if let Some(first) = after.min() {
            return Existence::Ended(first);
        }

        let untils = all_stretches().filter_map(|stretch| stretch.until);
        let last_until = untils.filter(|until| *until <= moment).max();
        let last_activity = open().map(|claim| self.activity(claim, moment)).max();
        let since = last_until.or(last_activity);
        Existence::Unobserved(since.expect("a claim that began is open or has ended"))
    }

    /// All that say that the uid was deleted up to the moment.
    fn deletions<'a>(
        &'a self,
        uid: &str,
        lifecycle: &[&'a Claim],
        moment: UnixNanos,
    ) -> Vec<Deletion<'a>> {
        let mut deletions = Vec::new();
        for claim in lifecycle {
            let by = (claim.key.source.as_str(), claim.key.scope.as_str());
            let times = claim.deleted.iter();
            deletions.extend(times.map(|&time| Deletion { time, by }));
        }
        for report in self.direct.get(uid).into_iter().flatten() {
            match report {
                Report::Removed {
                    class: Class::Actual,
                    source,
                    scope,
                    time,
                    how: Removal::Deleted,
                    ..
                } => deletions.push(Deletion {
                    time: *time,
                    by: (source, scope),
                }),
                Report::DeleteEvent { source, time, .. } => deletions.push(Deletion {
                    time: *time,
                    by: (source, ""),
                }),
                _ => {}
            }
        }
        deletions.retain(|deletion| deletion.time <= moment);
        deletions
    }

    /// Whether another scope deleted the uid when the open claim's own was silent for too long.
    fn is_stale(&self, claim: &Claim, moment: UnixNanos, deletions: &[Deletion<'_>]) -> bool {
        let by = (claim.key.source.as_str(), claim.key.scope.as_str());
        let from = self.activity(claim, moment).after(STALE_AFTER);
        let mut others = deletions.iter().filter(|deletion| deletion.by != by);
        others.any(|deletion| deletion.time >= from)
    }

    /// When the open claim's scope last did anything, as of the moment.
    fn activity(&self, claim: &Claim, moment: UnixNanos) -> UnixNanos {
        let until = claim.opening_until(moment);
        let mut later = claim.sightings.keys().filter(|time| **time > moment);
        if later.any(|time| until.is_none_or(|until| *time < until)) {
            return moment;
        }
        let sightings = claim.sightings.keys().copied();
        let completions = self.completions.iter().filter_map(|completion| {
            let Report::Completion {
                source,
                scope,
                class,
                began,
                ..
            } = completion
            else {
                return None;
            };
            let is_of_claim = if claim.key.class == Class::Created {
                *class == Class::Actual && *scope == claim.key.scope
            } else {
                Key::new(*class, source, scope) == claim.key
            };
            is_of_claim.then_some(*began)
        });
        let all = sightings.chain(completions);
        let last = all.filter(|time| *time <= moment).max();
        last.expect("an open claim has a sighting")
    }

    fn claims(&self, uid: &str) -> &[Claim] {
        self.folded().get(uid).map_or(&[], Vec::as_slice)
    }

    fn folded(&self) -> &BTreeMap<String, Vec<Claim>> {
        self.folded.get_or_init(|| {
            let mut uids: BTreeSet<&String> = self.direct.keys().collect();
            for completion in &self.completions {
                if let Report::Completion { members, .. } = completion {
                    uids.extend(members.keys());
                }
            }
            let fold = |uid: &String| {
                let direct = self.direct.get(uid).into_iter().flatten();
                let reports: Vec<&Report> = direct.chain(&self.completions).collect();
                (uid.clone(), fold_uid(uid, &reports))
            };
            uids.into_iter().map(fold).collect()
        })
    }
}

/// Now is after every report.
fn moment(at: At) -> UnixNanos {
    match at {
        At::Now => UnixNanos(u64::MAX),
        At::Time(time) => time,
    }
}
