//! The traits that a backend implements.

use std::fmt::Debug;

use async_trait::async_trait;

use super::query::{
    EdgePage, NodeRowFilter, Projection, RecordQuery, RecordTime, StatsEdge, StatsResolution,
    StoreSize, TextHits, TextMatch,
};
use super::row::{
    AliasKey, AliasRow, ClaimKey, ClaimRow, CountRow, EdgeKey, EdgeRow, EdgeStatsRow, LeaseRow,
    NodeId, NodeRow, RecordRow, ScopeKey, ScopeRow, SnapshotKey, TextField, TextRow, VersionKey,
    VersionRow, Word,
};
use crate::component::UnixNanos;
use crate::error_cause::Cause;

/// An error of a backend.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub struct RowsError {
    /// The action that failed: `read 20 nodes`.
    pub action: String,
    /// Whether a retry with the same rows can succeed.
    pub is_retryable: bool,
    #[source]
    pub source: Cause,
}

/// Reads one consistent state, which is fixed at the first read or earlier. A write session also reads the rows that it
/// wrote.
///
/// Unless a function says otherwise, rows are returned in any order, each once even if its key is requested twice, and
/// missing rows are left out. Texts are compared byte by byte. A limit is a number of rows: 0 returns no rows,
/// `usize::MAX` all rows. Hashes and states may be any `u64`.
#[async_trait]
pub trait ReadRows: Send {
    /// Returns the words of texts, in order; [`NO_WORD`](super::NO_WORD) for an empty text and for one that was never
    /// written.
    async fn find_words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError>;

    /// Returns the texts of words, in order; an empty text for [`NO_WORD`](super::NO_WORD) and for an unknown word.
    async fn texts(&mut self, words: &[Word]) -> Result<Vec<String>, RowsError>;

    /// Returns the numbers of uids, in order; `None` for a uid that was never written.
    async fn find_nodes(&mut self, uids: &[String]) -> Result<Vec<Option<NodeId>>, RowsError>;

    /// Returns nodes. If `node_ids` created a node and `put_nodes` never wrote it, all columns but its number and uid
    /// have default values.
    async fn nodes(
        &mut self,
        ids: &[NodeId],
        projection: Projection,
    ) -> Result<Vec<NodeRow>, RowsError>;

    /// Returns the nodes that are merged into one of these nodes, as (node, `same_as`).
    async fn merged_into(&mut self, ids: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>, RowsError>;

    /// Returns the last interval of every claim of these nodes.
    async fn claims(&mut self, nodes: &[NodeId]) -> Result<Vec<ClaimRow>, RowsError>;

    /// Returns past intervals of the claims of these nodes: all that end after `since`, and of each claim the newest
    /// one that ends at `since` or earlier. The last interval of a claim is not a past interval.
    async fn past_claims(
        &mut self,
        nodes: &[NodeId],
        since: UnixNanos,
    ) -> Result<Vec<ClaimRow>, RowsError>;

    /// Returns up to `limit` open claims of a scope, ascending by node, starting after the node `after`. Each has the
    /// [hash](crate::uid::hash) of its uid.
    async fn open_claims(
        &mut self,
        scope: ScopeKey,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<(u64, ClaimRow)>, RowsError>;

    /// Returns the nodes of those claims of a scope whose last interval ended after `since`, not at `since`. Each has
    /// the hash of its uid.
    async fn ended_claims(
        &mut self,
        scope: ScopeKey,
        since: UnixNanos,
    ) -> Result<Vec<(u64, NodeId)>, RowsError>;

    /// Returns the nodes whose uids have these [hashes](crate::uid::hash), as (hash, node).
    async fn nodes_by_hash(&mut self, hashes: &[u64]) -> Result<Vec<(u64, NodeId)>, RowsError>;

    /// Returns versions.
    async fn versions(
        &mut self,
        keys: &[VersionKey],
        projection: Projection,
    ) -> Result<Vec<VersionRow>, RowsError>;

    /// Returns the encoded items of snapshots.
    async fn snapshots(
        &mut self,
        keys: &[SnapshotKey],
    ) -> Result<Vec<(SnapshotKey, Vec<u8>)>, RowsError>;

    /// Returns a page of the current edges of these kinds (of all kinds if `kinds` is empty) that start at these nodes.
    async fn edges_out(
        &mut self,
        from: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError>;

    /// Returns a page of the current edges of these kinds (of all kinds if `kinds` is empty) that lead to these nodes.
    async fn edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError>;

    /// Returns a page of the past edges of these kinds (of all kinds if `kinds` is empty) that lead to these nodes, as
    /// (to, kind, from): up to `limit`, starting after `after`, ascending, without duplicates. A past edge is one that
    /// `remove_edges` removed or `put_past_edges` added, even if it is current again.
    async fn past_edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        after: Option<(NodeId, Word, NodeId)>,
        limit: usize,
    ) -> Result<Vec<(NodeId, Word, NodeId)>, RowsError>;

    /// Returns the current aliases of these nodes.
    async fn aliases(&mut self, nodes: &[NodeId]) -> Result<Vec<AliasRow>, RowsError>;

    /// Returns the current aliases with these values, of any node.
    async fn aliases_by_value(&mut self, values: &[String]) -> Result<Vec<AliasRow>, RowsError>;

    /// Returns the past owners of these values, as (value, node). A past owner is the node of an alias that
    /// `remove_aliases` removed, or one that `put_past_aliases` added, even if the alias is current again.
    async fn past_owners(&mut self, values: &[String]) -> Result<Vec<(String, NodeId)>, RowsError>;

    /// Returns current aliases of these kinds, ascending by node: all aliases of the first `limit` nodes after `after`
    /// that have any. Returns nothing if `kinds` is empty.
    async fn aliases_of_kinds(
        &mut self,
        kinds: &[Word],
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<AliasRow>, RowsError>;

    /// Returns the scopes with these names, of any source and class; all scopes for `None`.
    async fn scopes(&mut self, names: Option<&[Word]>) -> Result<Vec<ScopeRow>, RowsError>;

    /// Returns the words whose texts begin with `prefix`; all words if it is empty.
    async fn words_with_prefix(&mut self, prefix: &str) -> Result<Vec<Word>, RowsError>;

    /// Returns the members of a scan: pairs of the hash of a uid and the hash of its state, see
    /// [`Members`](crate::scan_members::Members). `hash` is the hash of all members.
    async fn members(&mut self, scope: ScopeKey, hash: u64) -> Result<Option<Vec<u8>>, RowsError>;

    /// Returns the contested nodes of a scope: nodes that ended or are unobserved although a claim of the scope is
    /// open. A backend does not examine claims: it returns the nodes that `put_contested` added and that were not
    /// removed since.
    async fn contested(&mut self, scope: ScopeKey) -> Result<Vec<NodeId>, RowsError>;

    /// Returns up to `limit` nodes that match the filter, ascending, starting after the node `after`. It returns fewer
    /// than `limit` only if there are no more.
    async fn list(
        &mut self,
        filter: &NodeRowFilter,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<NodeId>, RowsError>;

    /// Returns up to `limit` stored texts that match a text in lower case, ordered by (field, node, text). `current`
    /// selects either the texts of current nodes or those of all other nodes. No character of the text is a wildcard. A
    /// backend may stop before `limit` if it has read some thousand texts that do not match; then `has_more` is true.
    async fn find_text(
        &mut self,
        text: &str,
        mode: TextMatch,
        current: bool,
        limit: usize,
    ) -> Result<TextHits, RowsError>;

    /// Returns all texts of these nodes. A backend may have replaced control characters in them.
    async fn texts_of(&mut self, nodes: &[NodeId]) -> Result<Vec<TextRow>, RowsError>;

    /// Returns the number of current nodes by kind and provider: the sum of all changes that `add_counts` added. Sums
    /// of 0 are left out.
    async fn counts(&mut self) -> Result<Vec<CountRow>, RowsError>;

    /// Returns the statistics of the minutes, or hours, that begin in `from..to`.
    async fn edge_stats(
        &mut self,
        resolution: StatsResolution,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStatsRow>, RowsError>;

    /// Returns the first minute, or hour, that has statistics.
    async fn oldest_edge_stats(
        &mut self,
        resolution: StatsResolution,
    ) -> Result<Option<UnixNanos>, RowsError>;

    /// Returns those of these nodes that statistics name. The time is the last minute or hour that names the node, or
    /// any time after it.
    async fn last_edge_stats(
        &mut self,
        nodes: &[NodeId],
    ) -> Result<Vec<(NodeId, UnixNanos)>, RowsError>;

    /// Returns the records with these (signal, id, opened).
    async fn records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<Vec<RecordRow>, RowsError>;

    /// Returns up to `limit` records of these signals (of all signals if `signals` is empty) that name one of these
    /// uids and opened in `from..to`: newest first, then by (signal, id).
    async fn records_of(
        &mut self,
        uids: &[String],
        signals: &[Word],
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError>;

    /// Returns a page of the records of a signal, descending by (opened, id).
    async fn record_page(&mut self, page: &RecordQuery) -> Result<Vec<RecordRow>, RowsError>;

    /// Returns up to `limit` records of a signal that opened, or were resolved, before `before`: ascending by (that
    /// time, id), starting after `after`.
    async fn old_records(
        &mut self,
        signal: Word,
        time: RecordTime,
        before: UnixNanos,
        after: Option<(UnixNanos, String)>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError>;

    /// Returns the value that `put_state` last put under a name.
    async fn state(&mut self, name: &str) -> Result<Option<Vec<u8>>, RowsError>;

    /// Returns up to `limit` nodes, listed or not, ascending, starting after the node `after`.
    async fn node_page(&mut self, after: NodeId, limit: usize) -> Result<Vec<NodeId>, RowsError>;

    /// Returns all versions of these nodes, without their values.
    async fn versions_of(&mut self, nodes: &[NodeId]) -> Result<Vec<VersionRow>, RowsError>;
}

/// A transaction. [`WriteRows::commit`] makes either all of it durable or nothing. If the session is dropped without a
/// commit, nothing is kept, not even the words, node numbers and commit numbers that it created.
///
/// If a row or a key occurs twice in a call, the backend applies both, in order. Before a caller writes rows that refer
/// to words and nodes, it creates these with `words` and `node_ids`.
#[async_trait]
pub trait WriteRows: ReadRows {
    /// Returns the words of texts, in order, and creates missing ones; [`NO_WORD`](super::NO_WORD) for an empty text.
    async fn words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError>;

    /// Returns the numbers of uids, in order, and creates missing ones. The flag is true if the uid is new: the store
    /// did not have it, and it does not occur earlier in the list. New numbers grow in the order of the list.
    async fn node_ids(&mut self, uids: &[String]) -> Result<Vec<(NodeId, bool)>, RowsError>;

    /// Replaces nodes, but not their counts and texts. The caller never changes the uid of a number.
    async fn put_nodes(&mut self, rows: &[NodeRow]) -> Result<(), RowsError>;

    /// Adds or replaces the last intervals of claims. A caller that wants to keep the replaced interval writes it with
    /// `put_past_claims`.
    async fn put_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError>;

    /// Adds or replaces earlier intervals of claims, by (key, since).
    async fn put_past_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError>;

    /// Removes the intervals that began at these times. If one is the last interval of its claim, the claim has no last
    /// interval until one is put.
    async fn remove_claims(&mut self, keys: &[(ClaimKey, UnixNanos)]) -> Result<(), RowsError>;

    /// Adds versions. If a version exists, only its missing parts are added: content (as a whole), edges, aliases.
    /// `written` becomes the greater of the two times.
    async fn put_versions(&mut self, rows: &[VersionRow]) -> Result<(), RowsError>;

    /// Adds snapshots that do not exist yet.
    async fn put_snapshots(&mut self, rows: &[(SnapshotKey, Vec<u8>)]) -> Result<(), RowsError>;

    /// Adds or replaces current edges, by key.
    async fn put_edges(&mut self, rows: &[EdgeRow]) -> Result<(), RowsError>;

    /// Adds observations of edges. An observation of an existing key is merged with it: `first_seen` becomes the least,
    /// `last_seen` and `confidence` the greatest, and `properties` those of the greatest (last_seen, properties).
    /// Returns in order whether each observation is new.
    async fn observe_edges(&mut self, rows: &[EdgeRow]) -> Result<Vec<bool>, RowsError>;

    /// Removes current edges; from now on `past_edges_in` returns them. Keys that are not current are skipped.
    async fn remove_edges(&mut self, keys: &[EdgeKey]) -> Result<(), RowsError>;

    /// Adds past edges that were never current, as (to, kind, from).
    async fn put_past_edges(&mut self, edges: &[(NodeId, Word, NodeId)]) -> Result<(), RowsError>;

    /// Adds or replaces current aliases, by key.
    async fn put_aliases(&mut self, rows: &[AliasRow]) -> Result<(), RowsError>;

    /// Adds observations of aliases. An observation of an existing key is merged with it: `first_seen` becomes the
    /// least, `last_seen` the greatest, and the validity is that of the greatest (last_seen, valid_from, valid_to).
    /// Returns in order whether each observation is new.
    async fn observe_aliases(&mut self, rows: &[AliasRow]) -> Result<Vec<bool>, RowsError>;

    /// Removes current aliases; from now on `past_owners` returns them. Keys that are not current are skipped.
    async fn remove_aliases(&mut self, keys: &[AliasKey]) -> Result<(), RowsError>;

    /// Adds past owners of aliases that were never current, as (value, node).
    async fn put_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError>;

    /// Adds or replaces scopes.
    async fn put_scopes(&mut self, rows: &[ScopeRow]) -> Result<(), RowsError>;

    /// Adds the members of scans, as (hash of all members, members). Then removes all members of the scope, stored or
    /// just added, that no scan in `scope.scans` refers to. Does not write the row of the scope: see `put_scopes`.
    async fn put_members(
        &mut self,
        scope: &ScopeRow,
        members: &[(u64, Vec<u8>)],
    ) -> Result<(), RowsError>;

    /// Removes scopes and the members of their scans. Claims and contested nodes stay.
    async fn remove_scopes(&mut self, keys: &[ScopeKey]) -> Result<(), RowsError>;

    /// Adds contested nodes.
    async fn put_contested(&mut self, rows: &[(ScopeKey, NodeId)]) -> Result<(), RowsError>;

    /// Removes these nodes from the contested nodes of every scope.
    async fn remove_contested(&mut self, nodes: &[NodeId]) -> Result<(), RowsError>;

    /// Replaces all texts of these (node, field) pairs with `rows`. Each row belongs to one of these pairs.
    async fn put_texts(
        &mut self,
        nodes: &[(NodeId, TextField)],
        rows: &[TextRow],
    ) -> Result<(), RowsError>;

    /// Adds changes to the counts.
    async fn add_counts(&mut self, changes: &[CountRow]) -> Result<(), RowsError>;

    /// Adds statistics. Of two rows with the same key (minute, edge, writer, chunk), the one with the greater (calls,
    /// errors, duration_sum) is kept; if they are equal, the stored one. Rows of hours have neither writer nor chunk.
    async fn put_edge_stats(
        &mut self,
        resolution: StatsResolution,
        rows: &[EdgeStatsRow],
    ) -> Result<(), RowsError>;

    /// Removes the statistics of these edges in the minutes, or hours, that begin in `from..to`, a range of at most an
    /// hour. `last_edge_stats` may still return the nodes of these edges.
    async fn remove_edge_stats(
        &mut self,
        resolution: StatsResolution,
        edges: &[StatsEdge],
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<(), RowsError>;

    /// Adds or replaces records, by (signal, id, opened). For a uid that only the replaced row named, `records_of` no
    /// longer returns the record.
    async fn put_records(&mut self, rows: &[RecordRow]) -> Result<(), RowsError>;

    /// Removes the records with these (signal, id, opened).
    async fn remove_records(&mut self, keys: &[(Word, String, UnixNanos)])
    -> Result<(), RowsError>;

    /// Stores a value under a name. There are only a few names.
    async fn put_state(&mut self, name: &str, value: &[u8]) -> Result<(), RowsError>;

    /// Removes versions, but not their snapshots.
    async fn remove_versions(&mut self, keys: &[VersionKey]) -> Result<(), RowsError>;

    /// Removes snapshots.
    async fn remove_snapshots(&mut self, keys: &[SnapshotKey]) -> Result<(), RowsError>;

    /// Removes (to, kind, from) from the past edges.
    async fn remove_past_edges(
        &mut self,
        edges: &[(NodeId, Word, NodeId)],
    ) -> Result<(), RowsError>;

    /// Removes (value, node) from the past owners.
    async fn remove_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError>;

    /// Removes nodes. The caller has removed all other rows of these nodes. Their numbers are never used again.
    async fn remove_nodes(&mut self, ids: &[NodeId]) -> Result<(), RowsError>;

    /// Removes up to `limit` commits with numbers up to `up_to` from the log, oldest first. Returns how many it
    /// removed.
    async fn remove_commits(&mut self, up_to: u64, limit: usize) -> Result<usize, RowsError>;

    /// Appends a commit to the log and returns its number. Numbers start at 1 and have no gaps.
    async fn append_commit(&mut self, commit: &[u8]) -> Result<u64, RowsError>;

    /// Commits the transaction.
    async fn commit(self) -> Result<(), RowsError>
    where
        Self: Sized;
}

/// Reads and writes leases in the transaction of a write session.
#[async_trait]
pub trait LeaseRows: Send {
    /// Returns the time. A backend on a server returns the time of the server, so that all processes use one clock.
    async fn now(&mut self) -> Result<UnixNanos, RowsError> {
        Ok(UnixNanos::now())
    }

    /// Returns the lease of a scope, even if it has expired. Until this session ends, no other session writes the
    /// lease: if two sessions read and then write it, one waits for the other.
    async fn lease(&mut self, source: Word, scope: Word) -> Result<Option<LeaseRow>, RowsError>;

    /// Adds or replaces the lease of a scope.
    async fn put_lease(&mut self, row: &LeaseRow) -> Result<(), RowsError>;

    /// Removes the lease of a scope, if there is one.
    async fn remove_lease(&mut self, source: Word, scope: Word) -> Result<(), RowsError>;
}

/// Keeps rows. A session does not borrow from the backend. Several read sessions and one write session can be open at
/// the same time. A second write session waits for the first, or the backend resolves conflicts so that both commit.
#[async_trait]
pub trait Backend: Send + Sync + Debug + 'static {
    /// A read session.
    type Read: ReadRows;
    /// A write session: one transaction.
    type Write: WriteRows + LeaseRows;

    /// Opens a read session.
    async fn read(&self) -> Result<Self::Read, RowsError>;

    /// Opens a write session.
    async fn write(&self) -> Result<Self::Write, RowsError>;

    /// Returns up to `limit` commits of all processes with a number greater than `after`, ascending.
    async fn commits(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, RowsError>;

    /// Returns the number of the last commit; 0 before the first.
    async fn last_commit(&self) -> Result<u64, RowsError>;

    /// Returns the estimated size of the store without reading all rows.
    async fn store_size(&self) -> Result<StoreSize, RowsError>;

    /// Gives up to `pages` unused pages back to the file system, in one short transaction. Returns whether more remain;
    /// false if the backend cannot do this.
    async fn compact(&self, pages: usize) -> Result<bool, RowsError> {
        let _ = pages;
        Ok(false)
    }
}
