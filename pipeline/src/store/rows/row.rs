//! The rows that a graph store keeps, and their keys.

use std::ops::RangeInclusive;

use crate::claims::{ClaimClass, ClaimInterval, Removal};
use crate::component::UnixNanos;

/// The number of a node; never 0.
pub type NodeId = i64;

/// The number of an interned text; [`NO_WORD`] for an empty text.
pub type Word = i64;
/// The word of an empty or missing text.
pub const NO_WORD: Word = 0;

/// The current state of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeRow {
    pub id: NodeId,
    pub uid: String,
    pub listing: Listing,
    /// When the node ended.
    pub ended: Option<UnixNanos>,
    /// Since when it is unknown whether the node exists.
    pub unobserved: Option<UnixNanos>,
    /// Whether a scan or an event ever reported the node.
    pub has_lifecycle: bool,
    pub kind: Word,
    pub provider: Word,
    pub account: Word,
    pub region: Word,
    pub name: Option<String>,
    /// Encoded attributes.
    pub tags: Option<Vec<u8>>,
    pub first_seen: UnixNanos,
    /// The time of the last sighting, removal or delete event of the node. A scan completion may have confirmed the
    /// node after this time.
    pub last_seen: UnixNanos,
    /// The node into which this one is merged by a `same_as` alias.
    pub same_as: Option<NodeId>,
    /// No claim of the node began, changed or ended after this time, so the row describes the node at any later time.
    pub changed: UnixNanos,
}

/// Which lists contain a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Listing {
    /// No list: only edges refer to the node, or it is merged into another node.
    #[default]
    None = 0,
    /// The list of current nodes.
    Current = 1,
    /// Only lists that include ended nodes.
    Ended = 2,
}

/// Identifies a claim of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimKey {
    pub node: NodeId,
    pub class: ClaimClass,
    pub source: Word,
    pub scope: Word,
}

impl ClaimKey {
    /// The key of the scope that the claim belongs to.
    pub fn scope_key(self) -> ScopeKey {
        ScopeKey {
            class: self.class,
            source: self.source,
            scope: self.scope,
        }
    }
}

/// One interval of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    pub key: ClaimKey,
    pub interval: ClaimInterval,
}

/// The content of one state of a claim, in three parts. A part is `None` until a source reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionRow {
    pub key: VersionKey,
    /// Header columns and values.
    pub content: Option<VersionContent>,
    /// Hash of the snapshot of edges.
    pub edges: Option<u64>,
    /// Hash of the snapshot of aliases.
    pub aliases: Option<u64>,
    /// When a part was last written, by the clock of the store.
    pub written: UnixNanos,
}

/// Identifies a version: a state that a source and scope reported for a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionKey {
    pub node: NodeId,
    pub source: Word,
    pub scope: Word,
    pub state: u64,
}

/// The content of a version: header columns, tags and the value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VersionContent {
    pub kind: Word,
    pub provider: Word,
    pub account: Word,
    pub region: Word,
    pub name: Option<String>,
    /// Encoded attributes.
    pub tags: Option<Vec<u8>>,
    /// Encoded attributes.
    pub value: Option<Vec<u8>>,
}

/// The kind of the items of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SnapshotKind {
    Edges = 0,
    Aliases = 1,
}

/// Identifies an immutable list of edges or aliases of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotKey {
    pub node: NodeId,
    pub kind: SnapshotKind,
    pub hash: u64,
}

/// A current edge: an edge of a snapshot whose claim is open, or an observation.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeRow {
    pub key: EdgeKey,
    pub confidence: f64,
    /// Encoded attributes.
    pub properties: Option<Vec<u8>>,
    pub first_seen: UnixNanos,
    /// The last sighting of an observation; for an edge of a snapshot, its first report.
    pub last_seen: UnixNanos,
}

/// Identifies an edge of one source and scope. Pages of outgoing edges have this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeKey {
    pub from: NodeId,
    pub kind: Word,
    pub to: NodeId,
    pub source: Word,
    pub scope: Word,
    pub is_observation: bool,
}

/// A current alias: an alias of a snapshot whose claim is open, or an observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRow {
    pub key: AliasKey,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

/// Identifies an alias of one source and scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasKey {
    pub node: NodeId,
    pub kind: Word,
    pub value: String,
    /// The namespace in which the name is unique; [`NO_WORD`] for a global name.
    pub within: Word,
    pub source: Word,
    pub scope: Word,
    pub is_observation: bool,
}

/// Identifies a scope of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeKey {
    pub class: ClaimClass,
    pub source: Word,
    pub scope: Word,
}

/// The completed scans of a scope. Only the newest are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRow {
    pub key: ScopeKey,
    /// The newest [`ScopeRow::WINDOW`] scans, ascending by time. Scans with a time in the future are kept in addition.
    pub scans: Vec<ScanRow>,
    /// Scans that began before this time are no longer kept; 0 if all are kept.
    pub dropped_before: UnixNanos,
    /// The time of the newest report after which the next completion must examine all claims of the scope, even if its
    /// members are unchanged; 0 if there is none. Such a report is a sighting, a removal or an event that changed a
    /// claim of the scope, a completion of a parent scope that did, or a completion with which a claim still disagrees.
    pub last_direct_report: UnixNanos,
}

/// A completed scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanRow {
    pub began: UnixNanos,
    /// Hash of the members of the scan, by which `ReadRows::members` finds them.
    pub members: u64,
    /// How the scan ends the claim of a uid that is not a member.
    pub miss: Removal,
}

impl EdgeRow {
    /// Merges another observation of the same edge. Keeps the newest properties, the highest confidence, and the first
    /// and the last sighting.
    pub fn observe(&mut self, other: &EdgeRow) {
        if (other.last_seen, &other.properties) > (self.last_seen, &self.properties) {
            self.properties.clone_from(&other.properties);
        }
        self.confidence = self.confidence.max(other.confidence);
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

impl AliasRow {
    /// Merges another observation of the same alias. Keeps the newest validity, and the first and the last sighting.
    pub fn observe(&mut self, other: &AliasRow) {
        let rank = |row: &AliasRow| (row.last_seen, row.valid_from, row.valid_to);
        if rank(other) > rank(self) {
            self.valid_from = other.valid_from;
            self.valid_to = other.valid_to;
        }
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

impl ScopeRow {
    /// The number of scans that are kept, so that a late report can be folded between them.
    pub const WINDOW: usize = 16;
}

/// Statistics of an edge in one minute (or hour), by one writer.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeStatsRow {
    /// The begin of the minute or hour.
    pub minute: UnixNanos,
    pub from: NodeId,
    pub kind: Word,
    pub to: NodeId,
    pub connection_type: Word,
    /// The writer that counted the calls.
    pub writer: Word,
    /// The part of the minute. If calls arrive after the writer evicted the minute, the writer counts them in the next
    /// chunk.
    pub chunk: u32,
    pub calls: u64,
    pub errors: u64,
    /// In seconds.
    pub duration_sum: f64,
    /// In seconds.
    pub duration_max: f64,
    /// The scale of an exponential histogram of the durations, as OTLP defines it.
    pub scale: i32,
    /// The index of the first bucket in `counts`.
    pub offset: i32,
    /// Counts of consecutive buckets.
    pub counts: Vec<u64>,
}

/// A record: a change made by an actor, a drift, a health assessment, a correlation or an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRow {
    /// The name of its signal.
    pub signal: Word,
    pub id: String,
    /// When this episode of the record began.
    pub opened: UnixNanos,
    /// The time of the report that the columns are from.
    pub time: UnixNanos,
    pub source: Word,
    /// The uid that the record is about.
    pub uid: Option<String>,
    /// All uids that the record names, `uid` included, ascending, without duplicates.
    pub names: Vec<String>,
    pub status: Word,
    pub severity: Word,
    /// When the episode was resolved.
    pub resolved: Option<UnixNanos>,
    /// All columns but the impact, as a JSON object.
    pub columns: String,
    /// The impact, as JSON. It is merged separately from the columns, so that a newer row without impact does not
    /// remove it.
    pub impact: Option<String>,
    /// The time of the report that the impact is from.
    pub impact_time: UnixNanos,
}

/// The property of a node that a text was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TextField {
    Name = 0,
    Alias = 1,
    /// The tail of a uid.
    Uid = 2,
    /// The value of a tag.
    Tag = 3,
    /// A character that represents the key of a tag.
    TagKey = 4,
}

impl TextField {
    /// All fields, ascending by number.
    pub const ALL: [TextField; 5] = [
        TextField::Name,
        TextField::Alias,
        TextField::Uid,
        TextField::Tag,
        TextField::TagKey,
    ];
}

/// A text by which search and lists find a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextRow {
    pub node: NodeId,
    pub field: TextField,
    /// Whether the node is listed as current.
    pub is_current: bool,
    /// The text in lower case (Unicode).
    pub text: String,
}

/// How many characters of a text are stored; users search for shorter texts.
const MAX_CHARS: usize = 200;

/// Characters that a backend may use inside its index, since [`stored_text`] replaces them in texts. They are plane 16,
/// which Unicode reserves for private use.
pub const RESERVED_CHARS: RangeInclusive<char> = '\u{10_0000}'..='\u{10_FFFD}';

/// The stored form of a text: its first 200 characters, in which U+FFFD replaces the reserved characters, U+0000 and
/// U+0002. A backend can store these characters for its own purposes and still returns each text unchanged.
pub fn stored_text(text: &str) -> String {
    let keep = |character| match character {
        '\0' | '\u{2}' => char::REPLACEMENT_CHARACTER,
        other if RESERVED_CHARS.contains(&other) => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.chars().take(MAX_CHARS).map(keep).collect()
}

/// A number of current nodes of a kind and provider, or a change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountRow {
    pub kind: Word,
    pub provider: Word,
    pub count: i64,
}

/// A lease: one process has the exclusive right to scan a scope of a source until a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    pub source: Word,
    pub scope: Word,
    /// The process that has the lease; the process chooses this text.
    pub holder: String,
    pub until: UnixNanos,
}
