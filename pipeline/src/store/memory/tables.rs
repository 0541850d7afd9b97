//! The tables: maps from the key of a row to the row.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::ClaimInterval;
use crate::component::UnixNanos;
use crate::store::rows::{
    AliasKey, AliasRow, ClaimKey, EdgeKey, EdgeRow, EdgeStatsRow, LeaseRow, NO_WORD, NodeId,
    NodeRow, RecordRow, ScopeKey, ScopeRow, SnapshotKey, StatsEdge, StatsResolution, TextRow,
    VersionKey, VersionRow, Word,
};

/// All tables of a store.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// The text of word `n` is at index `n - 1`. An [`Interner`](crate::interner::Interner) does not fit: sessions
    /// clone the words, and a rollback must drop new ones.
    pub(super) words: Vec<String>,
    pub(super) words_by_text: BTreeMap<String, Word>,
    pub(super) nodes: BTreeMap<NodeId, NodeRow>,
    pub(super) nodes_by_uid: BTreeMap<String, NodeId>,
    pub(super) last_node: NodeId,
    /// The last interval of each claim.
    pub(super) claims: BTreeMap<ClaimKey, ClaimInterval>,
    pub(super) past_claims: BTreeMap<(ClaimKey, UnixNanos), ClaimInterval>,
    pub(super) versions: BTreeMap<VersionKey, VersionRow>,
    pub(super) snapshots: BTreeMap<SnapshotKey, Vec<u8>>,
    pub(super) edges: BTreeMap<EdgeKey, EdgeRow>,
    /// As (to, kind, from).
    pub(super) past_edges: BTreeSet<(NodeId, Word, NodeId)>,
    pub(super) aliases: BTreeMap<AliasKey, AliasRow>,
    pub(super) past_owners: BTreeSet<(String, NodeId)>,
    pub(super) scopes: BTreeMap<ScopeKey, ScopeRow>,
    pub(super) members: BTreeMap<(ScopeKey, u64), Vec<u8>>,
    pub(super) contested: BTreeSet<(ScopeKey, NodeId)>,
    pub(super) texts: BTreeSet<TextRow>,
    /// Keyed by (kind, provider).
    pub(super) counts: BTreeMap<(Word, Word), i64>,
    pub(super) edge_stats: BTreeMap<EdgeStatsKey, EdgeStatsRow>,
    pub(super) hourly_edge_stats: BTreeMap<EdgeStatsKey, EdgeStatsRow>,
    pub(super) records: BTreeMap<RecordKey, RecordRow>,
    /// Keyed by (source, scope).
    pub(super) leases: BTreeMap<(Word, Word), LeaseRow>,
    pub(super) commits: BTreeMap<u64, Vec<u8>>,
    pub(super) last_commit: u64,
    /// Keyed by name.
    pub(super) state: BTreeMap<String, Vec<u8>>,
}

/// The key of a row of edge statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EdgeStatsKey {
    pub(super) minute: UnixNanos,
    from: NodeId,
    kind: Word,
    to: NodeId,
    connection_type: Word,
    writer: Word,
    chunk: u32,
}

impl EdgeStatsKey {
    pub(super) fn edge(&self) -> StatsEdge {
        StatsEdge {
            from: self.from,
            kind: self.kind,
            to: self.to,
            connection_type: self.connection_type,
        }
    }

    pub(super) fn of(row: &EdgeStatsRow) -> EdgeStatsKey {
        EdgeStatsKey {
            minute: row.minute,
            from: row.from,
            kind: row.kind,
            to: row.to,
            connection_type: row.connection_type,
            writer: row.writer,
            chunk: row.chunk,
        }
    }
}

/// The key of a record: (signal, id, opened).
pub(super) type RecordKey = (Word, String, UnixNanos);

pub(super) fn record_key(row: &RecordRow) -> RecordKey {
    (row.signal, row.id.clone(), row.opened)
}

impl Tables {
    pub(super) fn edge_stats(
        &self,
        resolution: StatsResolution,
    ) -> &BTreeMap<EdgeStatsKey, EdgeStatsRow> {
        match resolution {
            StatsResolution::Minute => &self.edge_stats,
            StatsResolution::Hour => &self.hourly_edge_stats,
        }
    }

    pub(super) fn edge_stats_mut(
        &mut self,
        resolution: StatsResolution,
    ) -> &mut BTreeMap<EdgeStatsKey, EdgeStatsRow> {
        match resolution {
            StatsResolution::Minute => &mut self.edge_stats,
            StatsResolution::Hour => &mut self.hourly_edge_stats,
        }
    }

    pub(super) fn word(&self, text: &str) -> Word {
        let word = self.words_by_text.get(text);
        word.copied().unwrap_or(NO_WORD)
    }

    /// Returns the word of a text, and creates it if it is missing.
    pub(super) fn make_word(&mut self, text: &str) -> Word {
        let word = self.word(text);
        if word != NO_WORD || text.is_empty() {
            return word;
        }
        self.words.push(text.to_owned());
        let word = self.words.len() as Word;
        self.words_by_text.insert(text.to_owned(), word);
        word
    }

    pub(super) fn text(&self, word: Word) -> String {
        let index = usize::try_from(word - 1);
        let text = index.ok().and_then(|index| self.words.get(index));
        text.cloned().unwrap_or_default()
    }

    /// Returns the number of a uid and whether this call created it.
    pub(super) fn make_node(&mut self, uid: &str) -> (NodeId, bool) {
        if let Some(&id) = self.nodes_by_uid.get(uid) {
            return (id, false);
        }
        self.last_node += 1;
        let id = self.last_node;
        self.nodes_by_uid.insert(uid.to_owned(), id);
        let row = NodeRow {
            id,
            uid: uid.to_owned(),
            ..NodeRow::default()
        };
        self.nodes.insert(id, row);
        (id, true)
    }
}
