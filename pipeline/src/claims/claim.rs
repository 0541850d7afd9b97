//! One claim: reports in, stretches out.
//!
//! Reports are folded in the order of their times. One that is newer than all that is known is
//! folded onto the last stretch. A late one is folded together with all that is known since the
//! stretch that held just before it: the direct reports that the stretches keep, the completions
//! that the scope keeps, and, before the oldest of these, the stretches as they stand.

use std::collections::BTreeMap;

use super::report::{By, Class, Removal, SETTLE};
use super::stretch::{Ending, Key, Point, Stretch, What};
use crate::component::UnixNanos;

/// What a completed scan means for one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It saw the uid in this state.
    Seen(u64),
    Gone(Removal),
    /// It lacks a uid of which a create event is known: that ends the claim once it has settled.
    GoneOnceSettled(Removal),
}

/// What is known besides the claim's own stretches.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Times of all delete events of the uid.
    pub deleted: Vec<UnixNanos>,
    /// What the completions that are kept mean for this claim, by when the scans began.
    pub scans: Vec<(UnixNanos, Meaning)>,
    /// Completions that began before this time are not kept any more; 0 where all are.
    pub forgotten: UnixNanos,
}

/// All stretches of a claim that were loaded, oldest first: at least the last one, and, for a late
/// report, all from the one that held before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub key: Key,
    pub stretches: Vec<Stretch>,
}

/// What happens at one time.
#[derive(Debug, Default)]
struct Moment {
    points: Vec<Point>,
    /// Direct reports whose effect is settled: what they met is not kept any more.
    settled: Vec<Point>,
    scans: Vec<Meaning>,
    /// A delete event of any source.
    is_deleted: bool,
    /// What an older stretch says began here, where nothing else explains it any more.
    opened: Option<u64>,
    /// Likewise, what ended here, and when it was seen last.
    removed: Option<(Removal, UnixNanos)>,
}

impl Claim {
    pub fn new(key: Key) -> Claim {
        Claim {
            key,
            stretches: Vec::new(),
        }
    }

    pub fn last(&self) -> Option<&Stretch> {
        self.stretches.last()
    }

    pub fn open(&self) -> Option<&Stretch> {
        self.last().filter(|last| last.is_open())
    }

    pub fn at(&self, time: UnixNanos) -> Option<&Stretch> {
        let held = self.stretches.iter().rev();
        held.into_iter().find(|stretch| stretch.holds_at(time))
    }

    /// Takes in a direct report; a `Deleted` is of this key's own source. Returns the number of the
    /// first stretch that may have changed, none where nothing did.
    pub fn report(&mut self, point: Point, around: &Around) -> Option<usize> {
        let mut moment = Moment::default();
        moment.points.push(point);
        self.take_in(point.time, moment, around)
    }

    /// Takes in that something else happened: a completion that `around.scans` has, or a delete
    /// event of another source that `around.deleted` has, at this time.
    pub fn happened(&mut self, time: UnixNanos, around: &Around) -> Option<usize> {
        self.take_in(time, Moment::default(), around)
    }

    /// The earliest time whose reports are folded again, where delete events decide, when something
    /// of this time comes late.
    pub fn folded_since(&self, time: UnixNanos, around: &Around) -> UnixNanos {
        let base = self.stretches.iter().rposition(|it| it.since < time);
        let since = base.map(|base| self.stretches[base].since);
        if self.key.class == Class::Created {
            return since.unwrap_or(time);
        }
        let points = self.stretches[base.unwrap_or(0)..]
            .iter()
            .flat_map(|stretch| &stretch.points)
            .filter(|point| matches!(point.what, What::Seen { by: By::Scan, .. }))
            .map(|point| point.time);
        let scans = around.scans.iter().map(|(began, _)| *began);
        let again = points
            .chain(scans.filter(|began| *began >= around.forgotten))
            .filter(|again| since.is_none_or(|since| *again > since));
        again.chain([time]).min().unwrap_or(time)
    }

    fn take_in(&mut self, time: UnixNanos, own: Moment, around: &Around) -> Option<usize> {
        let is_newest = self.last().is_none_or(|last| last.last_report() < time)
            && around.scans.iter().all(|(began, _)| *began <= time)
            && around.deleted.iter().all(|deleted| *deleted <= time);
        let before = self.stretches.clone();
        let base = if is_newest {
            self.stretches.len().checked_sub(1)
        } else {
            self.stretches.iter().rposition(|it| it.since < time)
        };
        let mut moments: BTreeMap<UnixNanos, Moment> = BTreeMap::new();
        moments.insert(time, own);
        let since = if is_newest {
            // All that is known of earlier times is in the last stretch.
            Some(UnixNanos(time.0.saturating_sub(1)))
        } else {
            self.collect(base, around, &mut moments);
            base.map(|base| self.stretches[base].since)
        };
        let is_later = |moment: UnixNanos| since.is_none_or(|since| moment > since);
        let counts =
            |began: UnixNanos| is_later(began) && (began >= around.forgotten || began == time);
        for (began, meaning) in around.scans.iter().filter(|(began, _)| counts(*began)) {
            moments.entry(*began).or_default().scans.push(*meaning);
        }
        if self.key.class.ends_by_event() {
            // Of a settled one the stretches say what it ended.
            let counts = |deleted: &&UnixNanos| {
                is_later(**deleted) && (**deleted >= around.forgotten || **deleted == time)
            };
            for deleted in around.deleted.iter().filter(counts) {
                moments.entry(*deleted).or_default().is_deleted = true;
            }
        }
        if !is_newest {
            self.cut_after(base);
        }
        let mut seen = self.last().map_or(UnixNanos(0), |last| last.seen);
        if is_newest && self.open().is_some() {
            let scans = around.scans.iter();
            let before = scans.filter(|(began, meaning)| {
                let is_seen = matches!(meaning, Meaning::Seen(_));
                *began < time && is_seen && !self.is_suppressed(*began, &around.deleted)
            });
            let last_scan = before.map(|(began, _)| *began).max();
            seen = seen.max(last_scan.unwrap_or_default());
        }
        for (time, moment) in moments {
            self.fold(time, &moment, &around.deleted, &mut seen);
        }
        let same = before.iter().zip(&self.stretches);
        let same = same.take_while(|(one, other)| one == other).count();
        (same < before.len().max(self.stretches.len())).then_some(same)
    }

    /// All that the stretches know after the base began.
    fn collect(
        &self,
        base: Option<usize>,
        around: &Around,
        moments: &mut BTreeMap<UnixNanos, Moment>,
    ) {
        let is_settled = |time: UnixNanos| time < around.forgotten;
        let since = base.map(|base| self.stretches[base].since);
        for (index, stretch) in self.stretches.iter().enumerate().skip(base.unwrap_or(0)) {
            let is_base = Some(index) == base;
            for point in &stretch.points {
                if since.is_some_and(|since| point.time <= since) {
                    continue;
                }
                let moment = moments.entry(point.time).or_default();
                match is_settled(point.time) {
                    true => moment.settled.push(*point),
                    false => moment.points.push(*point),
                }
            }
            if stretch.is_empty() {
                continue;
            }
            if !is_base && is_settled(stretch.since) {
                moments.entry(stretch.since).or_default().opened = Some(stretch.state);
            }
            // A removal then is a fact. Only what a create event opened may yet turn
            // out to have settled later.
            if let Some((until, Ending::Removed(how))) = stretch.until
                && (is_settled(until) || self.key.class != Class::Created)
            {
                moments.entry(until).or_default().removed = Some((how, stretch.seen));
            }
        }
    }

    /// Forgets all that happened after the base began.
    fn cut_after(&mut self, base: Option<usize>) {
        self.stretches.truncate(base.map_or(0, |base| base + 1));
        if let Some(base) = self.stretches.last_mut() {
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
        let sighting = |point: &Point| match point.what {
            What::Seen { by: By::Scan, .. } if is_suppressed => None,
            What::Seen { state, .. } => Some(state),
            What::Removed(_) | What::Deleted => None,
        };
        let direct = points.iter().filter_map(sighting);
        // Membership alone opens no claim: a row must have reported it.
        let is_reported = points.iter().any(Point::is_sighting) || self.is_reported();
        let scans = moment.scans.iter().filter_map(|meaning| match meaning {
            Meaning::Seen(state) if is_reported && !is_suppressed => Some(*state),
            _ => None,
        });
        let sighted = direct.chain(scans).chain(moment.opened).max();
        // A settled one opens nothing: what it opened is a stretch. What was open then, it confirmed.
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
        if let Some(last) = self.stretches.last_mut() {
            let is_direct = points.iter().chain(&moment.settled).any(Point::is_sighting)
                || moment.opened.is_some();
            if last.is_open() && is_direct && *seen == time {
                last.seen = time;
            }
            let all = points.iter().chain(&moment.settled);
            all.for_each(|point| last.add(*point));
        } else if !points.is_empty() || !moment.settled.is_empty() {
            // Nothing that counts was seen yet.
            let mut removals = Stretch {
                since: time,
                until: Some((time, Ending::Removed(Removal::Deleted))),
                state: 0,
                seen: UnixNanos(0),
                points: Vec::new(),
            };
            let all = points.iter().chain(&moment.settled);
            all.for_each(|point| removals.add(*point));
            self.stretches.push(removals);
        }
    }

    /// Whether what a scan of this time saw does not count: it may list what was deleted just before.
    fn is_suppressed(&self, time: UnixNanos, deleted: &[UnixNanos]) -> bool {
        let settles = |deleted: &UnixNanos| *deleted <= time && time < deleted.after(SETTLE);
        self.key.class == Class::Actual && deleted.iter().any(settles)
    }

    /// Whether any row ever reported a sighting.
    fn is_reported(&self) -> bool {
        let mut stretches = self.stretches.iter();
        stretches.any(|it| !it.is_empty() || it.points.iter().any(Point::is_sighting))
    }

    fn see(&mut self, time: UnixNanos, state: u64) {
        let last = self.stretches.last_mut();
        let known = last.as_ref().map_or(0, |last| last.state);
        let state = if state == 0 { known } else { state };
        match last {
            Some(last) if last.is_open() && last.state == state => return,
            Some(last) if last.is_open() => last.until = Some((time, Ending::Replaced)),
            _ => {}
        }
        self.stretches.push(Stretch {
            since: time,
            until: None,
            state,
            seen: time,
            points: Vec::new(),
        });
    }

    fn removal(&self, time: UnixNanos, moment: &Moment, seen: UnixNanos) -> Option<Removal> {
        let rows = moment.points.iter().filter_map(|point| match point.what {
            What::Removed(how) => Some(how),
            What::Deleted => Some(Removal::Deleted),
            What::Seen { .. } => None,
        });
        let scans = moment.scans.iter().filter_map(|meaning| match meaning {
            Meaning::Gone(how) => Some(*how),
            Meaning::GoneOnceSettled(how) if time >= seen.after(SETTLE) => Some(*how),
            _ => None,
        });
        let event = moment.is_deleted.then_some(Removal::Deleted);
        let known = moment.removed.map(|(how, _)| how);
        rows.chain(scans).chain(event).chain(known).min()
    }

    fn remove(&mut self, time: UnixNanos, how: Removal, seen: UnixNanos) {
        if let Some(last) = self.stretches.last_mut()
            && last.is_open()
        {
            last.until = Some((time, Ending::Removed(how)));
            last.seen = seen;
        }
    }
}
