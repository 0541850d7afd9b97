//! The filters, page limits and results of a backend's reads.

use std::ops::Range;

use super::row::{EdgeKey, EdgeStatsRow, NodeId, TextField, TextRow, Word};
use crate::component::UnixNanos;

/// Which columns of a row are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// All columns.
    Full,
    /// All columns but the value of a version or the tags of a node.
    Header,
}

/// Selects the listed nodes that meet all conditions. `NO_WORD` and an empty list are no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeRowFilter {
    /// The node has one of these kinds.
    pub kinds: Vec<Word>,
    pub provider: Word,
    pub account: Word,
    pub region: Word,
    /// Whether ended nodes can match.
    pub include_ended: bool,
    /// Each inner list contains alternatives: a text of the node must meet at least one of them.
    pub texts: Vec<Vec<TextCondition>>,
    /// A listed node that changed after this time matches, whatever its words and texts are; `None` if there is no such
    /// exception.
    pub changed_after: Option<UnixNanos>,
}

/// A condition on the texts of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextCondition {
    pub field: TextField,
    pub mode: TextMatch,
    pub text: String,
}

/// The result of a text search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextHits {
    pub rows: Vec<TextRow>,
    /// Whether more texts may match.
    pub has_more: bool,
}

/// How a stored text is compared with the text of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextMatch {
    Exact,
    Prefix,
    /// The stored text contains the query, which has at least three characters.
    Substring,
}

/// Selects a page of edges. The edges of all requested nodes are in one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgePage {
    /// The page starts after this key. Outgoing edges are in the order of [`EdgeKey`], incoming ones are ordered by
    /// (to, kind, from, source, scope, is_observation).
    pub after: Option<EdgeKey>,
    pub limit: usize,
}

/// The period of one row of edge statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsResolution {
    Minute,
    /// A row is the sum over all writers and chunks, and its `minute` is the begin of the hour.
    Hour,
}

/// Identifies the edge that a row of statistics is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatsEdge {
    pub from: NodeId,
    pub kind: Word,
    pub to: NodeId,
    pub connection_type: Word,
}

impl StatsEdge {
    /// The number of partitions of the edges of a minute. A backend may store a partition as one row, and housekeeping
    /// replaces one partition at a time.
    pub const PARTS: u8 = 64;

    /// Returns the edge that a row of statistics belongs to.
    pub fn of(row: &EdgeStatsRow) -> StatsEdge {
        StatsEdge {
            from: row.from,
            kind: row.kind,
            to: row.to,
            connection_type: row.connection_type,
        }
    }

    /// Returns the partition of the edge: less than [`StatsEdge::PARTS`].
    pub fn part(&self) -> u8 {
        let ends = self.from.wrapping_mul(31).wrapping_add(self.to);
        ends.rem_euclid(i64::from(StatsEdge::PARTS)) as u8
    }
}

/// Selects a page of the records of a signal. `NO_WORD` and `None` match all records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordQuery {
    pub signal: Word,
    pub status: Word,
    pub severity: Word,
    /// `true` selects records that are not resolved, `false` those that are.
    pub is_open: Option<bool>,
    pub opened: Range<UnixNanos>,
    /// The page starts at this (opened, id). The order is descending.
    pub from: Option<(UnixNanos, String)>,
    pub limit: usize,
}

/// The time from which the retention of a record is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordTime {
    Opened,
    Resolved,
}

/// The size of the store of a backend. All numbers are estimates, so that no backend counts rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreSize {
    pub bytes: u64,
    /// The part of `bytes` that no row uses.
    pub free_bytes: u64,
    /// Row counts by table. Tables whose rows have no number are absent, since an estimate of their size is expensive.
    pub rows: Vec<(&'static str, u64)>,
}
