//! One claim: folds reports into intervals.
//!
//! Reports are folded in the order of their times. A report that is newer than all evidence about the claim is folded
//! onto the last interval. For a late report, the claim goes back to the last interval that began before the report,
//! and folds all evidence since the start of that interval again: the report, the direct reports that the intervals
//! keep, and the completions that the scope keeps. For times before the oldest kept completion, the intervals
//! themselves are the evidence.

use std::collections::BTreeMap;

use super::interval::{ClaimInterval, IntervalEnd, PointKind, ReportPoint, SourceKey};
use super::report::{ClaimClass, Removal, ReportedBy, SETTLE};
use super::scan_effect::ScanEffect;
use crate::unix_nanos::UnixNanos;

/// Evidence about a claim that its own intervals do not hold.
#[derive(Clone, Debug, Default)]
pub struct ClaimContext {
    /// The times of all delete events of the uid.
    pub deleted: Vec<UnixNanos>,
    /// The effects of the kept completions on this claim, with the start times of the scans, ascending.
    pub scans: Vec<(UnixNanos, ScanEffect)>,
    /// Completions of scans that began before this time are dropped; 0 if all are kept.
    pub dropped_before: UnixNanos,
}

/// One claim with its loaded intervals, oldest first. The last interval must be loaded; for a late report, all
/// intervals from the last one that began before the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub key: SourceKey,
    pub intervals: Vec<ClaimInterval>,
}

/// The evidence of one time.
#[derive(Debug, Default)]
struct Moment {
    points: Vec<ReportPoint>,
    /// Direct reports from before [`ClaimContext::dropped_before`]. The intervals already hold their effect, since the
    /// completions of that time are dropped.
    settled: Vec<ReportPoint>,
    scans: Vec<ScanEffect>,
    /// Whether a delete event of any source has this time.
    is_deleted: bool,
    /// The state of the interval that began at this time, if the time is before [`ClaimContext::dropped_before`].
    opened: Option<u64>,
    /// How an interval ended at this time, and its last sighting, see [`Claim::collect`].
    removed: Option<(Removal, UnixNanos)>,
}

impl Claim {
    /// A claim without intervals.
    pub fn new(key: SourceKey) -> Claim {
        Claim {
            key,
            intervals: Vec::new(),
        }
    }

    /// The last interval, open or ended.
    pub fn last(&self) -> Option<&ClaimInterval> {
        self.intervals.last()
    }

    /// The last interval, if it is open.
    pub fn open(&self) -> Option<&ClaimInterval> {
        self.last().filter(|last| last.is_open())
    }

    /// The interval that contains a time.
    pub fn at(&self, time: UnixNanos) -> Option<&ClaimInterval> {
        self.intervals
            .iter()
            .rev()
            .find(|interval| interval.holds_at(time))
    }

    /// Folds a direct report. A report of the kind `Deleted` must come from the source of this claim. Returns the index
    /// of the first interval that has changed, `None` if no interval has.
    pub fn report(&mut self, point: ReportPoint, context: &ClaimContext) -> Option<usize> {
        let mut moment = Moment::default();
        moment.points.push(point);
        self.apply(point.time, moment, context)
    }

    /// Folds evidence of this time that `context` holds: a completion in `context.scans`, or a delete event of another
    /// source in `context.deleted`. Like [`Claim::report`], returns the index of the first changed interval.
    pub fn refold_at(&mut self, time: UnixNanos, context: &ClaimContext) -> Option<usize> {
        self.apply(time, Moment::default(), context)
    }

    /// If evidence of this time is late, other evidence is folded again with it. Returns the earliest time, at most
    /// `time`, of folded evidence that delete events may affect. The caller must load the delete events around that
    /// time.
    pub fn refold_start(&self, time: UnixNanos, context: &ClaimContext) -> UnixNanos {
        let base = self.intervals.iter().rposition(|it| it.since < time);
        let since = base.map(|base| self.intervals[base].since);
        if self.key.class == ClaimClass::Created {
            return since.unwrap_or(time);
        }
        let points = self.intervals[base.unwrap_or(0)..]
            .iter()
            .flat_map(|interval| &interval.points)
            .filter(|point| {
                matches!(
                    point.kind,
                    PointKind::Seen {
                        by: ReportedBy::Scan,
                        ..
                    }
                )
            })
            .map(|point| point.time);
        let scans = context.scans.iter().map(|(began, _)| *began);
        let again = points
            .chain(scans.filter(|began| *began >= context.dropped_before))
            .filter(|again| since.is_none_or(|since| *again > since));
        again.chain([time]).min().unwrap_or(time)
    }

    fn apply(&mut self, time: UnixNanos, new: Moment, context: &ClaimContext) -> Option<usize> {
        let is_newest = self.last().is_none_or(|last| last.last_report() < time)
            && context.scans.iter().all(|(began, _)| *began <= time)
            && context.deleted.iter().all(|deleted| *deleted <= time);
        let before = self.intervals.clone();
        let base = if is_newest {
            self.intervals.len().checked_sub(1)
        } else {
            self.intervals.iter().rposition(|it| it.since < time)
        };
        let mut moments: BTreeMap<UnixNanos, Moment> = BTreeMap::new();
        moments.insert(time, new);
        let since = if is_newest {
            // The last interval already contains the effect of all earlier evidence.
            Some(UnixNanos(time.0.saturating_sub(1)))
        } else {
            self.collect(base, context, &mut moments);
            base.map(|base| self.intervals[base].since)
        };
        let is_after_base = |moment: UnixNanos| since.is_none_or(|since| moment > since);
        let is_folded = |began: UnixNanos| {
            is_after_base(began) && (began >= context.dropped_before || began == time)
        };
        for (began, effect) in context.scans.iter().filter(|(began, _)| is_folded(*began)) {
            moments.entry(*began).or_default().scans.push(*effect);
        }
        if self.key.class.ends_by_event() {
            // The intervals already contain the effect of delete events before `dropped_before`.
            for deleted in context
                .deleted
                .iter()
                .filter(|deleted| is_folded(**deleted))
            {
                moments.entry(*deleted).or_default().is_deleted = true;
            }
        }
        if !is_newest {
            self.truncate_after(base);
        }
        let mut seen = self.last().map_or(UnixNanos(0), |last| last.seen);
        if is_newest && self.open().is_some() {
            let scans = context.scans.iter();
            let before = scans.filter(|(began, effect)| {
                let is_seen = matches!(effect, ScanEffect::Seen(_));
                *began < time && is_seen && !self.is_suppressed(*began, &context.deleted)
            });
            let last_scan = before.map(|(began, _)| *began).max();
            seen = seen.max(last_scan.unwrap_or_default());
        }
        for (time, moment) in moments {
            self.fold(time, &moment, &context.deleted, &mut seen);
        }
        let same = before.iter().zip(&self.intervals);
        let same = same.take_while(|(one, other)| one == other).count();
        (same < before.len().max(self.intervals.len())).then_some(same)
    }

    /// Collects the evidence that the intervals hold for times after the start of the interval `base`.
    fn collect(
        &self,
        base: Option<usize>,
        context: &ClaimContext,
        moments: &mut BTreeMap<UnixNanos, Moment>,
    ) {
        let is_settled = |time: UnixNanos| time < context.dropped_before;
        let since = base.map(|base| self.intervals[base].since);
        for (index, interval) in self.intervals.iter().enumerate().skip(base.unwrap_or(0)) {
            let is_base = Some(index) == base;
            for point in &interval.points {
                if since.is_some_and(|since| point.time <= since) {
                    continue;
                }
                let moment = moments.entry(point.time).or_default();
                match is_settled(point.time) {
                    true => moment.settled.push(*point),
                    false => moment.points.push(*point),
                }
            }
            if interval.is_empty() {
                continue;
            }
            if !is_base && is_settled(interval.since) {
                moments.entry(interval.since).or_default().opened = Some(interval.state);
            }
            // A removal keeps its time, unless a create event opened the claim: after a late sighting, such a claim
            // settles later.
            if let Some((until, IntervalEnd::Removed(how))) = interval.until
                && (is_settled(until) || self.key.class != ClaimClass::Created)
            {
                moments.entry(until).or_default().removed = Some((how, interval.seen));
            }
        }
    }

    /// Removes everything that happened after the start of the interval `base`.
    fn truncate_after(&mut self, base: Option<usize>) {
        self.intervals.truncate(base.map_or(0, |base| base + 1));
        if let Some(base) = self.intervals.last_mut() {
            let since = base.since;
            base.points.retain(|point| point.time <= since);
            base.seen = since;
            if !base.is_empty() {
                base.until = None;
            }
        }
    }

    fn fold(
        &mut self,
        time: UnixNanos,
        moment: &Moment,
        deleted: &[UnixNanos],
        seen: &mut UnixNanos,
    ) {
        let is_suppressed = self.is_suppressed(time, deleted);
        let points = &moment.points;
        let sighting = |point: &ReportPoint| match point.kind {
            PointKind::Seen {
                by: ReportedBy::Scan,
                ..
            } if is_suppressed => None,
            PointKind::Seen { state, .. } => Some(state),
            PointKind::Removed(_) | PointKind::Deleted => None,
        };
        let direct = points.iter().filter_map(sighting);
        // Membership alone opens no claim: a row must have reported the uid.
        let is_reported = points.iter().any(ReportPoint::is_sighting) || self.is_reported();
        let scans = moment.scans.iter().filter_map(|effect| match effect {
            ScanEffect::Seen(state) if is_reported && !is_suppressed => Some(*state),
            _ => None,
        });
        let sighted = direct.chain(scans).chain(moment.opened).max();
        // A settled sighting opens no interval, since `moment.opened` already has the interval that it opened. It only
        // confirms an open interval.
        let is_confirmed = moment.settled.iter().any(|it| sighting(it).is_some());
        if let Some(state) = sighted {
            self.see(time, state);
            *seen = time;
        } else if is_confirmed && self.open().is_some() {
            *seen = time;
        } else if let Some(how) = self.removal(time, moment, *seen) {
            let known = moment.removed.map(|(_, seen)| seen);
            *seen = known.map_or(*seen, |known| known.max(*seen));
            self.remove(time, how, *seen);
        }
        if let Some(last) = self.intervals.last_mut() {
            let is_direct = points
                .iter()
                .chain(&moment.settled)
                .any(ReportPoint::is_sighting)
                || moment.opened.is_some();
            if last.is_open() && is_direct && *seen == time {
                last.seen = time;
            }
            let all = points.iter().chain(&moment.settled);
            all.for_each(|point| last.add(*point));
        } else if !points.is_empty() || !moment.settled.is_empty() {
            // No sighting is known yet: an interval without a value keeps the removals.
            let mut removals = ClaimInterval {
                since: time,
                until: Some((time, IntervalEnd::Removed(Removal::Deleted))),
                state: 0,
                seen: UnixNanos(0),
                points: Vec::new(),
            };
            let all = points.iter().chain(&moment.settled);
            all.for_each(|point| removals.add(*point));
            self.intervals.push(removals);
        }
    }

    /// Whether a scan of this time counts as no sighting: it began so soon after a delete event that it may still list
    /// the deleted uid.
    fn is_suppressed(&self, time: UnixNanos, deleted: &[UnixNanos]) -> bool {
        let settles = |deleted: &UnixNanos| *deleted <= time && time < *deleted + SETTLE;
        self.key.class == ClaimClass::Actual && deleted.iter().any(settles)
    }

    /// Whether any row has reported a sighting.
    fn is_reported(&self) -> bool {
        let mut intervals = self.intervals.iter();
        intervals.any(|it| !it.is_empty() || it.points.iter().any(ReportPoint::is_sighting))
    }

    /// Continues the open interval if it has this state; otherwise starts a new interval.
    fn see(&mut self, time: UnixNanos, state: u64) {
        let last = self.intervals.last_mut();
        let known = last.as_ref().map_or(0, |last| last.state);
        let state = if state == 0 { known } else { state };
        match last {
            Some(last) if last.is_open() && last.state == state => return,
            Some(last) if last.is_open() => last.until = Some((time, IntervalEnd::Replaced)),
            _ => {}
        }
        self.intervals.push(ClaimInterval {
            since: time,
            until: None,
            state,
            seen: time,
            points: Vec::new(),
        });
    }

    /// How the evidence of this time ends the claim: `Deleted` if any of it is a deletion, `None` if it does not end
    /// the claim.
    fn removal(&self, time: UnixNanos, moment: &Moment, seen: UnixNanos) -> Option<Removal> {
        let rows = moment.points.iter().filter_map(|point| match point.kind {
            PointKind::Removed(how) => Some(how),
            PointKind::Deleted => Some(Removal::Deleted),
            PointKind::Seen { .. } => None,
        });
        let scans = moment.scans.iter().filter_map(|effect| match effect {
            ScanEffect::Missing(how) => Some(*how),
            ScanEffect::MissingOnceSettled(how) if time >= seen + SETTLE => Some(*how),
            _ => None,
        });
        let event = moment.is_deleted.then_some(Removal::Deleted);
        let known = moment.removed.map(|(how, _)| how);
        rows.chain(scans).chain(event).chain(known).min()
    }

    /// Ends the open interval, if there is one.
    fn remove(&mut self, time: UnixNanos, how: Removal, seen: UnixNanos) {
        if let Some(last) = self.intervals.last_mut()
            && last.is_open()
        {
            last.until = Some((time, IntervalEnd::Removed(how)));
            last.seen = seen;
        }
    }
}
