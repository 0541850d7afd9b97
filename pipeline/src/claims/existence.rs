//! What all claims of a uid say together.

use super::claim::Claim;
use super::report::{Class, Existence, Removal, STALE_AFTER};
use super::stretch::{Ending, Key, Stretch, What};
use crate::component::UnixNanos;
use crate::graph_store::At;

/// When the last scan up to a moment of a claim's scope began that completed; of a claim of class
/// `Created`, of any source's scans of that scope.
pub trait LastScan {
    fn last_scan(&self, key: &Key, at: At) -> Option<UnixNanos>;
}

/// A claim that is open at the moment.
struct Open<'c> {
    key: &'c Key,
    last_sighting: UnixNanos,
    activity: UnixNanos,
}

/// Whether a uid exists at a moment. `claims` are all that it has; of a moment in the past with all
/// stretches that touch it or end after it.
pub fn existence(claims: &[Claim], scans: &impl LastScan, at: At) -> Existence {
    let moment = limit(at);
    let claims = || claims.iter().filter(|it| it.key.class.is_lifecycle());
    let deletions: Vec<(UnixNanos, &Key)> = claims()
        .flat_map(|claim| deletions(claim).map(|time| (time, &claim.key)))
        .filter(|(time, _)| *time <= moment)
        .collect();
    let open: Vec<Open<'_>> = claims()
        .filter_map(|claim| Open::of(claim, scans, at))
        .collect();
    let is_stale = |open: &Open<'_>| {
        deletions.iter().any(|(time, by)| {
            (&by.source, &by.scope) != (&open.key.source, &open.key.scope)
                && *time >= open.activity.after(STALE_AFTER)
        })
    };
    if open.iter().any(|open| !is_stale(open)) {
        return Existence::Exists;
    }
    let ended = || claims().flat_map(|claim| ended_before(claim, moment));
    let sightings = ended().map(|(_, seen)| seen);
    let last = sightings.chain(open.iter().map(|open| open.last_sighting));
    let last = last.max();
    let after = deletions.iter().map(|(time, _)| *time);
    let after = after.filter(|time| last.is_none_or(|last| *time > last));
    if let Some(first) = after.min() {
        return Existence::Ended(first);
    }
    let untils = claims().flat_map(|claim| &claim.stretches);
    let untils = untils.filter(|stretch| !stretch.is_empty());
    let untils = untils.filter_map(|stretch| stretch.until.map(|(until, _)| until));
    let left = untils.filter(|until| *until <= moment).max();
    let stale = open.iter().map(|open| open.activity).max();
    match left.or(stale) {
        Some(since) => Existence::Unobserved(since),
        None => Existence::Unknown,
    }
}

/// The claim of a class whose value counts at a moment, and the stretch that has it: of those that
/// are open the one that changed last, else of those that ended the last.
pub fn winner(claims: &[Claim], class: Class, at: At) -> Option<(&Claim, &Stretch)> {
    let moment = limit(at);
    let claims = claims.iter().filter(|claim| claim.key.class == class);
    let last = claims.filter_map(|claim| {
        let known = claim.stretches.iter().rev();
        let mut known = known.filter(|it| it.since <= moment && !it.is_empty());
        known.next().map(|stretch| (claim, stretch))
    });
    last.max_by_key(|(claim, stretch)| {
        let until = stretch.until.map(|(until, _)| until);
        let until = until.filter(|until| *until <= moment);
        let until = until.unwrap_or(UnixNanos(u64::MAX));
        let Key { source, scope, .. } = &claim.key;
        (until, stretch.since, source, stretch.state, scope)
    })
}

/// The stretches that hold at a moment.
pub fn open_at(claims: &[Claim], at: At) -> impl Iterator<Item = (&Claim, &Stretch)> {
    claims.iter().filter_map(move |claim| {
        let stretch = held(claim, at)?;
        Some((claim, stretch))
    })
}

fn limit(at: At) -> UnixNanos {
    match at {
        At::Now => UnixNanos(u64::MAX),
        At::Time(time) => time,
    }
}

fn held(claim: &Claim, at: At) -> Option<&Stretch> {
    match at {
        At::Now => claim.open(),
        At::Time(time) => claim.at(time),
    }
}

impl<'c> Open<'c> {
    fn of(claim: &'c Claim, scans: &impl LastScan, at: At) -> Option<Open<'c>> {
        let since = held(claim, at)?.since;
        let later = claim.stretches.iter().filter(|it| it.since >= since);
        let mut last = None;
        for stretch in later {
            last = Some(stretch);
            if !matches!(stretch.until, Some((_, Ending::Replaced))) {
                break;
            }
        }
        let last = last?;
        let key = &claim.key;
        // A scan of the scope sees what is open, or ends it; of what an event created it says nothing.
        let by_scan = (key.class == Class::Actual && last.is_open())
            .then(|| scans.last_scan(key, At::Now))
            .flatten();
        let sighting = by_scan.map_or(last.seen, |scan| scan.max(last.seen));
        let moment = limit(at);
        if sighting > moment {
            return Some(Open {
                key,
                last_sighting: moment,
                activity: moment,
            });
        }
        let completed = scans.last_scan(key, at).unwrap_or_default();
        Some(Open {
            key,
            last_sighting: sighting,
            activity: sighting.max(completed),
        })
    }
}

fn deletions(claim: &Claim) -> impl Iterator<Item = UnixNanos> {
    claim.stretches.iter().flat_map(|stretch| {
        let end = match stretch.until {
            Some((until, Ending::Removed(Removal::Deleted))) if !stretch.is_empty() => Some(until),
            _ => None,
        };
        let reported = stretch
            .points
            .iter()
            .filter(|point| matches!(point.what, What::Removed(Removal::Deleted) | What::Deleted));
        reported.map(|point| point.time).chain(end)
    })
}

/// Openings that ended up to a moment: when, and when the uid was last seen in them.
fn ended_before(claim: &Claim, moment: UnixNanos) -> impl Iterator<Item = (UnixNanos, UnixNanos)> {
    claim.stretches.iter().filter_map(move |stretch| {
        let (until, ending) = stretch.until?;
        let is_end = matches!(ending, Ending::Removed(_)) && !stretch.is_empty();
        (is_end && until <= moment).then_some((until, stretch.seen))
    })
}
