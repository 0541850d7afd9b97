//! The claims of one uid, in a compact form.

use super::scopes::{ClaimScopes, KeyNumber};
use crate::claims::{
    Claim, ClaimInterval, Existence, IntervalEnd, PointKind, Removal, ReportPoint, ReportedBy,
    existence,
};
use crate::unix_nanos::{AsOf, UnixNanos};

/// All claims of one uid. `T` is the type of the data that the owner attaches to each claim.
#[derive(Clone, Debug)]
pub struct MemoryClaims<T = ()>(Vec<MemoryClaim<T>>);

/// One claim of a uid.
#[derive(Clone, Debug)]
pub struct MemoryClaim<T = ()> {
    pub key: KeyNumber,
    /// Data of the owner.
    pub attached: T,
    intervals: CompactIntervals,
}

#[derive(Clone, Debug)]
enum CompactIntervals {
    None,
    /// One open interval with one report, the one that opened it.
    Opened {
        since: UnixNanos,
        /// Equal to `since`, or the time of a newer confirmation that a store reported.
        seen: UnixNanos,
        state: u64,
        by: ReportedBy,
    },
    Folded(Box<[ClaimInterval]>),
}

impl<T> Default for MemoryClaims<T> {
    fn default() -> MemoryClaims<T> {
        MemoryClaims(Vec::new())
    }
}

impl<T: Default> MemoryClaims<T> {
    /// The claim with a key, which is added if it is missing.
    pub fn get_or_add(&mut self, key: KeyNumber) -> &mut MemoryClaim<T> {
        let index = self.position(key).unwrap_or_else(|| {
            self.0.reserve_exact(1);
            self.0.push(MemoryClaim {
                key,
                attached: T::default(),
                intervals: CompactIntervals::None,
            });
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

impl<T> MemoryClaims<T> {
    /// All claims, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &MemoryClaim<T>> {
        self.0.iter()
    }

    /// All claims, in the order in which they were added.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut MemoryClaim<T>> {
        self.0.iter_mut()
    }

    /// The claim with a key.
    pub fn get(&self, key: KeyNumber) -> Option<&MemoryClaim<T>> {
        self.0.iter().find(|claim| claim.key == key)
    }

    /// The claim at an index. Indexes are stable until [`MemoryClaims::retain`].
    pub fn at(&self, index: usize) -> Option<&MemoryClaim<T>> {
        self.0.get(index)
    }

    /// The index of the claim with a key.
    pub fn position(&self, key: KeyNumber) -> Option<usize> {
        self.0.iter().position(|claim| claim.key == key)
    }

    /// Whether there are no claims.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes the claims for which `stays` is false.
    pub fn retain(&mut self, stays: impl FnMut(&MemoryClaim<T>) -> bool) {
        self.0.retain(stays);
    }

    /// Whether the uid exists at a moment.
    pub fn existence(&self, scopes: &ClaimScopes, at: AsOf) -> Existence {
        let lifecycle = self.0.iter().filter(|claim| {
            let class = scopes.key(claim.key).class;
            class.is_lifecycle() && claim.is_reported()
        });
        let opened = lifecycle.map(|claim| match claim.intervals {
            CompactIntervals::Opened { since, .. } => Some(since),
            _ => None,
        });
        // The fast path for nearly all uids: each of their claims has only the report that opened it.
        if let Some(opened) = opened.collect::<Option<Vec<UnixNanos>>>() {
            let is_open = |since: &UnixNanos| match at {
                AsOf::Now => true,
                AsOf::Time(time) => *since <= time,
            };
            return match opened.iter().any(is_open) {
                true => Existence::Exists,
                false => Existence::Unknown,
            };
        }
        existence(&self.to_claims(scopes), scopes, at)
    }

    /// Converts the claims to [`Claim`]s.
    pub fn to_claims(&self, scopes: &ClaimScopes) -> Vec<Claim> {
        let claims = self.0.iter().map(|claim| Claim {
            key: scopes.key(claim.key).clone(),
            intervals: claim.intervals(),
        });
        claims.collect()
    }

    /// The times of all delete events of the uid, ascending.
    pub fn delete_event_times(&self) -> Vec<UnixNanos> {
        let folded = self.0.iter().flat_map(MemoryClaim::folded);
        let points = folded.flat_map(|interval| &interval.points);
        let deleted = points.filter(|point| point.kind == PointKind::Deleted);
        let mut times: Vec<UnixNanos> = deleted.map(|point| point.time).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Copies the last confirmation of each claim from `other`, which has claims of the same uid, if the claim is open
    /// in both with the same state and start.
    pub fn copy_confirmations<U>(&mut self, other: &MemoryClaims<U>) {
        for claim in &mut self.0 {
            let same = other.get(claim.key).filter(|it| it.open() == claim.open());
            if let Some(same) = same {
                claim.confirm(same.last_seen());
            }
        }
    }

    /// Removes intervals that ended before a time, and sightings from before it. Keeps the last interval of each claim,
    /// and the reports at the start of each kept interval.
    pub fn drop_before(&mut self, before: UnixNanos) {
        for claim in &mut self.0 {
            claim.drop_before(before);
        }
    }

    /// The number of bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let folded = self.0.iter().flat_map(MemoryClaim::folded).map(|interval| {
            size_of::<ClaimInterval>() + interval.points.capacity() * size_of::<ReportPoint>()
        });
        self.0.capacity() * size_of::<MemoryClaim<T>>() + folded.sum::<usize>()
    }
}

impl<T> MemoryClaim<T> {
    /// Whether the claim has any report.
    pub fn is_reported(&self) -> bool {
        !matches!(self.intervals, CompactIntervals::None)
    }

    /// The current state and its start; `None` if the claim is not open.
    pub fn open(&self) -> Option<(u64, UnixNanos)> {
        match &self.intervals {
            CompactIntervals::Opened { since, state, .. } => Some((*state, *since)),
            CompactIntervals::Folded(all) => {
                let last = all.last().filter(|last| last.is_open())?;
                Some((last.state, last.since))
            }
            CompactIntervals::None => None,
        }
    }

    /// The start of the last interval, open or ended.
    pub fn last_since(&self) -> Option<UnixNanos> {
        match &self.intervals {
            CompactIntervals::Opened { since, .. } => Some(*since),
            CompactIntervals::Folded(all) => all.last().map(|last| last.since),
            CompactIntervals::None => None,
        }
    }

    /// The time of the last direct report, or of the end; 0 if the claim has no report.
    pub fn last_report(&self) -> UnixNanos {
        match &self.intervals {
            CompactIntervals::Opened { since, .. } => *since,
            CompactIntervals::Folded(all) => {
                all.last().map_or(UnixNanos(0), ClaimInterval::last_report)
            }
            CompactIntervals::None => UnixNanos(0),
        }
    }

    /// The last confirmation of the last interval; 0 if the claim has no report. Completions that [`ClaimScopes`]
    /// holds are not included.
    pub fn last_seen(&self) -> UnixNanos {
        match &self.intervals {
            CompactIntervals::Opened { seen, .. } => *seen,
            CompactIntervals::Folded(all) => all.last().map_or(UnixNanos(0), |last| last.seen),
            CompactIntervals::None => UnixNanos(0),
        }
    }

    /// The last confirmation that a store reported, with the confirmed state; `None` if a kept report is at least as
    /// new.
    pub(super) fn stored_confirmation(&self) -> Option<(UnixNanos, u64)> {
        let (state, since) = self.open()?;
        let reported = match &self.intervals {
            CompactIntervals::Folded(all) => all.last()?.points.last().map_or(since, |it| it.time),
            _ => since,
        };
        let seen = self.last_seen();
        (seen > reported).then_some((seen, state))
    }

    /// Raises the last confirmation of the open interval to at least this time.
    pub(super) fn confirm(&mut self, time: UnixNanos) {
        match &mut self.intervals {
            CompactIntervals::Opened { seen, .. } => *seen = time.max(*seen),
            CompactIntervals::Folded(all) => {
                if let Some(last) = all.last_mut().filter(|last| last.is_open()) {
                    last.seen = time.max(last.seen);
                }
            }
            CompactIntervals::None => {}
        }
    }

    /// The intervals that have a value, oldest first: state, start, end.
    pub fn values(
        &self,
    ) -> impl Iterator<Item = (u64, UnixNanos, Option<(UnixNanos, IntervalEnd)>)> {
        let opened = match &self.intervals {
            CompactIntervals::Opened { since, state, .. } => Some((*state, *since, None)),
            _ => None,
        };
        let folded = self.folded().iter().filter(|interval| !interval.is_empty());
        let folded = folded.map(|interval| (interval.state, interval.since, interval.until));
        opened.into_iter().chain(folded)
    }

    /// The removals that were reported directly, with their times. Delete events are not included.
    pub fn reported_removals(&self) -> impl Iterator<Item = (UnixNanos, Removal)> {
        let points = self.folded().iter().flat_map(|interval| &interval.points);
        points.filter_map(|point| match point.kind {
            PointKind::Removed(how) => Some((point.time, how)),
            PointKind::Seen { .. } | PointKind::Deleted => None,
        })
    }

    /// Whether the claim keeps this direct report.
    pub(super) fn has_point(&self, point: &ReportPoint) -> bool {
        match &self.intervals {
            CompactIntervals::Opened {
                since, state, by, ..
            } => *point == opening(*since, *state, *by),
            CompactIntervals::Folded(all) => all.iter().any(|it| it.points.contains(point)),
            CompactIntervals::None => false,
        }
    }

    /// All intervals, oldest first.
    pub(super) fn intervals(&self) -> Vec<ClaimInterval> {
        match &self.intervals {
            CompactIntervals::Opened {
                since,
                seen,
                state,
                by,
            } => {
                let opened = ClaimInterval::opened(*since, *state, *by);
                vec![ClaimInterval {
                    seen: *seen,
                    ..opened
                }]
            }
            CompactIntervals::Folded(all) => all.to_vec(),
            CompactIntervals::None => Vec::new(),
        }
    }

    /// Replaces all intervals.
    pub(super) fn set_intervals(&mut self, mut intervals: Vec<ClaimInterval>) {
        self.intervals = match intervals.as_slice() {
            [] => CompactIntervals::None,
            [only] => match opened_by(only) {
                Some(by) => CompactIntervals::Opened {
                    since: only.since,
                    seen: only.seen,
                    state: only.state,
                    by,
                },
                None => CompactIntervals::Folded(shrunk(intervals)),
            },
            _ => {
                intervals.shrink_to_fit();
                CompactIntervals::Folded(shrunk(intervals))
            }
        };
    }

    fn folded(&self) -> &[ClaimInterval] {
        match &self.intervals {
            CompactIntervals::Folded(all) => all,
            _ => &[],
        }
    }

    fn drop_before(&mut self, before: UnixNanos) {
        let has_ended =
            |interval: &ClaimInterval| interval.until.is_some_and(|(until, _)| until < before);
        let has_old_sighting = |interval: &ClaimInterval| {
            let points = interval.points.iter();
            let opens = |point: &&ReportPoint| point.time == interval.since;
            let mut rest = points.filter(|point| !opens(point));
            rest.any(|point| point.time < before && point.is_sighting())
        };
        let CompactIntervals::Folded(all) = &self.intervals else {
            return;
        };
        let past = all.len().saturating_sub(1);
        if !all[..past].iter().any(has_ended) && !all.iter().any(has_old_sighting) {
            return;
        }
        let mut all = all.to_vec();
        let ended = all[..past].iter().take_while(|it| has_ended(it)).count();
        all.drain(..ended);
        for interval in &mut all {
            let since = interval.since;
            interval.points.retain(|point| {
                point.time >= before || !point.is_sighting() || point.time == since
            });
        }
        self.set_intervals(all);
    }
}

fn opening(since: UnixNanos, state: u64, by: ReportedBy) -> ReportPoint {
    ReportPoint {
        time: since,
        kind: PointKind::Seen { state, by },
    }
}

/// Which kind of row opened the interval, if the interval is open and has no other report.
fn opened_by(interval: &ClaimInterval) -> Option<ReportedBy> {
    let [point] = interval.points.as_slice() else {
        return None;
    };
    let PointKind::Seen { state, by } = point.kind else {
        return None;
    };
    let is_only_report = interval.is_open()
        && *point == opening(interval.since, interval.state, by)
        && state == interval.state;
    is_only_report.then_some(by)
}

fn shrunk(mut intervals: Vec<ClaimInterval>) -> Box<[ClaimInterval]> {
    for interval in &mut intervals {
        interval.points.shrink_to_fit();
    }
    intervals.into()
}
