//! The tables, each a map by the key of its rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::Stretch;
use crate::component::UnixNanos;
use crate::store::rows::{
    AliasKey, AliasRow, ClaimKey, EdgeKey, EdgeRow, EdgeStatsRow, LeaseRow, NO_WORD, NodeId,
    NodeRow, RecordRow, Resolution, ScopeKey, ScopeRow, SnapshotKey, StatsEdge, TextRow,
    VersionKey, VersionRow, Word,
};

#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// The text of the word `n` stands at `n - 1`.
    pub(super) words: Vec<String>,
    pub(super) words_by_text: BTreeMap<String, Word>,
    pub(super) nodes: BTreeMap<NodeId, NodeRow>,
    pub(super) nodes_by_uid: BTreeMap<String, NodeId>,
    pub(super) last_node: NodeId,
    /// The last stretch of each claim.
    pub(super) claims: BTreeMap<ClaimKey, Stretch>,
    pub(super) past_claims: BTreeMap<(ClaimKey, UnixNanos), Stretch>,
    pub(super) versions: BTreeMap<VersionKey, VersionRow>,
    pub(super) snapshots: BTreeMap<SnapshotKey, Vec<u8>>,
    pub(super) edges: BTreeMap<EdgeKey, EdgeRow>,
    /// (to, kind, from)
    pub(super) past_edges: BTreeSet<(NodeId, Word, NodeId)>,
    pub(super) aliases: BTreeMap<AliasKey, AliasRow>,
    pub(super) past_owners: BTreeSet<(String, NodeId)>,
    pub(super) scopes: BTreeMap<ScopeKey, ScopeRow>,
    pub(super) members: BTreeMap<(ScopeKey, u64), Vec<u8>>,
    pub(super) contested: BTreeSet<(ScopeKey, NodeId)>,
    pub(super) texts: BTreeSet<TextRow>,
    /// By (kind, provider).
    pub(super) counts: BTreeMap<(Word, Word), i64>,
    pub(super) edge_stats: BTreeMap<EdgeStatsKey, EdgeStatsRow>,
    pub(super) hourly_edge_stats: BTreeMap<EdgeStatsKey, EdgeStatsRow>,
    pub(super) records: BTreeMap<RecordKey, RecordRow>,
    /// By (source, scope).
    pub(super) leases: BTreeMap<(Word, Word), LeaseRow>,
    pub(super) commits: BTreeMap<u64, Vec<u8>>,
    pub(super) last_commit: u64,
    /// By name.
    pub(super) state: BTreeMap<String, Vec<u8>>,
}

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

/// (signal, id, opened)
pub(super) type RecordKey = (Word, String, UnixNanos);

pub(super) fn record_key(row: &RecordRow) -> RecordKey {
    (row.signal, row.id.clone(), row.opened)
}

pub(super) fn scope_of(key: &ClaimKey) -> ScopeKey {
    ScopeKey {
        class: key.class,
        source: key.source,
        scope: key.scope,
    }
}

impl Tables {
    pub(super) fn edge_stats(
        &self,
        resolution: Resolution,
    ) -> &BTreeMap<EdgeStatsKey, EdgeStatsRow> {
        match resolution {
            Resolution::Minute => &self.edge_stats,
            Resolution::Hour => &self.hourly_edge_stats,
        }
    }

    pub(super) fn edge_stats_mut(
        &mut self,
        resolution: Resolution,
    ) -> &mut BTreeMap<EdgeStatsKey, EdgeStatsRow> {
        match resolution {
            Resolution::Minute => &mut self.edge_stats,
            Resolution::Hour => &mut self.hourly_edge_stats,
        }
    }

    pub(super) fn word(&self, text: &str) -> Word {
        let word = self.words_by_text.get(text);
        word.copied().unwrap_or(NO_WORD)
    }

    /// The word of a text, which is made where there is none.
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

    /// The number of a uid, which is made where there is none, and whether it was.
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
