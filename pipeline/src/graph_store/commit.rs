//! What a commit of a store made new.

use serde::{Deserialize, Serialize};

use crate::Signal;
use crate::unix_nanos::UnixNanos;

/// What a commit of the store made new.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Grows with each commit, of whatever process.
    #[serde(skip)]
    pub sequence: u64,
    /// Commits before this one that the log did not keep long enough, so that they were not sent.
    #[serde(skip)]
    pub missed: u64,
    /// Whether the store that sends it wrote it, and no other process or store.
    #[serde(skip)]
    pub is_own: bool,
    /// Which store wrote it, a random number; 0 where that is not known.
    pub writer: u64,
    pub nodes: Vec<String>,
    pub edges: Vec<(String, String, String)>,
    /// Uids whose current aliases or outgoing edges changed and that `nodes` does not have.
    pub links: Vec<String>,
    pub records: Vec<NewRecord>,
    /// Uids that one scope does not see any more while another has them, up to [`Commit::MOST`]: the
    /// receivers that scan them look again.
    pub to_refresh: Vec<String>,
    /// Uids that exist or do not exist any more although no report names them: a claim that was stale
    /// counts again. `nodes` has them as well.
    pub relisted: Vec<String>,
    /// Whether there is more than [`Commit::MOST`] of something, which is left out.
    pub truncated: bool,
    /// The same of `links`.
    pub has_more_links: bool,
}

/// A record that is new, or of which a newer row was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRecord {
    /// `changes`, `drift`, `health`, `correlations` or `alerts`.
    pub signal: String,
    pub id: String,
    /// When this episode of it began.
    #[serde(with = "nanos")]
    pub opened: UnixNanos,
    /// What it is about.
    pub uid: Option<String>,
    /// Every uid that it names.
    pub names: Vec<String>,
    pub status: Option<String>,
    pub severity: Option<String>,
    /// False where an older row of it was known.
    pub is_new: bool,
}

impl Commit {
    /// Nodes, edges and records of a commit that are sent, each: those who follow hold many commits.
    pub const MOST: usize = 2000;

    /// Rows of each signal whose commit is not truncated: a row of nodes and a row of aliases may each announce
    /// a node, a row of edges and one of aliases each a link.
    pub const MOST_ROWS: usize = Commit::MOST / 2;

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
            && self.edges.is_empty()
            && self.links.is_empty()
            && self.records.is_empty()
            && self.to_refresh.is_empty()
    }

    /// Uids of which anything that a graph in memory holds may have changed; some may come twice.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        let from = self.edges.iter().map(|(from, ..)| from);
        let uids = self.nodes.iter().chain(&self.links).chain(from);
        uids.map(String::as_str)
    }

    /// Those of them that a graph in memory cannot judge by the reports that made the commit: they
    /// depend on what other processes saw.
    pub fn unsettled(&self) -> impl Iterator<Item = &str> {
        let uids = self.to_refresh.iter().chain(&self.relisted);
        uids.map(String::as_str)
    }

    /// Changes that were not known before.
    pub fn changes(&self) -> impl Iterator<Item = &NewRecord> {
        let records = self.records.iter();
        records.filter(|record| record.is_new && record.signal == Signal::Changes.name())
    }

    /// Leaves out what is too much.
    pub fn truncate(&mut self) {
        let longest = self
            .nodes
            .len()
            .max(self.edges.len())
            .max(self.records.len());
        self.truncated = longest > Commit::MOST;
        self.has_more_links = self.links.len() > Commit::MOST;
        self.nodes.truncate(Commit::MOST);
        self.edges.truncate(Commit::MOST);
        self.links.truncate(Commit::MOST);
        self.relisted.truncate(Commit::MOST);
        self.records.truncate(Commit::MOST);
    }
}

mod nanos {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::unix_nanos::UnixNanos;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(time: &UnixNanos, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixNanos, D::Error> {
        u64::deserialize(from).map(UnixNanos)
    }
}
