//! Folds the reports that bear on one claim key into the stretches of the claim.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::{By, Class, Removal, Report, SETTLE};
use crate::component::UnixNanos;

/// A time in which a claim was open with one state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    pub since: UnixNanos,
    /// The first moment after it; none while it is open.
    pub until: Option<UnixNanos>,
    pub state: u64,
}

impl Stretch {
    pub(super) fn holds(&self, moment: UnixNanos) -> bool {
        self.since <= moment && self.until.is_none_or(|until| moment < until)
    }
}

/// Which claim of a uid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) class: Class,
    pub(super) source: String,
    pub(super) scope: String,
}

impl Key {
    pub(super) fn new(class: Class, source: &str, scope: &str) -> Key {
        Key {
            class,
            source: source.to_owned(),
            scope: scope.to_owned(),
        }
    }

    fn is(&self, class: Class, source: &str, scope: &str) -> bool {
        self.class == class && self.source == source && self.scope == scope
    }

    fn is_snapshot(&self) -> bool {
        self.class == Class::Edges || self.class == Class::Aliases
    }
}

/// Everything that the reports mean for one key.
pub(super) struct Claim {
    pub(super) key: Key,
    /// The accepted sightings: the state that counts at each time.
    pub(super) sightings: BTreeMap<UnixNanos, u64>,
    /// By time.
    pub(super) stretches: Vec<Stretch>,
    /// The ends of those stretches that a deletion ended.
    pub(super) deleted: Vec<UnixNanos>,
}

impl Claim {
    pub(super) fn open_at(&self, moment: UnixNanos) -> Option<&Stretch> {
        self.stretches.iter().find(|stretch| stretch.holds(moment))
    }

    /// The end of the opening that holds the moment: its last stretch's.
    pub(super) fn opening_until(&self, moment: UnixNanos) -> Option<UnixNanos> {
        let mut until = self.open_at(moment)?.until;
        for stretch in &self.stretches {
            if Some(stretch.since) == until {
                until = stretch.until;
            }
        }
        until
    }
}

/// The claims of a uid: those that a row ever reported.
pub(super) fn fold_uid(uid: &str, reports: &[&Report]) -> Vec<Claim> {
    let mut keys = BTreeSet::new();
    for report in reports {
        if let Report::Seen {
            class,
            source,
            scope,
            ..
        } = report
        {
            keys.insert(Key::new(*class, source, scope));
        }
    }
    let fold = |key: Key| {
        let sightings = accepted_sightings(uid, &key, reports);
        let removals = removals(uid, &key, reports, &sightings);
        fold_key(key, sightings, &removals)
    };
    keys.into_iter().map(fold).collect()
}

fn accepted_sightings(uid: &str, key: &Key, reports: &[&Report]) -> BTreeMap<UnixNanos, u64> {
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
            } if key.is(*class, source, scope) => (*time, *state, *by),
            Report::Completion {
                class,
                source,
                scope,
                began,
                members,
                ..
            } if key.is(*class, source, scope) => match members.get(uid) {
                Some(state) if is_reported(key, *began, reports) => (*began, *state, By::Scan),
                _ => continue,
            },
            _ => continue,
        };
        if key.class == Class::Actual && by == By::Scan && settles(time, reports) {
            continue;
        }
        // 0 is the least state, so it only counts where there is no other.
        let counts = sightings.entry(time).or_insert(state);
        *counts = (*counts).max(state);
    }
    sightings
}

/// Whether a row reported the claim by then: membership alone opens none.
fn is_reported(key: &Key, by: UnixNanos, reports: &[&Report]) -> bool {
    reports.iter().any(|report| match report {
        Report::Seen {
            class,
            source,
            scope,
            time,
            ..
        } => key.is(*class, source, scope) && *time <= by,
        _ => false,
    })
}

/// Whether a scan that began at the time may still list what a delete event ended.
fn settles(time: UnixNanos, reports: &[&Report]) -> bool {
    reports.iter().any(|report| match report {
        Report::DeleteEvent { time: event, .. } => *event <= time && time < event.after(SETTLE),
        _ => false,
    })
}

/// What removes the key at each time. Of several at one time, a deletion counts.
fn removals(
    uid: &str,
    key: &Key,
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
                    Class::Actual | Class::Created | Class::Edges | Class::Aliases => true,
                    Class::Desired | Class::Telemetry | Class::Health => false,
                };
                applies.then_some((*time, Removal::Deleted))
            }
            Report::Completion { began, .. } => {
                miss(uid, key, report, sightings).map(|how| (*began, how))
            }
        };
        let Some((time, how)) = removal else { continue };
        let counts = removals.entry(time).or_insert(how);
        if how == Removal::Deleted {
            *counts = Removal::Deleted;
        }
    }
    removals
}

/// The removal of the key that a completion means, if it means one.
fn miss(
    uid: &str,
    key: &Key,
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
        Class::Telemetry | Class::Health => None,
        Class::Created => {
            if key.scope.is_empty() || *class != Class::Actual || *scope != key.scope || is_member {
                return None;
            }
            let (last, _) = sightings.range(..=*began).next_back()?;
            (*began >= last.after(SETTLE)).then_some(*miss)
        }
        Class::Actual | Class::Desired | Class::Edges | Class::Aliases => {
            if *source != key.source || (*class != key.class && !key.is_snapshot()) {
                return None;
            }
            if *scope == key.scope {
                return (!is_member).then_some(*miss);
            }
            let below = key.scope.starts_with(&format!("{scope}/"));
            below.then_some(if is_member { Removal::Released } else { *miss })
        }
    }
}

fn fold_key(
    key: Key,
    sightings: BTreeMap<UnixNanos, u64>,
    removals: &BTreeMap<UnixNanos, Removal>,
) -> Claim {
    let times: BTreeSet<UnixNanos> = sightings.keys().chain(removals.keys()).copied().collect();
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut deleted = Vec::new();
    for time in times {
        let last = stretches.last_mut();
        let last_state = last.as_ref().map_or(0, |last| last.state);
        let open = last.filter(|last| last.until.is_none());
        match (sightings.get(&time), open) {
            (Some(&state), Some(open)) => {
                if state != 0 && state != open.state {
                    open.until = Some(time);
                    stretches.push(Stretch {
                        since: time,
                        until: None,
                        state,
                    });
                }
            }
            (Some(&state), None) => stretches.push(Stretch {
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
    Claim {
        key,
        sightings,
        stretches,
        deleted,
    }
}
