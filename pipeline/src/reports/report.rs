//! The kinds of reports, borrowed from a batch.

use std::sync::Arc;

use crate::Signal;
use crate::claims::{ClaimClass, Removal, ReportedBy};
use crate::hash::hash_of;
use crate::scan_members::Members;
use crate::unix_nanos::UnixNanos;

/// A source saw a uid.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting<'a> {
    pub uid: &'a str,
    pub class: ClaimClass,
    pub source: &'a str,
    /// Empty if the row belongs to no scope.
    pub scope: &'a str,
    pub time: UnixNanos,
    /// Identifies the value; 0 if the value is unchanged.
    pub state: u64,
    pub by: ReportedBy,
    /// `None` if the row reports only that the uid exists.
    pub content: Option<NodeContent<'a>>,
}

/// The description of a node in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeContent<'a> {
    pub kind: Option<&'a str>,
    pub name: Option<&'a str>,
    pub provider: Option<&'a str>,
    pub account: Option<&'a str>,
    pub region: Option<&'a str>,
    /// Encoded [attributes](crate::attributes).
    pub tags: Option<&'a [u8]>,
    /// The fact's value: encoded [attributes](crate::attributes).
    pub value: Option<&'a [u8]>,
}

/// A source no longer sees a uid in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalReport<'a> {
    pub uid: &'a str,
    pub class: ClaimClass,
    pub source: &'a str,
    pub scope: &'a str,
    pub time: UnixNanos,
    pub how: Removal,
}

/// An actor deleted a uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteEvent<'a> {
    pub uid: &'a str,
    pub source: &'a str,
    pub time: UnixNanos,
}

/// A scan of a scope completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanCompletion<'a> {
    /// `Actual` or `Desired`.
    pub class: ClaimClass,
    pub source: &'a str,
    pub scope: &'a str,
    /// The start of the scan.
    pub began: UnixNanos,
    pub members: Arc<Members>,
    /// Whether the scan reports a uid that is not among the members as deleted or as released.
    pub miss: Removal,
}

/// All edges, or all aliases, that a source reports for a uid in a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotReport<'a> {
    pub uid: &'a str,
    pub source: &'a str,
    pub scope: &'a str,
    pub time: UnixNanos,
    /// The state of the claim that the snapshot belongs to; `None` if no scan made the snapshot.
    pub state: Option<u64>,
    pub items: SnapshotItems<'a>,
}

/// The items of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub enum SnapshotItems<'a> {
    Edges(Vec<EdgeItem<'a>>),
    Aliases(Vec<AliasItem<'a>>),
}

/// An outgoing edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgeItem<'a> {
    pub kind: &'a str,
    pub to: &'a str,
    /// 0 to 1.
    pub confidence: f64,
    /// Encoded [attributes](crate::attributes).
    pub properties: Option<&'a [u8]>,
}

/// An alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AliasItem<'a> {
    pub kind: &'a str,
    pub value: &'a str,
    /// Where the alias is unique; empty if it is unique everywhere.
    pub within: &'a str,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
}

/// An observation of one edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgeObservation<'a> {
    pub uid: &'a str,
    pub source: &'a str,
    pub time: UnixNanos,
    pub edge: EdgeItem<'a>,
}

/// An observation of one alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AliasObservation<'a> {
    pub uid: &'a str,
    pub source: &'a str,
    pub time: UnixNanos,
    pub alias: AliasItem<'a>,
}

/// A row of `edge_stats`, see [`edge_stats`](crate::schema::edge_stats).
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeStatsReport<'a> {
    pub from: &'a str,
    pub kind: &'a str,
    pub to: &'a str,
    pub connection_type: &'a str,
    pub minute: UnixNanos,
    pub writer: &'a str,
    pub chunk: u32,
    pub calls: u64,
    pub errors: u64,
    pub duration_sum: f64,
    pub duration_max: f64,
    pub scale: i32,
    pub offset: i32,
    pub counts: Vec<u64>,
}

/// A row of `changes`, `drift`, `health`, `correlations` or `alerts`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordReport<'a> {
    pub signal: Signal,
    pub id: std::borrow::Cow<'a, str>,
    /// The start of the episode. A record that is resolved and opens again has several episodes.
    pub opened: UnixNanos,
    pub time: UnixNanos,
    pub source: &'a str,
    pub uid: Option<&'a str>,
    /// Every uid and actor that the record names, without duplicates, ascending, `uid` included.
    pub names: Vec<String>,
    /// Empty if the signal has no status.
    pub status: &'a str,
    /// Empty if the signal has no severity.
    pub severity: &'a str,
    pub resolved: Option<UnixNanos>,
    /// All columns without the impact, as a JSON object.
    pub columns: String,
    /// The impact as JSON.
    pub impact: Option<String>,
}

impl NodeContent<'_> {
    /// The hash of all fields (XXH3, 64 bits); never 0 or 1. It never changes between versions, since stores keep it.
    pub fn hash(&self) -> u64 {
        let words = [
            self.kind,
            self.name,
            self.provider,
            self.account,
            self.region,
        ];
        let words = words.map(|word| word.map(str::as_bytes));
        hash_of(words.into_iter().chain([self.tags, self.value]))
    }
}
