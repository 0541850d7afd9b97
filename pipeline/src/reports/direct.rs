//! Direct reports: the reports that are about one uid, in the order in which claims fold them.

use super::{AliasItem, EdgeItem, ReportBatch, Sighting, SnapshotItems};
use crate::claims::{ClaimClass, PointKind, ReportPoint};
use crate::hash::hash_of;
use crate::unix_nanos::UnixNanos;

/// A report about one uid: a sighting, a removal, a delete event, or a snapshot that no scan made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectReport<'a> {
    pub uid: &'a str,
    pub class: ClaimClass,
    pub source: &'a str,
    /// Empty if the report belongs to no scope.
    pub scope: &'a str,
    pub point: ReportPoint,
}

impl<'a> ReportBatch<'a> {
    /// All direct reports, ascending by time, so that no report is late because of its position in the batch. A delete
    /// event becomes a report of the claim with the source of the event, the class [`ClaimClass::Created`] and no
    /// scope.
    pub fn direct_reports(&self) -> Vec<DirectReport<'a>> {
        let mut all = Vec::with_capacity(self.sightings.len());
        all.extend(self.sightings.iter().map(Sighting::direct_report));
        all.extend(self.removals.iter().map(|removed| DirectReport {
            uid: removed.uid,
            class: removed.class,
            source: removed.source,
            scope: removed.scope,
            point: ReportPoint {
                time: removed.time,
                kind: PointKind::Removed(removed.how),
            },
        }));
        all.extend(self.delete_events.iter().map(|event| DirectReport {
            uid: event.uid,
            class: ClaimClass::Created,
            source: event.source,
            scope: "",
            point: ReportPoint {
                time: event.time,
                kind: PointKind::Deleted,
            },
        }));
        // A snapshot that no scan made has its own claim.
        let without_scan = self.snapshots.iter().filter(|it| it.state.is_none());
        all.extend(without_scan.map(|snapshot| {
            let (class, state) = snapshot.items.class_and_hash();
            DirectReport {
                uid: snapshot.uid,
                class,
                source: snapshot.source,
                scope: snapshot.scope,
                point: ReportPoint {
                    time: snapshot.time,
                    kind: PointKind::Seen {
                        state,
                        by: crate::claims::ReportedBy::Row,
                    },
                },
            }
        }));
        all.sort_by_key(|report| (report.point.time, report.point.kind));
        all
    }
}

impl<'a> Sighting<'a> {
    fn direct_report(&self) -> DirectReport<'a> {
        DirectReport {
            uid: self.uid,
            class: self.class,
            source: self.source,
            scope: self.scope,
            point: ReportPoint {
                time: self.time,
                kind: PointKind::Seen {
                    state: self.state,
                    by: self.by,
                },
            },
        }
    }
}

impl SnapshotItems<'_> {
    /// The class of a snapshot that no scan made, and its state: the hash of its items. Their order has no effect.
    pub fn class_and_hash(&self) -> (ClaimClass, u64) {
        let time_bytes =
            |time: Option<UnixNanos>| time.map_or(u64::MAX, |time| time.0).to_le_bytes();
        match self {
            SnapshotItems::Edges(edges) => {
                let mut edges: Vec<&EdgeItem<'_>> = edges.iter().collect();
                edges.sort_by(|one, other| {
                    let key = |edge: &EdgeItem<'_>| {
                        (
                            edge.confidence.to_bits(),
                            edge.properties.map(<[u8]>::to_vec),
                        )
                    };
                    (one.kind, one.to, key(one)).cmp(&(other.kind, other.to, key(other)))
                });
                let confidences: Vec<[u8; 8]> = edges
                    .iter()
                    .map(|edge| edge.confidence.to_le_bytes())
                    .collect();
                let parts = edges
                    .iter()
                    .zip(&confidences)
                    .flat_map(|(edge, confidence)| {
                        [
                            Some(edge.kind.as_bytes()),
                            Some(edge.to.as_bytes()),
                            Some(confidence.as_slice()),
                            edge.properties,
                        ]
                    });
                (ClaimClass::Edges, hash_of(parts))
            }
            SnapshotItems::Aliases(aliases) => {
                let mut aliases: Vec<&AliasItem<'_>> = aliases.iter().collect();
                aliases.sort_by_key(|alias| (alias.kind, alias.value, alias.within));
                let times: Vec<[[u8; 8]; 2]> = aliases
                    .iter()
                    .map(|alias| [time_bytes(alias.valid_from), time_bytes(alias.valid_to)])
                    .collect();
                let parts = aliases.iter().zip(&times).flat_map(|(alias, [from, to])| {
                    [
                        Some(alias.kind.as_bytes()),
                        Some(alias.value.as_bytes()),
                        Some(alias.within.as_bytes()),
                        Some(from.as_slice()),
                        Some(to.as_slice()),
                    ]
                });
                (ClaimClass::Aliases, hash_of(parts))
            }
        }
    }
}
