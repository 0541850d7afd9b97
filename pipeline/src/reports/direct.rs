//! Reports about a uid itself, of whatever kind of row, in the order in which claims take them.

use super::{AliasItem, EdgeItem, Items, ReportBatch, Sighting};
use crate::claims::{Class, Point, What};
use crate::component::UnixNanos;
use crate::hash::hash_of;

/// A sighting, a removal, a delete event or a snapshot that no scan made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectReport<'a> {
    pub uid: &'a str,
    pub class: Class,
    pub source: &'a str,
    /// Empty for none.
    pub scope: &'a str,
    pub point: Point,
}

impl<'a> ReportBatch<'a> {
    /// All that are about one uid, by time, so that only what really is late is folded as such. A
    /// delete event is a point of its source's claim of class [`Class::Created`] without a scope.
    pub fn direct(&self) -> Vec<DirectReport<'a>> {
        let mut all = Vec::with_capacity(self.sightings.len());
        all.extend(self.sightings.iter().map(Sighting::direct));
        all.extend(self.removals.iter().map(|removed| DirectReport {
            uid: removed.uid,
            class: removed.class,
            source: removed.source,
            scope: removed.scope,
            point: Point {
                time: removed.time,
                what: What::Removed(removed.how),
            },
        }));
        all.extend(self.delete_events.iter().map(|event| DirectReport {
            uid: event.uid,
            class: Class::Created,
            source: event.source,
            scope: "",
            point: Point {
                time: event.time,
                what: What::Deleted,
            },
        }));
        // A snapshot that no scan made is a claim of its own.
        let alone = self.snapshots.iter().filter(|it| it.state.is_none());
        all.extend(alone.map(|snapshot| {
            let (class, state) = snapshot.items.class_and_hash();
            DirectReport {
                uid: snapshot.uid,
                class,
                source: snapshot.source,
                scope: snapshot.scope,
                point: Point {
                    time: snapshot.time,
                    what: What::Seen {
                        state,
                        by: crate::claims::By::Row,
                    },
                },
            }
        }));
        all.sort_by_key(|report| (report.point.time, report.point.what));
        all
    }
}

impl<'a> Sighting<'a> {
    fn direct(&self) -> DirectReport<'a> {
        DirectReport {
            uid: self.uid,
            class: self.class,
            source: self.source,
            scope: self.scope,
            point: Point {
                time: self.time,
                what: What::Seen {
                    state: self.state,
                    by: self.by,
                },
            },
        }
    }
}

impl Items<'_> {
    /// The class of a snapshot that no scan made, and what names it: the hash of its items, in whatever
    /// order they were reported.
    pub fn class_and_hash(&self) -> (Class, u64) {
        let time = |time: Option<UnixNanos>| time.map_or(u64::MAX, |time| time.0).to_le_bytes();
        match self {
            Items::Edges(edges) => {
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
                (Class::Edges, hash_of(parts))
            }
            Items::Aliases(aliases) => {
                let mut aliases: Vec<&AliasItem<'_>> = aliases.iter().collect();
                aliases.sort_by_key(|alias| (alias.kind, alias.value, alias.within));
                let times: Vec<[[u8; 8]; 2]> = aliases
                    .iter()
                    .map(|alias| [time(alias.valid_from), time(alias.valid_to)])
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
                (Class::Aliases, hash_of(parts))
            }
        }
    }
}
