//! What housekeeping reads and removes, and pages of records.

use std::ops::Range;

use super::{EdgeStatsRow, NodeId, Word};
use crate::component::UnixNanos;

/// The time that one row of edge statistics covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    Minute,
    /// All writers and chunks in one row: `minute` is where the hour begins.
    Hour,
}

/// An edge of which something was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatsEdge {
    pub from: NodeId,
    pub kind: Word,
    pub to: NodeId,
    pub connection_type: Word,
}

impl StatsEdge {
    /// Parts in which a store keeps the edges of a minute: what is replaced together is small.
    pub const PARTS: u8 = 64;

    pub fn of(row: &EdgeStatsRow) -> StatsEdge {
        StatsEdge {
            from: row.from,
            kind: row.kind,
            to: row.to,
            connection_type: row.connection_type,
        }
    }

    /// In which part the edge is; less than [`StatsEdge::PARTS`].
    pub fn part(&self) -> u8 {
        let ends = self.from.wrapping_mul(31).wrapping_add(self.to);
        ends.rem_euclid(i64::from(StatsEdge::PARTS)) as u8
    }
}

/// Which records of a signal a page is of. `NO_WORD` and none do not restrict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPage {
    pub signal: Word,
    pub status: Word,
    pub severity: Word,
    /// Whether it was not resolved yet.
    pub is_open: Option<bool>,
    pub opened: Range<UnixNanos>,
    /// Not newer than this (opened, id).
    pub from: Option<(UnixNanos, String)>,
    pub limit: usize,
}

/// By which of its times a record is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordTime {
    Opened,
    Resolved,
}

/// How large the store of a backend is. Estimates: nothing is counted row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub bytes: u64,
    /// Bytes of `bytes` that no row uses.
    pub free_bytes: u64,
    /// Rows by table, of those tables whose rows are numbered.
    pub rows: Vec<(&'static str, u64)>,
}
