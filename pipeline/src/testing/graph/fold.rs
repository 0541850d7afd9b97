//! Folds the reports that affect one claim into the intervals of the claim.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::{ClaimClass, Removal, Report, ReportedBy, SETTLE};
use crate::component::UnixNanos;

/// An unbroken period in which a claim was open with one state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplayInterval {
    /// The first moment of the interval.
    pub since: UnixNanos,
    /// The first moment after the interval. `None` while the claim is open.
    pub until: Option<UnixNanos>,
    /// 0 if no report had a state.
    pub state: u64,
}

impl ReplayInterval {
    pub(super) fn contains(&self, moment: UnixNanos) -> bool {
        self.since <= moment && self.until.is_none_or(|until| moment < until)
    }
}

/// Identifies one claim of a uid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReplayKey {
    pub(super) class: ClaimClass,
    pub(super) source: String,
    pub(super) scope: String,
}

impl ReplayKey {
    pub(super) fn new(class: ClaimClass, source: &str, scope: &str) -> ReplayKey {
        ReplayKey {
            class,
            source: source.to_owned(),
            scope: scope.to_owned(),
        }
    }

    fn equals(&self, class: ClaimClass, source: &str, scope: &str) -> bool {
        self.class == class && self.source == source && self.scope == scope
    }

    fn is_snapshot(&self) -> bool {
        self.class == ClaimClass::Edges || self.class == ClaimClass::Aliases
    }
}

/// A claim, as it follows from the reports that affect it.
pub(super) struct ReplayClaim {
    pub(super) key: ReplayKey,
    /// The state of the accepted sightings, by time.
    pub(super) sightings: BTreeMap<UnixNanos, u64>,
    /// Ordered by time, without overlaps.
    pub(super) intervals: Vec<ReplayInterval>,
    /// The end of each interval that a deletion ended.
    pub(super) deleted: Vec<UnixNanos>,
}

impl ReplayClaim {
    /// The interval that contains `moment`.
    pub(super) fn open_at(&self, moment: UnixNanos) -> Option<&ReplayInterval> {
        self.intervals
            .iter()
            .find(|interval| interval.contains(moment))
    }

    /// Returns the end of the run that contains `moment`; a run is a series of intervals without gaps. `None` if the
    /// claim is not open at `moment`, or if the run has not ended.
    pub(super) fn run_end(&self, moment: UnixNanos) -> Option<UnixNanos> {
        let mut until = self.open_at(moment)?.until;
        for interval in &self.intervals {
            if Some(interval.since) == until {
                until = interval.until;
            }
        }
        until
    }
}

/// Returns the claims of a uid. Only a row opens a claim, so a claim that only completions name is not among them.
pub(super) fn fold_uid(uid: &str, reports: &[&Report]) -> Vec<ReplayClaim> {
    let mut keys = BTreeSet::new();
    for report in reports {
        if let Report::Seen {
            class,
            source,
            scope,
            ..
        } = report
        {
            keys.insert(ReplayKey::new(*class, source, scope));
        }
    }
    let fold = |key: ReplayKey| {
        let sightings = accepted_sightings(uid, &key, reports);
        let removals = removals(uid, &key, reports, &sightings);
        fold_key(key, sightings, &removals)
    };
    keys.into_iter().map(fold).collect()
}

/// The state of the sightings of the claim, by time. For a claim of class `Actual`, a scan that begins within `SETTLE`
/// after a delete event is not a sighting.
fn accepted_sightings(uid: &str, key: &ReplayKey, reports: &[&Report]) -> BTreeMap<UnixNanos, u64> {
    let mut sightings = BTreeMap::new();
    for report in reports {
        let (time, state, by) = match report {
            Report::Seen {
                class,
                source,
                scope,
                time,
                state,
                by,
                ..
            } if key.equals(*class, source, scope) => (*time, *state, *by),
            Report::Completion {
                class,
                source,
                scope,
                began,
                members,
                ..
            } if key.equals(*class, source, scope) => match members.get(uid) {
                Some(state) if has_row_by(key, *began, reports) => {
                    (*began, *state, ReportedBy::Scan)
                }
                _ => continue,
            },
            _ => continue,
        };
        if key.class == ClaimClass::Actual
            && by == ReportedBy::Scan
            && is_within_settle(time, reports)
        {
            continue;
        }
        // 0 (unknown) is the least state, so any other state of the same time wins.
        let greatest = sightings.entry(time).or_insert(state);
        *greatest = (*greatest).max(state);
    }
    sightings
}

/// Whether a row reported the claim at `latest` or earlier. Without such a row, the members of a completion open no
/// claim.
fn has_row_by(key: &ReplayKey, latest: UnixNanos, reports: &[&Report]) -> bool {
    reports.iter().any(|report| match report {
        Report::Seen {
            class,
            source,
            scope,
            time,
            ..
        } => key.equals(*class, source, scope) && *time <= latest,
        _ => false,
    })
}

/// Whether a delete event precedes `time` by less than `SETTLE`. A scan that begins at such a time may still list the
/// deleted uid.
fn is_within_settle(time: UnixNanos, reports: &[&Report]) -> bool {
    reports.iter().any(|report| match report {
        Report::DeleteEvent { time: event, .. } => *event <= time && time < *event + SETTLE,
        _ => false,
    })
}

/// The removals of the claim, by time. Of several removals at one time, a deletion wins over a release.
fn removals(
    uid: &str,
    key: &ReplayKey,
    reports: &[&Report],
    sightings: &BTreeMap<UnixNanos, u64>,
) -> BTreeMap<UnixNanos, Removal> {
    let mut removals = BTreeMap::new();
    for report in reports {
        let removal = match report {
            Report::Seen { .. } => None,
            Report::Removed {
                class,
                source,
                scope,
                time,
                how,
                ..
            } => {
                let applies = *source == key.source
                    && *scope == key.scope
                    && (*class == key.class || key.is_snapshot());
                applies.then_some((*time, *how))
            }
            Report::DeleteEvent { time, .. } => {
                let applies = match key.class {
                    ClaimClass::Actual
                    | ClaimClass::Created
                    | ClaimClass::Edges
                    | ClaimClass::Aliases => true,
                    ClaimClass::Desired | ClaimClass::Telemetry | ClaimClass::Health => false,
                };
                applies.then_some((*time, Removal::Deleted))
            }
            Report::Completion { began, .. } => {
                removal_by_completion(uid, key, report, sightings).map(|how| (*began, how))
            }
        };
        let Some((time, how)) = removal else { continue };
        let winner = removals.entry(time).or_insert(how);
        if how == Removal::Deleted {
            *winner = Removal::Deleted;
        }
    }
    removals
}

/// The removal of the claim that follows from a completion, if any.
fn removal_by_completion(
    uid: &str,
    key: &ReplayKey,
    completion: &Report,
    sightings: &BTreeMap<UnixNanos, u64>,
) -> Option<Removal> {
    let Report::Completion {
        source,
        scope,
        class,
        began,
        members,
        miss,
    } = completion
    else {
        return None;
    };
    let is_member = members.contains_key(uid);
    match key.class {
        ClaimClass::Telemetry | ClaimClass::Health => None,
        ClaimClass::Created => {
            if key.scope.is_empty()
                || *class != ClaimClass::Actual
                || *scope != key.scope
                || is_member
            {
                return None;
            }
            let (last, _) = sightings.range(..=*began).next_back()?;
            (*began >= *last + SETTLE).then_some(*miss)
        }
        ClaimClass::Actual | ClaimClass::Desired | ClaimClass::Edges | ClaimClass::Aliases => {
            if *source != key.source || (*class != key.class && !key.is_snapshot()) {
                return None;
            }
            if *scope == key.scope {
                return (!is_member).then_some(*miss);
            }
            let is_below = key.scope.starts_with(&format!("{scope}/"));
            is_below.then_some(if is_member { Removal::Released } else { *miss })
        }
    }
}

/// Builds the intervals. If a sighting and a removal have the same time, the sighting wins.
fn fold_key(
    key: ReplayKey,
    sightings: BTreeMap<UnixNanos, u64>,
    removals: &BTreeMap<UnixNanos, Removal>,
) -> ReplayClaim {
    let times: BTreeSet<UnixNanos> = sightings.keys().chain(removals.keys()).copied().collect();
    let mut intervals: Vec<ReplayInterval> = Vec::new();
    let mut deleted = Vec::new();
    for time in times {
        let last = intervals.last_mut();
        let last_state = last.as_ref().map_or(0, |last| last.state);
        let open = last.filter(|last| last.until.is_none());
        match (sightings.get(&time), open) {
            (Some(&state), Some(open)) => {
                if state != 0 && state != open.state {
                    open.until = Some(time);
                    intervals.push(ReplayInterval {
                        since: time,
                        until: None,
                        state,
                    });
                }
            }
            (Some(&state), None) => intervals.push(ReplayInterval {
                since: time,
                until: None,
                state: if state == 0 { last_state } else { state },
            }),
            (None, Some(open)) => {
                open.until = Some(time);
                if removals.get(&time) == Some(&Removal::Deleted) {
                    deleted.push(time);
                }
            }
            (None, None) => {}
        }
    }
    ReplayClaim {
        key,
        sightings,
        intervals,
        deleted,
    }
}
