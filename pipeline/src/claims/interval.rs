//! The stored form of a claim: unbroken intervals of one value, with the newest direct reports of each.

use std::sync::Arc;

use super::report::{ClaimClass, Removal, ReportedBy};
use crate::unix_nanos::UnixNanos;

/// Identifies a claim among all claims of one uid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey {
    pub class: ClaimClass,
    pub source: Arc<str>,
    /// Empty if the reports belong to no scope.
    pub scope: Arc<str>,
}

/// An unbroken period of one value: `since..until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimInterval {
    pub since: UnixNanos,
    /// `None` while the interval is open. Equal to `since` if the interval has no value: then it keeps removals that
    /// were reported before any sighting.
    pub until: Option<(UnixNanos, IntervalEnd)>,
    /// Identifies the value; 0 if it is unknown.
    pub state: u64,
    /// The last sighting before the end; of an open interval, the last direct sighting.
    pub seen: UnixNanos,
    /// The newest [`ClaimInterval::POINTS`] direct reports from `since` until the start of the next interval,
    /// ascending by time.
    pub points: Vec<ReportPoint>,
}

/// How an interval ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalEnd {
    /// Another value follows at the same time.
    Replaced,
    /// The claim ended.
    Removed(Removal),
}

/// A direct report: it is about the uid itself. A completion, in contrast, is about a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportPoint {
    pub time: UnixNanos,
    pub kind: PointKind,
}

/// What a direct report states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointKind {
    /// A sighting.
    Seen { state: u64, by: ReportedBy },
    /// The source no longer sees the uid.
    Removed(Removal),
    /// A delete event of the claim's source.
    Deleted,
}

impl ClaimInterval {
    /// The number of direct reports that an interval keeps, so that a late report can be folded in its order.
    pub const POINTS: usize = 16;

    /// An open interval of which only the report that opened it is known.
    pub(crate) fn opened(since: UnixNanos, state: u64, by: ReportedBy) -> ClaimInterval {
        let kind = PointKind::Seen { state, by };
        ClaimInterval {
            since,
            until: None,
            state,
            seen: since,
            points: vec![ReportPoint { time: since, kind }],
        }
    }

    /// Whether the interval has not ended.
    pub fn is_open(&self) -> bool {
        self.until.is_none()
    }

    /// Whether the interval has no value.
    pub fn is_empty(&self) -> bool {
        self.until.is_some_and(|(until, _)| until == self.since)
    }

    /// Whether the time is within the interval.
    pub fn holds_at(&self, time: UnixNanos) -> bool {
        self.since <= time && self.until.is_none_or(|(until, _)| time < until)
    }

    /// Adds a direct report, unless the interval has it. Drops the oldest if there are too many.
    pub(super) fn add(&mut self, point: ReportPoint) {
        if let Err(index) = self.points.binary_search(&point) {
            self.points.insert(index, point);
            if self.points.len() > ClaimInterval::POINTS {
                self.points.remove(0);
            }
        }
    }

    /// The latest of the start, the end and the last direct report.
    pub(crate) fn last_report(&self) -> UnixNanos {
        let until = self.until.map_or(self.since, |(until, _)| until);
        let last = self.points.last().map_or(self.since, |point| point.time);
        last.max(until).max(self.since)
    }
}

impl ReportPoint {
    /// Whether a source saw the uid.
    pub fn is_sighting(&self) -> bool {
        matches!(self.kind, PointKind::Seen { .. })
    }

    /// One byte of kind, eight of time, eight of state, little endian.
    const BYTES: usize = 17;

    /// Encodes the points of an interval for a store. Most intervals have one point, the scan row that opened them:
    /// then it returns `None`.
    pub fn encode(points: &[ReportPoint], since: UnixNanos, state: u64) -> Option<Vec<u8>> {
        let opening = ReportPoint {
            time: since,
            kind: PointKind::Seen {
                state,
                by: ReportedBy::Scan,
            },
        };
        if points == [opening] {
            return None;
        }
        let mut bytes = Vec::with_capacity(points.len() * ReportPoint::BYTES);
        for point in points {
            let (kind, state) = match point.kind {
                PointKind::Seen {
                    state,
                    by: ReportedBy::Scan,
                } => (0, state),
                PointKind::Seen {
                    state,
                    by: ReportedBy::Row,
                } => (1, state),
                PointKind::Removed(Removal::Deleted) => (2, 0),
                PointKind::Removed(Removal::Released) => (3, 0),
                PointKind::Deleted => (4, 0),
            };
            bytes.push(kind);
            bytes.extend_from_slice(&point.time.0.to_le_bytes());
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        Some(bytes)
    }

    /// The inverse of [`ReportPoint::encode`]. Skips points of an unknown kind.
    pub fn decode(bytes: Option<&[u8]>, since: UnixNanos, state: u64) -> Vec<ReportPoint> {
        let Some(bytes) = bytes else {
            let by = ReportedBy::Scan;
            return vec![ReportPoint {
                time: since,
                kind: PointKind::Seen { state, by },
            }];
        };
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        let point = |bytes: &[u8]| {
            let state = number(&bytes[9..]);
            let kind = match bytes[0] {
                0 => PointKind::Seen {
                    state,
                    by: ReportedBy::Scan,
                },
                1 => PointKind::Seen {
                    state,
                    by: ReportedBy::Row,
                },
                2 => PointKind::Removed(Removal::Deleted),
                3 => PointKind::Removed(Removal::Released),
                4 => PointKind::Deleted,
                _ => return None,
            };
            let time = UnixNanos(number(&bytes[1..9]));
            Some(ReportPoint { time, kind })
        };
        bytes
            .chunks_exact(ReportPoint::BYTES)
            .filter_map(point)
            .collect()
    }
}
