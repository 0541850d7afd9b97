//! What of a node is too old to be kept: pure.

use std::collections::BTreeSet;

use super::super::rows::{ClaimKey, Part, SnapshotKey, VersionKey, VersionRow};
use super::node::NodeRows;
use crate::claims::{Class, Ending, Removal, Stretch, What};
use crate::component::UnixNanos;

/// Until when things are removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// What ended before it.
    pub(super) cut: UnixNanos,
    /// What was seen by itself, and not since; none where that holds for ever.
    pub(super) observed: Option<UnixNanos>,
    /// Versions that nothing names, and that were not written since.
    pub(super) written: UnixNanos,
    /// Statistics.
    pub(super) stats: UnixNanos,
}

impl Limits {
    pub(super) fn is_expired(&self, seen: UnixNanos) -> bool {
        self.observed.is_some_and(|observed| seen < observed)
    }
}

/// The stretches of a claim, oldest first, that no answer at the cut or later needs: those before the one
/// that held then, or ended last before it. The newest of them that knows of a deletion stays: by it
/// another claim, which stayed open in silence, may be stale.
pub(super) fn old_stretches(class: Class, stretches: &[Stretch], cut: UnixNanos) -> Vec<UnixNanos> {
    let held = stretches.iter().rposition(|stretch| stretch.since <= cut);
    let old = &stretches[..held.unwrap_or_default()];
    let deletion = old
        .iter()
        .rposition(|it| class.is_lifecycle() && has_deletion(it));
    let old = old.iter().enumerate();
    let old = old.filter(|(place, _)| Some(*place) != deletion);
    old.map(|(_, stretch)| stretch.since).collect()
}

fn has_deletion(stretch: &Stretch) -> bool {
    let is_end = matches!(stretch.until, Some((_, Ending::Removed(Removal::Deleted))));
    let mut points = stretch.points.iter();
    is_end || points.any(|it| matches!(it.what, What::Deleted | What::Removed(Removal::Deleted)))
}

/// The old stretches of all claims of a node.
pub(super) fn old_claims(node: &NodeRows, limits: &Limits) -> Vec<(ClaimKey, UnixNanos)> {
    let old = node.claims.iter().flat_map(|(key, stretches)| {
        let old = old_stretches(key.class, stretches, limits.cut);
        old.into_iter().map(|since| (*key, since))
    });
    old.collect()
}

/// The versions that no stretch names once these stretches are removed.
pub(super) fn unnamed_versions(
    node: &NodeRows,
    removed: &[(ClaimKey, UnixNanos)],
    limits: &Limits,
) -> Vec<VersionKey> {
    let removed: BTreeSet<(ClaimKey, UnixNanos)> = removed.iter().copied().collect();
    let mut named = BTreeSet::new();
    for (key, stretches) in &node.claims {
        let kept = stretches.iter();
        let kept = kept.filter(|it| !removed.contains(&(*key, it.since)));
        named.extend(kept.map(|stretch| VersionKey {
            node: key.node,
            source: key.source,
            scope: key.scope,
            state: stretch.state,
        }));
    }
    let versions = node.versions.iter();
    let unnamed = versions.filter(|row| !named.contains(&row.key) && row.written < limits.written);
    unnamed.map(|row| row.key).collect()
}

/// The snapshots that versions name.
pub(super) fn snapshots_of<'v>(
    versions: impl Iterator<Item = &'v VersionRow>,
) -> BTreeSet<SnapshotKey> {
    let names = versions.flat_map(|row| {
        let parts = [(Part::Edges, row.edges), (Part::Aliases, row.aliases)];
        parts.map(|(part, hash)| (row.key.node, part, hash))
    });
    let names = names.filter_map(|(node, part, hash)| {
        Some(SnapshotKey {
            node,
            part,
            hash: hash?,
        })
    });
    names.collect()
}

/// Whether nothing claimed or saw the node since the cut.
pub(super) fn is_over(node: &NodeRows, limits: &Limits) -> bool {
    let is_claimed = node.claims.iter().any(|(key, stretches)| {
        let last = stretches.last();
        last.is_some_and(|last| !is_claim_over(key.class, last, limits))
    });
    let is_new = node
        .versions
        .iter()
        .any(|row| row.written >= limits.written);
    !is_claimed
        && !is_new
        && node.row.last_seen < limits.cut
        && node.row.same_as.is_none()
        && !node.has_fresh_observations
}

/// The same of one claim: its last stretch.
pub(super) fn is_claim_over(class: Class, last: &Stretch, limits: &Limits) -> bool {
    let reported = last.last_report().max(last.seen);
    match last.until {
        Some(_) => reported < limits.cut,
        // No scan ends these.
        None => {
            let is_by_itself = matches!(
                class,
                Class::Telemetry | Class::Health | Class::Edges | Class::Aliases
            );
            is_by_itself && limits.is_expired(reported)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::old_stretches;
    use crate::claims::{Class, Ending, Removal, Stretch};
    use crate::component::UnixNanos;

    fn stretch(since: u64, until: Option<(u64, Ending)>) -> Stretch {
        Stretch {
            since: UnixNanos(since),
            until: until.map(|(until, how)| (UnixNanos(until), how)),
            state: since,
            seen: UnixNanos(since),
            points: Vec::new(),
        }
    }

    #[test]
    fn what_held_at_the_cut_stays_and_the_last_deletion_before() {
        let deleted = Ending::Removed(Removal::Deleted);
        let released = Ending::Removed(Removal::Released);
        let stretches = [
            stretch(1, Some((2, deleted))),
            stretch(3, Some((4, deleted))),
            stretch(5, Some((6, Ending::Replaced))),
            stretch(6, Some((8, released))),
            stretch(20, None),
        ];
        let old = |class, cut| {
            let old = old_stretches(class, &stretches, UnixNanos(cut));
            old.into_iter().map(|since| since.0).collect::<Vec<_>>()
        };
        // Between 8 and 20 the last one that ended says what the value was.
        assert_eq!(old(Class::Actual, 10), [1, 5]);
        assert_eq!(old(Class::Desired, 10), [1, 3, 5]);
        assert_eq!(old(Class::Actual, 6), [1, 5]);
        assert_eq!(old(Class::Actual, 5), [1]);
        assert_eq!(old(Class::Actual, 0), [0; 0]);
        assert_eq!(old(Class::Actual, 30), [1, 5, 6]);
    }
}
