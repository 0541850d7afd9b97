//! Filters, page limits and results of the functions of a backend.

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

/// Selects listed nodes that match every field. `NO_WORD`, `None` and empty lists match all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeRowFilter {
    /// The node has one of these kinds.
    pub kinds: Vec<Word>,
    pub provider: Word,
    pub account: Word,
    pub region: Word,
    /// Whether ended nodes match.
    pub include_ended: bool,
    /// For each inner list, a text of the node matches one of its conditions.
    pub texts: Vec<Vec<TextCondition>>,
    /// Nodes that changed after this time match whatever their words and texts are.
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

/// Selects a page of edges. One order applies to the edges of all nodes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgePage {
    /// Only edges after this key: in the order of [`EdgeKey`] for outgoing edges, by (to, kind, from, source, scope,
    /// is_observation) for incoming ones.
    pub after: Option<EdgeKey>,
    pub limit: usize,
}

/// The period of one row of edge statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsResolution {
    Minute,
    /// One row sums all writers and chunks; `minute` is the begin of the hour.
    Hour,
}

/// The key of edge statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatsEdge {
    pub from: NodeId,
    pub kind: Word,
    pub to: NodeId,
    pub connection_type: Word,
}

impl StatsEdge {
    /// The number of partitions in which a store keeps the edges of a minute. Rows are replaced by partition, so each
    /// partition stays small.
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
    /// Whether the record is not resolved.
    pub is_open: Option<bool>,
    pub opened: Range<UnixNanos>,
    /// The first (opened, id) of the page; the order descends.
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
    /// Row counts of the tables whose rows have a number.
    pub rows: Vec<(&'static str, u64)>,
}
