//! A claim as it is kept: unbroken stretches of one value, and the newest direct reports.

use std::sync::Arc;

use super::report::{By, Class, Removal};
use crate::component::UnixNanos;

/// Which claim: what one source reports of a uid in one scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub class: Class,
    pub source: Arc<str>,
    /// Empty for none.
    pub scope: Arc<str>,
}

/// An unbroken stretch of one value: it holds in `since..until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub since: UnixNanos,
    /// None while it is open. Equal to `since` where there is no value, only removals that were
    /// reported before any sighting.
    pub until: Option<(UnixNanos, Ending)>,
    /// Names the value; 0 where it is not known.
    pub state: u64,
    /// The last sighting before the end; of an open stretch the last direct one.
    pub seen: UnixNanos,
    /// Direct reports from `since` on and before the next stretch, ascending by time: the newest
    /// [`Stretch::POINTS`].
    pub points: Vec<Point>,
}

/// How a stretch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Another value follows at once.
    Replaced,
    Removed(Removal),
}

/// A report about the uid itself, as against a completion, which is about a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub time: UnixNanos,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Seen {
        state: u64,
        by: By,
    },
    Removed(Removal),
    /// A delete event of this key's source.
    Deleted,
}

impl Stretch {
    /// Direct reports that are kept of a stretch, so that a late one finds its place among them.
    pub const POINTS: usize = 16;

    /// One that a report opened, and of which nothing else is known.
    pub(crate) fn opened(since: UnixNanos, state: u64, by: By) -> Stretch {
        let what = What::Seen { state, by };
        Stretch {
            since,
            until: None,
            state,
            seen: since,
            points: vec![Point { time: since, what }],
        }
    }

    pub fn is_open(&self) -> bool {
        self.until.is_none()
    }

    /// Whether it has no value.
    pub fn is_empty(&self) -> bool {
        self.until.is_some_and(|(until, _)| until == self.since)
    }

    pub fn holds_at(&self, time: UnixNanos) -> bool {
        self.since <= time && self.until.is_none_or(|(until, _)| time < until)
    }

    /// Adds a direct report, once.
    pub(super) fn add(&mut self, point: Point) {
        if let Err(place) = self.points.binary_search(&point) {
            self.points.insert(place, point);
            if self.points.len() > Stretch::POINTS {
                self.points.remove(0);
            }
        }
    }

    /// When anything direct was last reported of it.
    pub(crate) fn last_report(&self) -> UnixNanos {
        let until = self.until.map_or(self.since, |(until, _)| until);
        let last = self.points.last().map_or(self.since, |point| point.time);
        last.max(until).max(self.since)
    }
}

impl Point {
    pub fn is_sighting(&self) -> bool {
        matches!(self.what, What::Seen { .. })
    }

    /// One byte of kind, eight of time, eight of state, little endian.
    const BYTES: usize = 17;

    /// As a store keeps the points of a stretch; `None` where the only one is the scan row that
    /// opened it, as of most.
    pub fn encode(points: &[Point], since: UnixNanos, state: u64) -> Option<Vec<u8>> {
        let opening = Point {
            time: since,
            what: What::Seen {
                state,
                by: By::Scan,
            },
        };
        if points == [opening] {
            return None;
        }
        let mut bytes = Vec::with_capacity(points.len() * Point::BYTES);
        for point in points {
            let (kind, state) = match point.what {
                What::Seen {
                    state,
                    by: By::Scan,
                } => (0, state),
                What::Seen { state, by: By::Row } => (1, state),
                What::Removed(Removal::Deleted) => (2, 0),
                What::Removed(Removal::Released) => (3, 0),
                What::Deleted => (4, 0),
            };
            bytes.push(kind);
            bytes.extend_from_slice(&point.time.0.to_le_bytes());
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        Some(bytes)
    }

    /// The inverse of [`Point::encode`]; bytes of an unknown kind are left out.
    pub fn decode(bytes: Option<&[u8]>, since: UnixNanos, state: u64) -> Vec<Point> {
        let Some(bytes) = bytes else {
            let by = By::Scan;
            return vec![Point {
                time: since,
                what: What::Seen { state, by },
            }];
        };
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        let point = |bytes: &[u8]| {
            let state = number(&bytes[9..]);
            let what = match bytes[0] {
                0 => What::Seen {
                    state,
                    by: By::Scan,
                },
                1 => What::Seen { state, by: By::Row },
                2 => What::Removed(Removal::Deleted),
                3 => What::Removed(Removal::Released),
                4 => What::Deleted,
                _ => return None,
            };
            let time = UnixNanos(number(&bytes[1..9]));
            Some(Point { time, what })
        };
        bytes.chunks_exact(Point::BYTES).filter_map(point).collect()
    }
}
