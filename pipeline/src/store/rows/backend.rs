//! The functions of a backend that keeps rows.

use std::fmt::Debug;

use async_trait::async_trait;

use super::aging::{RecordPage, RecordTime, Resolution, Sizes, StatsEdge};
use super::lease::LeaseRows;
use super::row::{
    AliasKey, AliasRow, ClaimKey, ClaimRow, CountRow, EdgeKey, EdgePage, EdgeRow, EdgeStatsRow,
    FoundTexts, NodeId, NodeRow, Projection, RecordRow, RowFilter, ScopeKey, ScopeRow, SnapshotKey,
    TextField, TextMatch, TextRow, VersionKey, VersionRow, Word,
};
use crate::cause::Cause;
use crate::component::UnixNanos;

/// A backend failed.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub struct RowsError {
    /// What it was doing: `read 20 nodes`.
    pub action: String,
    /// Whether the same rows can succeed later; else they never will.
    pub is_retryable: bool,
    #[source]
    pub source: Cause,
}

/// Reads of one consistent state: at the latest that of the first read. A write session reads its own
/// rows as well.
///
/// Where a function does not say otherwise, rows come in any order, each once however often its key
/// stands in the call, and what is not there is left out. Texts are compared byte by byte. A limit is
/// of rows; 0 finds none, `usize::MAX` all. Hashes and states are any `u64`.
#[async_trait]
pub trait ReadRows: Send {
    /// The words of these texts, in order; [`NO_WORD`](super::NO_WORD) where a text is empty or was never written.
    async fn find_words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError>;

    /// The texts of these words, in order; empty for [`NO_WORD`](super::NO_WORD) and where there is no such word.
    async fn texts(&mut self, words: &[Word]) -> Result<Vec<String>, RowsError>;

    /// The numbers of these uids, in order; none where a uid was never written.
    async fn find_nodes(&mut self, uids: &[String]) -> Result<Vec<Option<NodeId>>, RowsError>;

    /// These nodes. One that got a number and was never put has the default of every other column.
    async fn nodes(
        &mut self,
        ids: &[NodeId],
        projection: Projection,
    ) -> Result<Vec<NodeRow>, RowsError>;

    /// Nodes whose `same_as` is one of these: (node, `same_as`).
    async fn merged_into(&mut self, ids: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>, RowsError>;

    /// The last stretch of every claim of these nodes.
    async fn claims(&mut self, nodes: &[NodeId]) -> Result<Vec<ClaimRow>, RowsError>;

    /// The stretches before the last one of every claim of these nodes that end after `since` (not
    /// at it), and of each claim the newest (by its own `since`) of those that do not.
    async fn past_claims(
        &mut self,
        nodes: &[NodeId],
        since: UnixNanos,
    ) -> Result<Vec<ClaimRow>, RowsError>;

    /// Open claims of a scope, each with the [hash](crate::uid::hash) of its uid, by node: up to `limit`
    /// with a greater node than `after`.
    async fn open_claims(
        &mut self,
        scope: ScopeKey,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<(u64, ClaimRow)>, RowsError>;

    /// The nodes of the claims of a scope whose last stretch ended after `since` (not at it), each with
    /// the hash of its uid; open ones are not among them.
    async fn ended_claims(
        &mut self,
        scope: ScopeKey,
        since: UnixNanos,
    ) -> Result<Vec<(u64, NodeId)>, RowsError>;

    /// The nodes whose uids have these [hashes](crate::uid::hash), those that are there.
    async fn nodes_by_hash(&mut self, hashes: &[u64]) -> Result<Vec<(u64, NodeId)>, RowsError>;

    async fn versions(
        &mut self,
        keys: &[VersionKey],
        projection: Projection,
    ) -> Result<Vec<VersionRow>, RowsError>;

    async fn snapshots(
        &mut self,
        keys: &[SnapshotKey],
    ) -> Result<Vec<(SnapshotKey, Vec<u8>)>, RowsError>;

    /// Current edges that start at these nodes, of these kinds (of all where none is named), a page.
    async fn edges_out(
        &mut self,
        from: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError>;

    /// Current edges that lead to these nodes, likewise.
    async fn edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError>;

    /// Where edges that once led to these nodes started: (to, kind, from), ascending, each once, up to
    /// `limit` greater than `after`, of these kinds (of all where none is named). It is every one that
    /// was ever removed by `remove_edges` or put by `put_past_edges`, current again or not.
    async fn past_edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        after: Option<(NodeId, Word, NodeId)>,
        limit: usize,
    ) -> Result<Vec<(NodeId, Word, NodeId)>, RowsError>;

    /// Current aliases of these nodes.
    async fn aliases(&mut self, nodes: &[NodeId]) -> Result<Vec<AliasRow>, RowsError>;

    /// Current aliases with these values, of any node.
    async fn aliases_by_value(&mut self, values: &[String]) -> Result<Vec<AliasRow>, RowsError>;

    /// Nodes that once had an alias of these values: (value, node). It is every one that was ever
    /// removed by `remove_aliases` or put by `put_past_aliases`, whether it has it again or not.
    async fn past_owners(&mut self, values: &[String]) -> Result<Vec<(String, NodeId)>, RowsError>;

    /// Current aliases of these kinds, of up to `limit` nodes greater than `after`, by node; all that
    /// each of them has. None where no kind is named.
    async fn aliases_of_kinds(
        &mut self,
        kinds: &[Word],
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<AliasRow>, RowsError>;

    /// The scopes with these names, of any source and class; all of them where `None`.
    async fn scopes(&mut self, names: Option<&[Word]>) -> Result<Vec<ScopeRow>, RowsError>;

    /// Words whose texts begin with a text; all words where it is empty.
    async fn words_with_prefix(&mut self, prefix: &str) -> Result<Vec<Word>, RowsError>;

    /// The members of a scan: pairs of the hashes of a uid and of its state, see
    /// [`Members`](crate::members::Members).
    async fn members(&mut self, scope: ScopeKey, hash: u64) -> Result<Option<Vec<u8>>, RowsError>;

    /// Contested nodes of a scope: not current although a claim of the scope is open. What was put and
    /// not removed; a backend does not look at claims.
    async fn contested(&mut self, scope: ScopeKey) -> Result<Vec<NodeId>, RowsError>;

    /// Up to `limit` listed nodes greater than `after`, by number; fewer only where there are no more.
    async fn list(
        &mut self,
        filter: &RowFilter,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<NodeId>, RowsError>;

    /// Up to `limit` texts that match a text, which is in lower case, of current nodes or of the others:
    /// by (field, node, text). No character of it has a meaning of its own. A backend may stop earlier, after
    /// some thousand texts that look like it and do not match.
    async fn find_text(
        &mut self,
        text: &str,
        how: TextMatch,
        current: bool,
        limit: usize,
    ) -> Result<FoundTexts, RowsError>;

    /// All texts of these nodes. A backend may have replaced control characters in them.
    async fn texts_of(&mut self, nodes: &[NodeId]) -> Result<Vec<TextRow>, RowsError>;

    /// How many nodes of each kind and provider are listed as current: the sums of all that was added,
    /// those that are 0 left out.
    async fn counts(&mut self) -> Result<Vec<CountRow>, RowsError>;

    /// Statistics of the minutes, or hours, that begin in `from..to`, in any order.
    async fn edge_stats(
        &mut self,
        resolution: Resolution,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStatsRow>, RowsError>;

    /// The first minute, or hour, of which there are statistics.
    async fn oldest_edge_stats(
        &mut self,
        resolution: Resolution,
    ) -> Result<Option<UnixNanos>, RowsError>;

    /// Those of these nodes that statistics named, each with a time that is not before the last
    /// minute or hour that does.
    async fn last_edge_stats(
        &mut self,
        nodes: &[NodeId],
    ) -> Result<Vec<(NodeId, UnixNanos)>, RowsError>;

    /// Records with these (signal, id, opened).
    async fn records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<Vec<RecordRow>, RowsError>;

    /// Records of these signals (of all where none is named) that name one of these uids and were
    /// opened in `from..to`: up to `limit`, newest first, then by (signal, id).
    async fn records_of(
        &mut self,
        uids: &[String],
        signals: &[Word],
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError>;

    /// A page of the records of a signal, by (opened, id), newest first.
    async fn record_page(&mut self, page: &RecordPage) -> Result<Vec<RecordRow>, RowsError>;

    /// Records of a signal whose time is before `before`, oldest first: up to `limit` greater than the
    /// (time, id) `after`.
    async fn old_records(
        &mut self,
        signal: Word,
        time: RecordTime,
        before: UnixNanos,
        after: Option<(UnixNanos, String)>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError>;

    /// What `put_state` last put under a name.
    async fn state(&mut self, name: &str) -> Result<Option<Vec<u8>>, RowsError>;

    /// Up to `limit` numbers of nodes greater than `after`, listed or not, ascending.
    async fn node_page(&mut self, after: NodeId, limit: usize) -> Result<Vec<NodeId>, RowsError>;

    /// All versions of these nodes, without their values.
    async fn versions_of(&mut self, nodes: &[NodeId]) -> Result<Vec<VersionRow>, RowsError>;
}

/// A transaction: all of it is durable once [`WriteRows::commit`] returns, or none; dropped without it,
/// none, the words, numbers of nodes and of commits that it made included.
///
/// Of rows that stand twice in a call, or whose key does, the effect is that of one call for each, in
/// order. Words and nodes in rows were made before, by `words` and `node_ids`.
#[async_trait]
pub trait WriteRows: ReadRows {
    /// The words of these texts, in order; new ones are made. [`NO_WORD`](super::NO_WORD) for an empty text.
    async fn words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError>;

    /// The numbers of these uids, in order, and whether each is new: it was not there before this
    /// place in the list. New numbers grow in the order of the list.
    async fn node_ids(&mut self, uids: &[String]) -> Result<Vec<(NodeId, bool)>, RowsError>;

    /// Replaces these nodes. The uid of a number never changes; counts and texts stay as they are.
    async fn put_nodes(&mut self, rows: &[NodeRow]) -> Result<(), RowsError>;

    /// Replaces the last stretches of these claims. The one before is not kept; see `put_past_claims`.
    async fn put_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError>;

    /// Adds or replaces stretches before the last of their claim, by (key, since).
    async fn put_past_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError>;

    /// Removes stretches that began at these times: from the past ones, and the last of a claim where
    /// it is that, after which the claim has no last one until one is put.
    async fn remove_claims(&mut self, keys: &[(ClaimKey, UnixNanos)]) -> Result<(), RowsError>;

    /// Adds versions; of one that is there, the parts that are missing: content (as a whole), edges,
    /// aliases. `written` becomes the greatest.
    async fn put_versions(&mut self, rows: &[VersionRow]) -> Result<(), RowsError>;

    /// Adds snapshots that are not there yet.
    async fn put_snapshots(&mut self, rows: &[(SnapshotKey, Vec<u8>)]) -> Result<(), RowsError>;

    /// Adds or replaces current edges, by key.
    async fn put_edges(&mut self, rows: &[EdgeRow]) -> Result<(), RowsError>;

    /// Adds observations of edges. Of one that is there `first_seen` becomes the least, `last_seen`
    /// and `confidence` the greatest, and `properties` those of the greatest (last_seen, properties).
    /// Whether each was new, in order.
    async fn observe_edges(&mut self, rows: &[EdgeRow]) -> Result<Vec<bool>, RowsError>;

    /// Removes current edges; `past_edges_in` finds them from now on. Keys that are not current are
    /// passed over.
    async fn remove_edges(&mut self, keys: &[EdgeKey]) -> Result<(), RowsError>;

    /// Makes `past_edges_in` find edges that were never current: (to, kind, from).
    async fn put_past_edges(&mut self, edges: &[(NodeId, Word, NodeId)]) -> Result<(), RowsError>;

    /// Adds or replaces current aliases, by key.
    async fn put_aliases(&mut self, rows: &[AliasRow]) -> Result<(), RowsError>;

    /// Adds observations of aliases. Of one that is there `first_seen` becomes the least, `last_seen`
    /// the greatest, and the bounds of validity are those of the greatest (last_seen, valid_from,
    /// valid_to). Whether each was new, in order.
    async fn observe_aliases(&mut self, rows: &[AliasRow]) -> Result<Vec<bool>, RowsError>;

    /// Removes current aliases; `past_owners` finds them from now on. Keys that are not current are
    /// passed over.
    async fn remove_aliases(&mut self, keys: &[AliasKey]) -> Result<(), RowsError>;

    /// Makes `past_owners` find aliases that were never current.
    async fn put_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError>;

    /// Adds or replaces scopes.
    async fn put_scopes(&mut self, rows: &[ScopeRow]) -> Result<(), RowsError>;

    /// Adds the members of scans, then removes those of the scope that none of `scope.scans` names,
    /// also among the added ones. The row itself is not written; see `put_scopes`.
    async fn put_members(
        &mut self,
        scope: &ScopeRow,
        members: &[(u64, Vec<u8>)],
    ) -> Result<(), RowsError>;

    /// Removes scopes with the members of their scans; claims and contested nodes stay.
    async fn remove_scopes(&mut self, keys: &[ScopeKey]) -> Result<(), RowsError>;

    async fn put_contested(&mut self, rows: &[(ScopeKey, NodeId)]) -> Result<(), RowsError>;

    /// Removes these nodes from the contested ones of every scope.
    async fn remove_contested(&mut self, nodes: &[NodeId]) -> Result<(), RowsError>;

    /// Replaces all texts of these (node, field) by `rows`, each of which is of one of them.
    async fn put_texts(
        &mut self,
        nodes: &[(NodeId, TextField)],
        rows: &[TextRow],
    ) -> Result<(), RowsError>;

    /// Adds to the counts.
    async fn add_counts(&mut self, changes: &[CountRow]) -> Result<(), RowsError>;

    /// Of two rows with the same key (minute, edge, writer, chunk) the one with the greater (calls,
    /// errors, duration_sum) stays; where they are equal, the one that is there. Hours have neither
    /// writer nor chunk.
    async fn put_edge_stats(
        &mut self,
        resolution: Resolution,
        rows: &[EdgeStatsRow],
    ) -> Result<(), RowsError>;

    /// Removes what was counted on these edges in the minutes, or hours, that begin in `from..to`, a
    /// span of at most an hour. `last_edge_stats` may still find their ends.
    async fn remove_edge_stats(
        &mut self,
        resolution: Resolution,
        edges: &[StatsEdge],
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<(), RowsError>;

    /// Adds or replaces records, by (signal, id, opened); uids that only the row before named do not
    /// find it any more.
    async fn put_records(&mut self, rows: &[RecordRow]) -> Result<(), RowsError>;

    /// Removes records with these (signal, id, opened).
    async fn remove_records(&mut self, keys: &[(Word, String, UnixNanos)])
    -> Result<(), RowsError>;

    /// Puts a value under a name, of which there are few.
    async fn put_state(&mut self, name: &str, value: &[u8]) -> Result<(), RowsError>;

    /// Removes versions, not the snapshots that they name.
    async fn remove_versions(&mut self, keys: &[VersionKey]) -> Result<(), RowsError>;

    async fn remove_snapshots(&mut self, keys: &[SnapshotKey]) -> Result<(), RowsError>;

    /// `past_edges_in` finds these (to, kind, from) no longer.
    async fn remove_past_edges(
        &mut self,
        edges: &[(NodeId, Word, NodeId)],
    ) -> Result<(), RowsError>;

    /// `past_owners` finds these no longer.
    async fn remove_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError>;

    /// Removes nodes, which have no other rows any more. Their numbers are never used again.
    async fn remove_nodes(&mut self, ids: &[NodeId]) -> Result<(), RowsError>;

    /// Removes commits up to this number from the log, the oldest first, up to `limit` of them: how
    /// many it removed.
    async fn remove_commits(&mut self, up_to: u64, limit: usize) -> Result<usize, RowsError>;

    /// Appends to the log of commits; its number. They are numbered from 1 without gaps.
    async fn append_commit(&mut self, commit: &[u8]) -> Result<u64, RowsError>;

    async fn commit(self) -> Result<(), RowsError>
    where
        Self: Sized;
}

/// Where rows are kept. A session holds what it needs by itself; several read sessions and a write
/// session are open at once. A second write session waits, or conflicts are resolved so that both
/// commit.
#[async_trait]
pub trait Backend: Send + Sync + Debug + 'static {
    type Read: ReadRows;
    type Write: WriteRows + LeaseRows;

    async fn read(&self) -> Result<Self::Read, RowsError>;

    async fn write(&self) -> Result<Self::Write, RowsError>;

    /// Commits with a greater number than `after`, by number, up to `limit`: those of all processes.
    async fn commits(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, RowsError>;

    /// The number of the last commit; 0 before the first.
    async fn last_commit(&self) -> Result<u64, RowsError>;

    /// How large the store is, without a look at all of its rows.
    async fn sizes(&self) -> Result<Sizes, RowsError>;

    /// Gives up to so many pages that no row uses back to the file system, in one short transaction;
    /// whether there are more. One that cannot has none.
    async fn compact(&self, pages: usize) -> Result<bool, RowsError> {
        let _ = pages;
        Ok(false)
    }
}
