//! The rows that a graph store keeps.

use crate::claims::{Class, Removal, Stretch};
use crate::component::UnixNanos;

/// A node in the database; never 0.
pub type NodeId = i64;

/// An interned text; [`NO_WORD`] for none or an empty one.
pub type Word = i64;
pub const NO_WORD: Word = 0;

/// A node as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeRow {
    pub id: NodeId,
    pub uid: String,
    pub listing: Listing,
    /// When it ended.
    pub ended: Option<UnixNanos>,
    /// Since when it is not known whether it exists.
    pub unobserved: Option<UnixNanos>,
    /// Whether a scan or an event ever reported it.
    pub has_lifecycle: bool,
    pub kind: Word,
    pub provider: Word,
    pub account: Word,
    pub region: Word,
    pub name: Option<String>,
    /// Attributes.
    pub tags: Option<Vec<u8>>,
    pub first_seen: UnixNanos,
    /// The last report about the node itself; scans that confirm it are newer.
    pub last_seen: UnixNanos,
    /// The node that a `same_as` alias leads to.
    pub same_as: Option<NodeId>,
    /// No claim began, changed or ended after this time: since then the node is what it is now.
    pub changed: UnixNanos,
}

/// In which lists a node stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Listing {
    /// In none: only edges lead to it, or it is another name of a node.
    #[default]
    None = 0,
    Current = 1,
    Ended = 2,
}

/// Which claim of which node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimKey {
    pub node: NodeId,
    pub class: Class,
    pub source: Word,
    pub scope: Word,
}

/// One stretch of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    pub key: ClaimKey,
    pub stretch: Stretch,
}

/// What a state of a claim says of the node.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionRow {
    pub key: VersionKey,
    /// Of each part, none until it was reported.
    pub content: Option<Content>,
    /// Names a snapshot of edges.
    pub edges: Option<u64>,
    /// Names a snapshot of aliases.
    pub aliases: Option<u64>,
    /// When anything of it was last written, by the clock of the store.
    pub written: UnixNanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionKey {
    pub node: NodeId,
    pub source: Word,
    pub scope: Word,
    pub state: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    pub kind: Word,
    pub provider: Word,
    pub account: Word,
    pub region: Word,
    pub name: Option<String>,
    /// Attributes.
    pub tags: Option<Vec<u8>>,
    /// Attributes.
    pub value: Option<Vec<u8>>,
}

/// How much of each row is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// All of it.
    Full,
    /// Of a version all but its value, of a node all but its tags.
    Header,
}

/// Which part of a version a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    Edges = 0,
    Aliases = 1,
}

/// Names an immutable list of edges or aliases of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotKey {
    pub node: NodeId,
    pub part: Part,
    pub hash: u64,
}

/// An edge as it is now: one of a snapshot whose claim is open, or an observation.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeRow {
    pub key: EdgeKey,
    pub confidence: f64,
    /// Attributes.
    pub properties: Option<Vec<u8>>,
    pub first_seen: UnixNanos,
    /// Of an observation; of one of a snapshot when it was first reported.
    pub last_seen: UnixNanos,
}

/// Ordered as pages of outgoing edges are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeKey {
    pub from: NodeId,
    pub kind: Word,
    pub to: NodeId,
    pub source: Word,
    pub scope: Word,
    pub is_observation: bool,
}

/// An alias as it is now, likewise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRow {
    pub key: AliasKey,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasKey {
    pub node: NodeId,
    pub kind: Word,
    pub value: String,
    /// Where the name is unique.
    pub within: Word,
    pub source: Word,
    pub scope: Word,
    pub is_observation: bool,
}

/// What one source scans as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeKey {
    pub class: Class,
    pub source: Word,
    pub scope: Word,
}

/// The completed scans of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRow {
    pub key: ScopeKey,
    /// The newest [`ScopeRow::WINDOW`], ascending.
    pub scans: Vec<ScanRow>,
    /// Scans that began before this time are not kept any more; 0 where all are.
    pub forgotten: UnixNanos,
    /// The newest report other than a completion that changed a claim of the scope and that no
    /// completion has looked at since; 0 for none.
    pub touched: UnixNanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanRow {
    pub began: UnixNanos,
    /// Names its members.
    pub members: u64,
    pub miss: Removal,
}

impl EdgeRow {
    /// Takes in another observation of the same edge.
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
    /// Takes in another observation of the same alias.
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
    /// Scans that are kept one by one, so that a late report finds its place among them.
    pub const WINDOW: usize = 16;
}

/// What was counted on an edge in a minute, by one writer.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeStatsRow {
    pub minute: UnixNanos,
    pub from: NodeId,
    pub kind: Word,
    pub to: NodeId,
    pub connection_type: Word,
    /// A word.
    pub writer: Word,
    pub chunk: u32,
    pub calls: u64,
    pub errors: u64,
    pub duration_sum: f64,
    pub duration_max: f64,
    pub scale: i32,
    pub offset: i32,
    pub counts: Vec<u64>,
}

/// A record: a change that an actor made, a drift, a judgement of health, a correlation, an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRow {
    /// Of its signal.
    pub signal: Word,
    pub id: String,
    /// When this episode of it began.
    pub opened: UnixNanos,
    /// When the row was reported.
    pub time: UnixNanos,
    pub source: Word,
    /// What it is about.
    pub uid: Option<String>,
    /// Every uid that it names, each once, ascending, `uid` among them.
    pub names: Vec<String>,
    pub status: Word,
    pub severity: Word,
    /// When it was resolved.
    pub resolved: Option<UnixNanos>,
    /// All columns, as a JSON object.
    pub columns: String,
    /// What it touches, as JSON; a part of its own, so that a later row without it does not lose it.
    pub impact: Option<String>,
    pub impact_time: UnixNanos,
}

/// Which nodes a list is of: those that fit every field. `NO_WORD` and none do not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Of any of these; of all where none is named.
    pub kinds: Vec<Word>,
    pub provider: Word,
    pub account: Word,
    pub region: Word,
    /// Ended ones as well.
    pub with_ended: bool,
    /// Of each of these one has to match a text of the node.
    pub texts: Vec<Vec<WantedText>>,
    /// Nodes that changed after it are listed whatever their words and texts are.
    pub changed_after: Option<UnixNanos>,
}

/// A text that a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedText {
    pub field: TextField,
    pub how: TextMatch,
    pub text: String,
}

/// Where a text was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TextField {
    Name = 0,
    Alias = 1,
    /// The tail of a uid.
    Uid = 2,
    /// The value of a tag.
    Tag = 3,
    /// A character that stands for the key of a tag.
    TagKey = 4,
}

impl TextField {
    /// By their numbers.
    pub const ALL: [TextField; 5] = [
        TextField::Name,
        TextField::Alias,
        TextField::Uid,
        TextField::Tag,
        TextField::TagKey,
    ];
}

/// A text by which a node is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextRow {
    pub node: NodeId,
    pub field: TextField,
    /// Whether the node is listed as current.
    pub is_current: bool,
    /// In lower case (Unicode).
    pub text: String,
}

/// Texts that match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundTexts {
    pub rows: Vec<TextRow>,
    /// Whether there may be more.
    pub has_more: bool,
}

/// How a text is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextMatch {
    Exact,
    Prefix,
    /// Anywhere in it; of at least three characters.
    Part,
}

/// Where a page of edges goes on. The order is one over all nodes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgePage {
    /// Greater than this key, in the order of [`EdgeKey`]; of edges that lead to a node by
    /// (to, kind, from, source, scope, is_observation).
    pub after: Option<EdgeKey>,
    pub limit: usize,
}

/// A change of how many nodes of a kind and provider are listed as current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountRow {
    pub kind: Word,
    pub provider: Word,
    pub count: i64,
}
