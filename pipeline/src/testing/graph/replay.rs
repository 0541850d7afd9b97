//! The replay: a plain reference implementation of the claim rules. It keeps every report and evaluates all rules at
//! each read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use crate::claims::{ClaimClass, Existence, Removal, Report, STALE_AFTER};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;

use super::fold::{ReplayClaim, ReplayInterval, ReplayKey, fold_uid};

/// A completion is late, and so ignored, if at least this many completions of the same source, scope and class began
/// after it and arrived before it.
const LATE_COMPLETION_LIMIT: usize = 15;

/// All reports that arrived. Its methods compute the answers that a correct store gives after the same reports.
#[derive(Default)]
pub struct Replay {
    /// Sightings, removals and delete events by uid, in order of arrival.
    direct: BTreeMap<String, Vec<Report>>,
    /// The accepted completions, in order of arrival.
    completions: Vec<Report>,
    /// For each source, scope and class, the start times of its completed scans, including the ignored completions.
    arrived: BTreeMap<ReplayKey, BTreeSet<UnixNanos>>,
    late_completions: usize,
    /// A cache of the claims of each uid. The next report clears it.
    folded: OnceLock<BTreeMap<String, Vec<ReplayClaim>>>,
    /// Reports with an earlier time are dropped.
    horizon: UnixNanos,
}

/// Housekeeping may remove a node whose claims ended more than this time before the horizon, in nanoseconds.
const MARGIN: u64 = 60 * 60 * 1_000_000_000;

/// The deletion of a uid, from a report or from the end of a claim.
struct Deletion<'a> {
    time: UnixNanos,
    /// The source and the scope. The scope of a delete event is empty.
    by: (&'a str, &'a str),
}

impl Replay {
    /// Returns a replay without reports.
    pub fn new() -> Replay {
        Replay::default()
    }

    /// Adds a report. Drops it if its time is before the horizon.
    pub fn push(&mut self, report: Report) {
        if report.time() < self.horizon {
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
                let key = ReplayKey::new(*class, source, scope);
                let arrived = self.arrived.entry(key).or_default();
                let began_later = arrived.iter().filter(|other| *other > began).count();
                arrived.insert(*began);
                if began_later >= LATE_COMPLETION_LIMIT {
                    self.late_completions += 1;
                } else {
                    self.completions.push(report);
                }
            }
        }
    }

    /// Sets the horizon to this time, unless it is already later.
    pub fn raise_horizon(&mut self, horizon: UnixNanos) {
        self.horizon = self.horizon.max(horizon);
    }

    /// The earliest time as of which the answers must equal those of the store.
    pub fn horizon(&self) -> UnixNanos {
        self.horizon
    }

    /// Whether housekeeping may remove the node of a uid. It may if all direct reports about the uid are older than an
    /// hour before the horizon, and all claims ended before that time. An open claim of class `Telemetry`, `Health`,
    /// `Edges` or `Aliases` counts as ended `observed_edge_ttl` after its last sighting; if that is 0, it never counts
    /// as ended.
    pub fn is_removable(&self, uid: &str, observed_edge_ttl: Duration) -> bool {
        let cut = self.horizon.0.saturating_sub(MARGIN);
        let observed_edge_ttl = u64::try_from(observed_edge_ttl.as_nanos()).unwrap_or(u64::MAX);
        let direct = self.direct.get(uid).into_iter().flatten();
        if direct.clone().any(|report| report.time().0 >= cut) {
            return false;
        }
        self.claims(uid).iter().all(|claim| {
            let Some(last) = claim.intervals.last() else {
                return true;
            };
            match (last.until, claim.key.class) {
                (Some(until), _) => until.0 < cut,
                (None, ClaimClass::Actual | ClaimClass::Created | ClaimClass::Desired) => false,
                (None, _) => {
                    let seen = claim.sightings.keys().next_back();
                    let seen = seen.map_or(0, |seen| seen.0);
                    observed_edge_ttl > 0 && seen < cut.saturating_sub(observed_edge_ttl)
                }
            }
        })
    }

    /// Drops all rows, removals and delete events of a uid.
    pub fn drop_direct_reports(&mut self, uid: &str) {
        self.folded = OnceLock::new();
        self.direct.remove(uid);
    }

    /// The number of completions that were ignored because they arrived too late.
    pub fn late_completions(&self) -> usize {
        self.late_completions
    }

    /// All uids that reports name, members of completions included.
    pub fn uids(&self) -> BTreeSet<String> {
        self.folded().keys().cloned().collect()
    }

    /// The class, source and scope of each claim that a uid ever had.
    pub fn keys(&self, uid: &str) -> Vec<(ClaimClass, String, String)> {
        let keys = self.claims(uid).iter().map(|claim| &claim.key);
        keys.map(|key| (key.class, key.source.clone(), key.scope.clone()))
            .collect()
    }

    /// The intervals of a claim, ordered by time. Empty if no row opened the claim.
    pub fn intervals(
        &self,
        uid: &str,
        class: ClaimClass,
        source: &str,
        scope: &str,
    ) -> Vec<ReplayInterval> {
        let key = ReplayKey::new(class, source, scope);
        let mut claims = self.claims(uid).iter();
        let claim = claims.find(|claim| claim.key == key);
        claim.map_or_else(Vec::new, |claim| claim.intervals.clone())
    }

    /// The source, scope and state of the claim of a class whose value wins for the uid. If no claim of the class is
    /// open, the claim that ended last wins.
    pub fn value(&self, uid: &str, class: ClaimClass, at: AsOf) -> Option<(String, String, u64)> {
        let moment = moment(at);
        let class_claims = || {
            let claims = self.claims(uid).iter();
            claims.filter(|claim| claim.key.class == class)
        };
        let open = class_claims().filter_map(|claim| {
            let interval = claim.open_at(moment)?;
            Some((interval, &claim.key))
        });
        if let Some((interval, key)) = open.max_by_key(|(interval, key)| {
            let source = key.source.as_str();
            (interval.since, source, interval.state, key.scope.as_str())
        }) {
            return Some((key.source.clone(), key.scope.clone(), interval.state));
        }
        let ended = class_claims().filter_map(|claim| {
            let mut latest = claim.intervals.iter().rev();
            let last = latest.find(|one| one.since <= moment)?;
            Some((last, &claim.key))
        });
        let (interval, key) = ended.max_by_key(|(interval, key)| {
            let source = key.source.as_str();
            let scope = key.scope.as_str();
            (
                interval.until,
                interval.since,
                source,
                interval.state,
                scope,
            )
        })?;
        Some((key.source.clone(), key.scope.clone(), interval.state))
    }

    /// The source, scope and state of each version whose snapshots of edges and aliases are current for the uid.
    pub fn snapshots(&self, uid: &str, at: AsOf) -> BTreeSet<(String, String, u64)> {
        let moment = moment(at);
        let mut snapshots = BTreeSet::new();
        for claim in self.claims(uid) {
            let has_snapshot = match claim.key.class {
                ClaimClass::Actual
                | ClaimClass::Desired
                | ClaimClass::Edges
                | ClaimClass::Aliases => true,
                ClaimClass::Created | ClaimClass::Telemetry | ClaimClass::Health => false,
            };
            let Some(interval) = claim.open_at(moment) else {
                continue;
            };
            if has_snapshot {
                let key = &claim.key;
                snapshots.insert((key.source.clone(), key.scope.clone(), interval.state));
            }
        }
        snapshots
    }

    /// Whether the uid exists, has ended, is unobserved, or is unknown.
    pub fn existence(&self, uid: &str, at: AsOf) -> Existence {
        let moment = moment(at);
        let lifecycle: Vec<&ReplayClaim> = self
            .claims(uid)
            .iter()
            .filter(|claim| matches!(claim.key.class, ClaimClass::Actual | ClaimClass::Created))
            .collect();
        let deletions = self.deletions(uid, &lifecycle, moment);

        let all_intervals = || lifecycle.iter().flat_map(|claim| &claim.intervals);
        if !all_intervals().any(|interval| interval.since <= moment) {
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

        let ends = all_intervals().filter_map(|interval| interval.until);
        let last_until = ends.filter(|until| *until <= moment).max();
        let last_activity = open().map(|claim| self.activity(claim, moment)).max();
        let since = last_until.or(last_activity);
        Existence::Unobserved(since.expect("a claim that began is open or has ended"))
    }

    /// The deletions of the uid up to the moment, from claims, `deleted` rows and delete events.
    fn deletions<'a>(
        &'a self,
        uid: &str,
        lifecycle: &[&'a ReplayClaim],
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
                    class: ClaimClass::Actual,
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

    /// Whether an open claim is stale: another scope reported a deletion `STALE_AFTER` or more after the last activity
    /// of the claim's own scope.
    fn is_stale(&self, claim: &ReplayClaim, moment: UnixNanos, deletions: &[Deletion<'_>]) -> bool {
        let by = (claim.key.source.as_str(), claim.key.scope.as_str());
        let from = self.activity(claim, moment) + STALE_AFTER;
        let mut others = deletions.iter().filter(|deletion| deletion.by != by);
        others.any(|deletion| deletion.time >= from)
    }

    /// The time of the last activity of the scope of an open claim, as of the moment: a completion of the scope, or a
    /// sighting of the claim. It is the moment itself if a later sighting continues the same run of intervals.
    fn activity(&self, claim: &ReplayClaim, moment: UnixNanos) -> UnixNanos {
        let until = claim.run_end(moment);
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
            let is_own_scope = if claim.key.class == ClaimClass::Created {
                *class == ClaimClass::Actual && *scope == claim.key.scope
            } else {
                ReplayKey::new(*class, source, scope) == claim.key
            };
            is_own_scope.then_some(*began)
        });
        let all = sightings.chain(completions);
        let last = all.filter(|time| *time <= moment).max();
        last.expect("an open claim has a sighting")
    }

    fn claims(&self, uid: &str) -> &[ReplayClaim] {
        self.folded().get(uid).map_or(&[], Vec::as_slice)
    }

    fn folded(&self) -> &BTreeMap<String, Vec<ReplayClaim>> {
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

/// Returns the moment of a read. `Now` is later than every report.
fn moment(at: AsOf) -> UnixNanos {
    match at {
        AsOf::Now => UnixNanos(u64::MAX),
        AsOf::Time(time) => time,
    }
}
