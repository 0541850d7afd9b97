//! Commits: the changes that a store publishes to its subscribers.

use serde::{Deserialize, Serialize};

use crate::Signal;
use crate::unix_nanos::UnixNanos;

/// The changes of one commit of a store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Increases with each commit of any process.
    #[serde(skip)]
    pub sequence: u64,
    /// The number of commits before this one that were not sent, since the commit log had already dropped them.
    #[serde(skip)]
    pub missed: u64,
    /// Whether the store that sends the commit to its subscribers also wrote it. False if another store of this or
    /// another process wrote it.
    #[serde(skip)]
    pub is_own: bool,
    /// The random number of the store that wrote the commit; 0 if it is unknown.
    pub writer: u64,
    /// The uids of the nodes that changed.
    pub nodes: Vec<String>,
    /// The edges that changed: (from, kind, to).
    pub edges: Vec<(String, String, String)>,
    /// The uids whose current aliases or outgoing edges changed, except those in `nodes`.
    pub links: Vec<String>,
    pub records: Vec<NewRecord>,
    /// The uids that a scan of one scope missed while the claim of another scope is open, at most
    /// [`Commit::MAX_ITEMS`]. The receivers that scan these uids refresh them.
    pub to_refresh: Vec<String>,
    /// The uids whose existence changed although no report names them: a stale claim counts again. They are in `nodes`
    /// as well.
    pub relisted: Vec<String>,
    /// Whether the commit lacks nodes, edges or records, since there were more than [`Commit::MAX_ITEMS`].
    pub truncated: bool,
    /// Whether the commit lacks links, since there were more than [`Commit::MAX_ITEMS`].
    pub has_more_links: bool,
}

/// A new record, or a newer row of a known record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRecord {
    /// `changes`, `drift`, `health`, `correlations` or `alerts`.
    pub signal: String,
    pub id: String,
    /// The start of the episode.
    #[serde(with = "nanos")]
    pub opened: UnixNanos,
    /// The uid that the record is about.
    pub uid: Option<String>,
    /// Every uid and actor that the record names.
    pub names: Vec<String>,
    pub status: Option<String>,
    pub severity: Option<String>,
    /// False if an older row of the record was known.
    pub is_new: bool,
}

impl Commit {
    /// The limit on the number of nodes, of edges, of links and of records in a commit. Subscribers keep many commits.
    pub const MAX_ITEMS: usize = 2000;

    /// A commit of at most this many rows of each signal is not truncated. A row of nodes and a row of aliases may each
    /// change a node; a row of edges and a row of aliases may each change a link.
    pub const MAX_ROWS: usize = Commit::MAX_ITEMS / 2;

    /// Whether the commit changes nothing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
            && self.edges.is_empty()
            && self.links.is_empty()
            && self.records.is_empty()
            && self.to_refresh.is_empty()
    }

    /// The uids for which a graph in memory may have to change. A uid may occur twice.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        let from = self.edges.iter().map(|(from, ..)| from);
        let uids = self.nodes.iter().chain(&self.links).chain(from);
        uids.map(String::as_str)
    }

    /// The uids whose new state depends on reports of other processes too. A graph in memory cannot derive this state
    /// from the reports of its own process.
    pub fn unsettled(&self) -> impl Iterator<Item = &str> {
        let uids = self.to_refresh.iter().chain(&self.relisted);
        uids.map(String::as_str)
    }

    /// The new records of the signal `changes`.
    pub fn changes(&self) -> impl Iterator<Item = &NewRecord> {
        let records = self.records.iter();
        records.filter(|record| record.is_new && record.signal == Signal::Changes.name())
    }

    /// Removes the items beyond [`Commit::MAX_ITEMS`].
    pub fn truncate(&mut self) {
        let longest = self
            .nodes
            .len()
            .max(self.edges.len())
            .max(self.records.len());
        self.truncated = longest > Commit::MAX_ITEMS;
        self.has_more_links = self.links.len() > Commit::MAX_ITEMS;
        self.nodes.truncate(Commit::MAX_ITEMS);
        self.edges.truncate(Commit::MAX_ITEMS);
        self.links.truncate(Commit::MAX_ITEMS);
        self.relisted.truncate(Commit::MAX_ITEMS);
        self.records.truncate(Commit::MAX_ITEMS);
    }
}

mod nanos {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::unix_nanos::UnixNanos;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde requires this signature"
    )]
    pub(super) fn serialize<S: Serializer>(time: &UnixNanos, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixNanos, D::Error> {
        u64::deserialize(from).map(UnixNanos)
    }
}
