//! Finds the expired rows of a node. All functions are pure.

use std::collections::BTreeSet;

use super::limits::{ExpiryLimits, is_claim_expired};
use super::node_rows::NodeRows;
use crate::claims::{ClaimClass, ClaimInterval, IntervalEnd, PointKind, Removal};
use crate::component::UnixNanos;
use crate::store::rows::{ClaimKey, SnapshotKey, SnapshotKind, VersionKey, VersionRow};

/// Returns the begins of those intervals of a claim that no read as of `cutoff` or later needs. `intervals` must be
/// ordered, oldest first. The interval in force at `cutoff` stays or, if there is none, the last one before `cutoff`.
/// All earlier intervals are expired, except the newest one with a deletion: it may be the reason that another open
/// claim is stale.
pub(super) fn expired_intervals(
    class: ClaimClass,
    intervals: &[ClaimInterval],
    cutoff: UnixNanos,
) -> Vec<UnixNanos> {
    let in_force = intervals
        .iter()
        .rposition(|interval| interval.since <= cutoff);
    let expired = &intervals[..in_force.unwrap_or_default()];
    let deletion = expired
        .iter()
        .rposition(|it| class.is_lifecycle() && has_deletion(it));
    let expired = expired.iter().enumerate();
    let expired = expired.filter(|(index, _)| Some(*index) != deletion);
    expired.map(|(_, interval)| interval.since).collect()
}

fn has_deletion(interval: &ClaimInterval) -> bool {
    let ends_with_deletion = matches!(
        interval.until,
        Some((_, IntervalEnd::Removed(Removal::Deleted)))
    );
    let mut points = interval.points.iter();
    ends_with_deletion
        || points.any(|it| {
            matches!(
                it.kind,
                PointKind::Deleted | PointKind::Removed(Removal::Deleted)
            )
        })
}

/// Returns the expired intervals of all claims of a node, as (claim, begin).
pub(super) fn expired_claims(node: &NodeRows, limits: &ExpiryLimits) -> Vec<(ClaimKey, UnixNanos)> {
    let expired = node.claims.iter().flat_map(|(key, intervals)| {
        let expired = expired_intervals(key.class, intervals, limits.ended_before);
        expired.into_iter().map(|since| (*key, since))
    });
    expired.collect()
}

/// Returns the versions that no interval references once the intervals in `removed` are removed, except versions that
/// were written recently.
pub(super) fn unreferenced_versions(
    node: &NodeRows,
    removed: &[(ClaimKey, UnixNanos)],
    limits: &ExpiryLimits,
) -> Vec<VersionKey> {
    let removed: BTreeSet<(ClaimKey, UnixNanos)> = removed.iter().copied().collect();
    let mut referenced = BTreeSet::new();
    for (key, intervals) in &node.claims {
        let kept = intervals.iter();
        let kept = kept.filter(|it| !removed.contains(&(*key, it.since)));
        referenced.extend(kept.map(|interval| VersionKey {
            node: key.node,
            source: key.source,
            scope: key.scope,
            state: interval.state,
        }));
    }
    let versions = node.versions.iter();
    let unreferenced = versions
        .filter(|row| !referenced.contains(&row.key) && row.written < limits.written_before);
    unreferenced.map(|row| row.key).collect()
}

/// Returns the snapshots that versions reference.
pub(super) fn referenced_snapshots<'v>(
    versions: impl Iterator<Item = &'v VersionRow>,
) -> BTreeSet<SnapshotKey> {
    let keys = versions.flat_map(|row| {
        let parts = [
            (SnapshotKind::Edges, row.edges),
            (SnapshotKind::Aliases, row.aliases),
        ];
        parts.map(|(kind, hash)| (row.key.node, kind, hash))
    });
    let keys = keys.filter_map(|(node, kind, hash)| {
        Some(SnapshotKey {
            node,
            kind,
            hash: hash?,
        })
    });
    keys.collect()
}

/// Whether a node is expired: all its claims are expired, no version was written recently, no source reported or
/// observed it since the limit, and it is not merged into another node.
pub(super) fn is_node_expired(node: &NodeRows, limits: &ExpiryLimits) -> bool {
    let has_live_claim = node.claims.iter().any(|(key, intervals)| {
        let last = intervals.last();
        last.is_some_and(|last| !is_claim_expired(key.class, last, limits))
    });
    let has_recent_version = node
        .versions
        .iter()
        .any(|row| row.written >= limits.written_before);
    !has_live_claim
        && !has_recent_version
        && node.row.last_seen < limits.ended_before
        && node.row.same_as.is_none()
        && !node.has_fresh_observations
}

#[cfg(test)]
mod tests {
    use super::expired_intervals;
    use crate::claims::{ClaimClass, ClaimInterval, IntervalEnd, Removal};
    use crate::component::UnixNanos;

    fn interval(since: u64, until: Option<(u64, IntervalEnd)>) -> ClaimInterval {
        ClaimInterval {
            since: UnixNanos(since),
            until: until.map(|(until, end)| (UnixNanos(until), end)),
            state: since,
            seen: UnixNanos(since),
            points: Vec::new(),
        }
    }

    #[test]
    fn interval_at_the_cutoff_and_the_last_deletion_before_it_are_kept() {
        let deleted = IntervalEnd::Removed(Removal::Deleted);
        let released = IntervalEnd::Removed(Removal::Released);
        let intervals = [
            interval(1, Some((2, deleted))),
            interval(3, Some((4, deleted))),
            interval(5, Some((6, IntervalEnd::Replaced))),
            interval(6, Some((8, released))),
            interval(20, None),
        ];
        let expired = |class, cutoff| {
            let expired = expired_intervals(class, &intervals, UnixNanos(cutoff));
            expired.into_iter().map(|since| since.0).collect::<Vec<_>>()
        };
        // Between 8 and 20 no interval is in force; the one that ended last has the last known value.
        assert_eq!(expired(ClaimClass::Actual, 10), [1, 5]);
        assert_eq!(expired(ClaimClass::Desired, 10), [1, 3, 5]);
        assert_eq!(expired(ClaimClass::Actual, 6), [1, 5]);
        assert_eq!(expired(ClaimClass::Actual, 5), [1]);
        assert_eq!(expired(ClaimClass::Actual, 0), [0; 0]);
        assert_eq!(expired(ClaimClass::Actual, 30), [1, 5, 6]);
    }
}
