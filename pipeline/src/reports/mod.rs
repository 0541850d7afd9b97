//! What a batch reports to whatever keeps the graph: its rows in the terms of [`crate::claims`].
//!
//! ```text
//!  Batch ──ReportBatch::of──▶ sightings, removals, completions, snapshots … ──▶ store, impact, alias index
//! ```

use std::sync::Arc;

use crate::claims::{By, Class, Removal};
use crate::component::UnixNanos;
use crate::hash::hash_of;
use crate::members::Members;
use crate::{Batch, Signal};

mod direct;
mod edges;
mod nodes;
mod records;
mod resources;
pub(crate) mod row;
mod stats;

pub use direct::DirectReport;

/// Borrowed from a batch, or from several ([`ReportBatch::append`]).
#[derive(Clone, Debug, Default)]
pub struct ReportBatch<'a> {
    pub sightings: Vec<Sighting<'a>>,
    pub removals: Vec<Removed<'a>>,
    pub delete_events: Vec<DeleteEvent<'a>>,
    pub completions: Vec<Completion<'a>>,
    pub snapshots: Vec<Snapshot<'a>>,
    pub edges: Vec<EdgeObservation<'a>>,
    pub aliases: Vec<AliasObservation<'a>>,
    pub edge_stats: Vec<EdgeStats<'a>>,
    pub records: Vec<Record<'a>>,
    /// Rows that cannot be kept, and why.
    pub rejected: Rejected,
    /// What the clock said when they came; none where that is not known.
    pub now: Option<UnixNanos>,
}

/// Rows that cannot be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    pub without_uid: usize,
    /// Of a group that no claim has.
    pub unknown_group: usize,
    /// With a uid or a name longer than [`ReportBatch::LONGEST`].
    pub too_long: usize,
    /// With a time more than [`ReportBatch::AHEAD`] after the clock.
    pub from_the_future: usize,
}

/// A uid as a source sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting<'a> {
    pub uid: &'a str,
    pub class: Class,
    pub source: &'a str,
    /// Empty where the row belongs to no scope.
    pub scope: &'a str,
    pub time: UnixNanos,
    /// Names the value; 0 for "as it was".
    pub state: u64,
    pub by: By,
    /// None where the row says only that it exists.
    pub content: Option<Content<'a>>,
}

/// What a row says of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Content<'a> {
    pub kind: Option<&'a str>,
    pub name: Option<&'a str>,
    pub provider: Option<&'a str>,
    pub account: Option<&'a str>,
    pub region: Option<&'a str>,
    /// Attributes.
    pub tags: Option<&'a [u8]>,
    /// Attributes.
    pub value: Option<&'a [u8]>,
}

/// A source no longer sees the uid in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed<'a> {
    pub uid: &'a str,
    pub class: Class,
    pub source: &'a str,
    pub scope: &'a str,
    pub time: UnixNanos,
    pub how: Removal,
}

/// An actor deleted the uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteEvent<'a> {
    pub uid: &'a str,
    pub source: &'a str,
    pub time: UnixNanos,
}

/// A scan of a scope ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion<'a> {
    /// `Actual` or `Desired`.
    pub class: Class,
    pub source: &'a str,
    pub scope: &'a str,
    /// When the scan began.
    pub began: UnixNanos,
    pub members: Arc<Members>,
    /// What it means that a uid is no member.
    pub miss: Removal,
}

/// All edges, or all aliases, that a source reports for a uid in a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot<'a> {
    pub uid: &'a str,
    pub source: &'a str,
    pub scope: &'a str,
    pub time: UnixNanos,
    /// The state of the claim that it belongs to; none where no scan made it.
    pub state: Option<u64>,
    pub items: Items<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Items<'a> {
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
    /// Attributes.
    pub properties: Option<&'a [u8]>,
}

/// Another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AliasItem<'a> {
    pub kind: &'a str,
    pub value: &'a str,
    /// Where the name is unique; empty for everywhere.
    pub within: &'a str,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
}

/// An edge that was seen by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgeObservation<'a> {
    pub uid: &'a str,
    pub source: &'a str,
    pub time: UnixNanos,
    pub edge: EdgeItem<'a>,
}

/// An alias that was seen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AliasObservation<'a> {
    pub uid: &'a str,
    pub source: &'a str,
    pub time: UnixNanos,
    pub alias: AliasItem<'a>,
}

/// A row of edge statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeStats<'a> {
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
pub struct Record<'a> {
    pub signal: Signal,
    pub id: std::borrow::Cow<'a, str>,
    /// When this episode of it began.
    pub opened: UnixNanos,
    pub time: UnixNanos,
    pub source: &'a str,
    pub uid: Option<&'a str>,
    /// Every uid that it names, each once, `uid` among them.
    pub names: Vec<String>,
    /// Empty where the signal has none.
    pub status: &'a str,
    /// Likewise.
    pub severity: &'a str,
    pub resolved: Option<UnixNanos>,
    /// All columns but the impact, as a JSON object.
    pub columns: String,
    /// As JSON.
    pub impact: Option<String>,
}

impl<'a> ReportBatch<'a> {
    /// Bytes that a uid or the value of an alias may have: what indexes of all stores hold.
    pub const LONGEST: usize = 2048;

    /// How far after the clock a time may be: a maximum would never recover from the year 2099.
    pub const AHEAD: std::time::Duration = std::time::Duration::from_secs(5 * 60);

    /// Takes in what other batches report, but for what was rejected of them.
    pub fn append(&mut self, mut other: ReportBatch<'a>) {
        self.sightings.append(&mut other.sightings);
        self.removals.append(&mut other.removals);
        self.delete_events.append(&mut other.delete_events);
        self.completions.append(&mut other.completions);
        self.snapshots.append(&mut other.snapshots);
        self.edges.append(&mut other.edges);
        self.aliases.append(&mut other.aliases);
        self.edge_stats.append(&mut other.edge_stats);
        self.records.append(&mut other.records);
    }

    /// `now` is what the clock says, and stands for a time that a row does not say.
    pub fn of(batch: &'a Batch, now: UnixNanos) -> ReportBatch<'a> {
        let mut reports = ReportBatch {
            now: Some(now),
            ..ReportBatch::default()
        };
        match batch.signal() {
            Signal::Resources => resources::read(batch, now, &mut reports),
            Signal::Nodes => nodes::read(batch, now, &mut reports),
            Signal::Edges => edges::read_edges(batch, now, &mut reports),
            Signal::Aliases => edges::read_aliases(batch, now, &mut reports),
            Signal::EdgeStats => stats::read(batch, now, &mut reports),
            Signal::Changes
            | Signal::Drift
            | Signal::Health
            | Signal::Correlations
            | Signal::Alerts => records::read(batch, now, &mut reports),
            _ => {}
        }
        reports
    }

    /// Whether a uid or a value of an alias can be kept; counts it where it cannot.
    fn fits(&mut self, text: &str) -> bool {
        let fits = text.len() <= ReportBatch::LONGEST;
        self.rejected.too_long += usize::from(!fits);
        fits
    }

    /// Likewise, of a time.
    fn is_past(&mut self, time: UnixNanos, now: UnixNanos) -> bool {
        let is_past = time <= now.after(ReportBatch::AHEAD);
        self.rejected.from_the_future += usize::from(!is_past);
        is_past
    }
}

impl Rejected {
    pub fn total(&self) -> usize {
        self.without_uid + self.unknown_group + self.too_long + self.from_the_future
    }

    /// Why, for a sender: `3 rows without a uid, 1 row more than 5 minutes ahead of the clock`.
    pub fn reason(&self) -> String {
        let parts = [
            (self.without_uid, "without a uid"),
            (self.unknown_group, "of an unknown group"),
            (
                self.too_long,
                "with a uid or a name of more than 2048 bytes",
            ),
            (
                self.from_the_future,
                "more than 5 minutes ahead of the clock",
            ),
        ];
        let parts = parts.iter().filter(|(rows, _)| *rows > 0);
        let parts = parts.map(|(rows, why)| match rows {
            1 => format!("1 row {why}"),
            rows => format!("{rows} rows {why}"),
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl Content<'_> {
    /// Names the content (XXH3, 64 bits, stable for ever: it is stored); never 0 or 1.
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
