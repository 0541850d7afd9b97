//! Combines all claims of a uid: whether it exists, and which values it has.

use super::claim::Claim;
use super::interval::{ClaimInterval, IntervalEnd, PointKind, SourceKey};
use super::report::{ClaimClass, Existence, Removal, STALE_AFTER};
use crate::unix_nanos::{AsOf, UnixNanos};

/// Looks up the newest completed scan of a claim's scope.
pub trait LastScan {
    /// The start time of the last completed scan of the claim's scope that began at the moment or before. For a claim
    /// of the class `Created`, the scans of all sources in scopes of that name count.
    fn last_scan(&self, key: &SourceKey, at: AsOf) -> Option<UnixNanos>;
}

/// A claim that is open at the moment.
struct OpenClaim<'c> {
    key: &'c SourceKey,
    last_sighting: UnixNanos,
    /// The last sighting or the last completed scan of the scope, whichever is later.
    activity: UnixNanos,
}

/// Returns whether a uid exists at a moment. `claims` are all claims of the uid, each with its last interval. For a
/// moment in the past, each also has all intervals that end after the moment, and the newest one that ended by then.
pub fn existence(claims: &[Claim], scans: &impl LastScan, at: AsOf) -> Existence {
    let moment = limit(at);
    let claims = || claims.iter().filter(|it| it.key.class.is_lifecycle());
    let deletions: Vec<(UnixNanos, &SourceKey)> = claims()
        .flat_map(|claim| deletions(claim).map(|time| (time, &claim.key)))
        .filter(|(time, _)| *time <= moment)
        .collect();
    let open: Vec<OpenClaim<'_>> = claims()
        .filter_map(|claim| OpenClaim::of(claim, scans, at))
        .collect();
    let is_stale = |open: &OpenClaim<'_>| {
        deletions.iter().any(|(time, by)| {
            (&by.source, &by.scope) != (&open.key.source, &open.key.scope)
                && *time >= open.activity + STALE_AFTER
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
    let ends = claims().flat_map(|claim| &claim.intervals);
    let ends = ends.filter(|interval| !interval.is_empty());
    let ends = ends.filter_map(|interval| interval.until.map(|(until, _)| until));
    let last_end = ends.filter(|until| *until <= moment).max();
    let last_activity = open.iter().map(|open| open.activity).max();
    match last_end.or(last_activity) {
        Some(since) => Existence::Unobserved(since),
        None => Existence::Unknown,
    }
}

/// Returns the claim of a class that determines the value at a moment, with the interval of that value. Of the open
/// claims, the one that changed last wins. If no claim is open, the one that ended last wins.
pub fn winner(claims: &[Claim], class: ClaimClass, at: AsOf) -> Option<(&Claim, &ClaimInterval)> {
    let moment = limit(at);
    let claims = claims.iter().filter(|claim| claim.key.class == class);
    let last = claims.filter_map(|claim| {
        let known = claim.intervals.iter().rev();
        let mut known = known.filter(|it| it.since <= moment && !it.is_empty());
        known.next().map(|interval| (claim, interval))
    });
    last.max_by_key(|(claim, interval)| {
        let until = interval.until.map(|(until, _)| until);
        let until = until.filter(|until| *until <= moment);
        let until = until.unwrap_or(UnixNanos(u64::MAX));
        let SourceKey { source, scope, .. } = &claim.key;
        (until, interval.since, source, interval.state, scope)
    })
}

/// Returns the claims that are open at a moment, each with the interval that contains it.
pub fn open_at(claims: &[Claim], at: AsOf) -> impl Iterator<Item = (&Claim, &ClaimInterval)> {
    claims.iter().filter_map(move |claim| {
        let interval = interval_at(claim, at)?;
        Some((claim, interval))
    })
}

fn limit(at: AsOf) -> UnixNanos {
    match at {
        AsOf::Now => UnixNanos(u64::MAX),
        AsOf::Time(time) => time,
    }
}

fn interval_at(claim: &Claim, at: AsOf) -> Option<&ClaimInterval> {
    match at {
        AsOf::Now => claim.open(),
        AsOf::Time(time) => claim.at(time),
    }
}

impl<'c> OpenClaim<'c> {
    fn of(claim: &'c Claim, scans: &impl LastScan, at: AsOf) -> Option<OpenClaim<'c>> {
        let since = interval_at(claim, at)?.since;
        let from_here = claim.intervals.iter().filter(|it| it.since >= since);
        let mut last = None;
        for interval in from_here {
            last = Some(interval);
            if !matches!(interval.until, Some((_, IntervalEnd::Replaced))) {
                break;
            }
        }
        let last = last?;
        let key = &claim.key;
        // A scan of the scope either sees the uid or ends the claim. So if the claim is open, the newest scan saw the
        // uid. (A scan does not confirm a claim that an event opened.)
        let by_scan = (key.class == ClaimClass::Actual && last.is_open())
            .then(|| scans.last_scan(key, AsOf::Now))
            .flatten();
        let sighting = by_scan.map_or(last.seen, |scan| scan.max(last.seen));
        let moment = limit(at);
        if sighting > moment {
            return Some(OpenClaim {
                key,
                last_sighting: moment,
                activity: moment,
            });
        }
        let completed = scans.last_scan(key, at).unwrap_or_default();
        Some(OpenClaim {
            key,
            last_sighting: sighting,
            activity: sighting.max(completed),
        })
    }
}

/// The times at which the claim reports a deletion of the uid.
fn deletions(claim: &Claim) -> impl Iterator<Item = UnixNanos> {
    claim.intervals.iter().flat_map(|interval| {
        let end = match interval.until {
            Some((until, IntervalEnd::Removed(Removal::Deleted))) if !interval.is_empty() => {
                Some(until)
            }
            _ => None,
        };
        let reported = interval.points.iter().filter(|point| {
            matches!(
                point.kind,
                PointKind::Removed(Removal::Deleted) | PointKind::Deleted
            )
        });
        reported.map(|point| point.time).chain(end)
    })
}

/// The ends of the claim up to a moment, each with the last sighting before it.
fn ended_before(claim: &Claim, moment: UnixNanos) -> impl Iterator<Item = (UnixNanos, UnixNanos)> {
    claim.intervals.iter().filter_map(move |interval| {
        let (until, end) = interval.until?;
        let is_end = matches!(end, IntervalEnd::Removed(_)) && !interval.is_empty();
        (is_end && until <= moment).then_some((until, interval.seen))
    })
}
