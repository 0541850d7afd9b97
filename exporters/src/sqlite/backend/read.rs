//! The reads of a session.

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::graph_store::Direction;
use pipeline::store::rows::{
    AliasRow, ClaimRow, CountRow, EdgePage, EdgeRow, EdgeStatsRow, NodeId, NodeRow, NodeRowFilter,
    Projection, ReadRows, RecordQuery, RecordRow, RecordTime, RowsError, ScopeKey, ScopeRow,
    SnapshotKey, StatsResolution, TextHits, TextMatch, TextRow, VersionKey, VersionRow, Word,
};

use super::session::SqliteSession;
use super::words::SessionWords;
use super::{
    aliases, claims, edges, housekeeping, list, nodes, records, scopes, stats, texts, versions,
};

#[async_trait]
impl ReadRows for SqliteSession {
    async fn find_words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        let result = self.words.find(self.connection.sqlite(), texts).await;
        result.map_err(self.rows_error(format!("look up {} words", texts.len())))
    }

    async fn texts(&mut self, words: &[Word]) -> Result<Vec<String>, RowsError> {
        let result = self.words.texts(self.connection.sqlite(), words).await;
        result.map_err(self.rows_error(format!("read {} words", words.len())))
    }

    async fn find_nodes(&mut self, uids: &[String]) -> Result<Vec<Option<NodeId>>, RowsError> {
        let result = nodes::find(self.connection.sqlite(), &self.new_nodes, uids).await;
        result.map_err(self.rows_error(format!("look up {} uids", uids.len())))
    }

    async fn nodes(
        &mut self,
        ids: &[NodeId],
        projection: Projection,
    ) -> Result<Vec<NodeRow>, RowsError> {
        let result = nodes::read(self.connection.sqlite(), &self.new_nodes, ids, projection).await;
        result.map_err(self.rows_error(format!("read {} nodes", ids.len())))
    }

    async fn merged_into(&mut self, ids: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>, RowsError> {
        let result = nodes::merged_into(self.connection.sqlite(), ids).await;
        result.map_err(self.rows_error(format!(
            "read the nodes that are merged into {} nodes",
            ids.len()
        )))
    }

    async fn claims(&mut self, nodes: &[NodeId]) -> Result<Vec<ClaimRow>, RowsError> {
        let result = claims::read(self.connection.sqlite(), nodes).await;
        result.map_err(self.rows_error(format!("read the claims of {} nodes", nodes.len())))
    }

    async fn past_claims(
        &mut self,
        nodes: &[NodeId],
        since: UnixNanos,
    ) -> Result<Vec<ClaimRow>, RowsError> {
        let result = claims::read_past(self.connection.sqlite(), nodes, since).await;
        result.map_err(self.rows_error(format!("read the past claims of {} nodes", nodes.len())))
    }

    async fn open_claims(
        &mut self,
        scope: ScopeKey,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<(u64, ClaimRow)>, RowsError> {
        let result = claims::read_open(
            self.connection.sqlite(),
            &self.new_nodes,
            scope,
            after,
            limit,
        )
        .await;
        result.map_err(self.rows_error(format!("read {limit} open claims of a scope")))
    }

    async fn ended_claims(
        &mut self,
        scope: ScopeKey,
        since: UnixNanos,
    ) -> Result<Vec<(u64, NodeId)>, RowsError> {
        let result =
            claims::ended_since(self.connection.sqlite(), &self.new_nodes, scope, since).await;
        result.map_err(self.rows_error("read the ended claims of a scope"))
    }

    async fn nodes_by_hash(&mut self, hashes: &[u64]) -> Result<Vec<(u64, NodeId)>, RowsError> {
        let result = nodes::by_hash(self.connection.sqlite(), &self.new_nodes, hashes).await;
        result.map_err(self.rows_error(format!("look up {} hashes of uids", hashes.len())))
    }

    async fn versions(
        &mut self,
        keys: &[VersionKey],
        projection: Projection,
    ) -> Result<Vec<VersionRow>, RowsError> {
        let result = versions::read(self.connection.sqlite(), keys, projection).await;
        result.map_err(self.rows_error(format!("read {} versions", keys.len())))
    }

    async fn snapshots(
        &mut self,
        keys: &[SnapshotKey],
    ) -> Result<Vec<(SnapshotKey, Vec<u8>)>, RowsError> {
        let result = versions::read_snapshots(self.connection.sqlite(), keys).await;
        result.map_err(self.rows_error(format!("read {} snapshots", keys.len())))
    }

    async fn edges_out(
        &mut self,
        from: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let result = edges::read(self.connection.sqlite(), Direction::Out, from, kinds, page).await;
        result
            .map_err(self.rows_error(format!("read the edges that start at {} nodes", from.len())))
    }

    async fn edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let result = edges::read(self.connection.sqlite(), Direction::In, to, kinds, page).await;
        result.map_err(self.rows_error(format!("read the edges that lead to {} nodes", to.len())))
    }

    async fn past_edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        after: Option<(NodeId, Word, NodeId)>,
        limit: usize,
    ) -> Result<Vec<(NodeId, Word, NodeId)>, RowsError> {
        let result = edges::read_past(self.connection.sqlite(), to, kinds, after, limit).await;
        result.map_err(self.rows_error(format!(
            "read the past edges that led to {} nodes",
            to.len()
        )))
    }

    async fn aliases(&mut self, nodes: &[NodeId]) -> Result<Vec<AliasRow>, RowsError> {
        let result = aliases::read(self.connection.sqlite(), nodes).await;
        result.map_err(self.rows_error(format!("read the aliases of {} nodes", nodes.len())))
    }

    async fn aliases_by_value(&mut self, values: &[String]) -> Result<Vec<AliasRow>, RowsError> {
        let result = aliases::read_by_value(self.connection.sqlite(), values).await;
        result.map_err(self.rows_error(format!("look up {} aliases", values.len())))
    }

    async fn past_owners(&mut self, values: &[String]) -> Result<Vec<(String, NodeId)>, RowsError> {
        let result = aliases::read_past(self.connection.sqlite(), values).await;
        result.map_err(self.rows_error(format!("look up {} past aliases", values.len())))
    }

    async fn aliases_of_kinds(
        &mut self,
        kinds: &[Word],
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<AliasRow>, RowsError> {
        let result = aliases::read_of_kinds(self.connection.sqlite(), kinds, after, limit).await;
        result.map_err(self.rows_error(format!("read the aliases of {limit} nodes")))
    }

    async fn scopes(&mut self, names: Option<&[Word]>) -> Result<Vec<ScopeRow>, RowsError> {
        let result = scopes::read(self.connection.sqlite(), names).await;
        result.map_err(self.rows_error("read scopes"))
    }

    async fn words_with_prefix(&mut self, prefix: &str) -> Result<Vec<Word>, RowsError> {
        let result = SessionWords::with_prefix(self.connection.sqlite(), prefix).await;
        result.map_err(self.rows_error("read the words with a prefix"))
    }

    async fn members(&mut self, scope: ScopeKey, hash: u64) -> Result<Option<Vec<u8>>, RowsError> {
        let result = scopes::read_members(self.connection.sqlite(), scope, hash).await;
        result.map_err(self.rows_error("read the members of a scan"))
    }

    async fn contested(&mut self, scope: ScopeKey) -> Result<Vec<NodeId>, RowsError> {
        let result = scopes::read_contested(self.connection.sqlite(), scope).await;
        result.map_err(self.rows_error("read the contested nodes of a scope"))
    }

    async fn list(
        &mut self,
        filter: &NodeRowFilter,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<NodeId>, RowsError> {
        let result = list::list(self.connection.sqlite(), filter, after, limit).await;
        result.map_err(self.rows_error(format!("list {limit} nodes")))
    }

    async fn find_text(
        &mut self,
        text: &str,
        mode: TextMatch,
        current: bool,
        limit: usize,
    ) -> Result<TextHits, RowsError> {
        let result = texts::find(self.connection.sqlite(), text, mode, current, limit).await;
        result.map_err(self.rows_error(format!("search {limit} texts")))
    }

    async fn texts_of(&mut self, nodes: &[NodeId]) -> Result<Vec<TextRow>, RowsError> {
        let result = texts::of_nodes(self.connection.sqlite(), nodes).await;
        result.map_err(self.rows_error(format!("read the texts of {} nodes", nodes.len())))
    }

    async fn counts(&mut self) -> Result<Vec<CountRow>, RowsError> {
        let result = stats::read_counts(self.connection.sqlite()).await;
        result.map_err(self.rows_error("read the counts of nodes"))
    }

    async fn edge_stats(
        &mut self,
        resolution: StatsResolution,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStatsRow>, RowsError> {
        let result = stats::read_edges(self.connection.sqlite(), resolution, from, to).await;
        result.map_err(self.rows_error("read edge statistics"))
    }

    async fn oldest_edge_stats(
        &mut self,
        resolution: StatsResolution,
    ) -> Result<Option<UnixNanos>, RowsError> {
        let result = stats::oldest(self.connection.sqlite(), resolution).await;
        result.map_err(self.rows_error("read the time of the oldest edge statistics"))
    }

    async fn last_edge_stats(
        &mut self,
        nodes: &[NodeId],
    ) -> Result<Vec<(NodeId, UnixNanos)>, RowsError> {
        let result = stats::read_ends(self.connection.sqlite(), nodes).await;
        result.map_err(self.rows_error("read when edge statistics last named some nodes"))
    }

    async fn records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<Vec<RecordRow>, RowsError> {
        let result = records::read(self.connection.sqlite(), keys).await;
        result.map_err(self.rows_error(format!("read {} records", keys.len())))
    }

    async fn records_of(
        &mut self,
        uids: &[String],
        signals: &[Word],
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let result =
            records::read_of(self.connection.sqlite(), uids, signals, from, to, limit).await;
        result.map_err(self.rows_error(format!("read the records of {} uids", uids.len())))
    }

    async fn record_page(&mut self, page: &RecordQuery) -> Result<Vec<RecordRow>, RowsError> {
        let result = records::read_page(self.connection.sqlite(), page).await;
        result.map_err(self.rows_error(format!("read {} records", page.limit)))
    }

    async fn old_records(
        &mut self,
        signal: Word,
        time: RecordTime,
        before: UnixNanos,
        after: Option<(UnixNanos, String)>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let result =
            records::read_old(self.connection.sqlite(), signal, time, before, after, limit).await;
        result.map_err(self.rows_error(format!("read {limit} old records")))
    }

    async fn state(&mut self, name: &str) -> Result<Option<Vec<u8>>, RowsError> {
        let result = housekeeping::state(self.connection.sqlite(), name).await;
        result.map_err(self.rows_error(format!("read the stored value {name}")))
    }

    async fn node_page(&mut self, after: NodeId, limit: usize) -> Result<Vec<NodeId>, RowsError> {
        let result =
            housekeeping::node_page(self.connection.sqlite(), &self.new_nodes, after, limit).await;
        result.map_err(self.rows_error(format!("read the ids of {limit} nodes")))
    }

    async fn versions_of(&mut self, nodes: &[NodeId]) -> Result<Vec<VersionRow>, RowsError> {
        let result = housekeeping::versions_of(self.connection.sqlite(), nodes).await;
        result.map_err(self.rows_error(format!("read the versions of {} nodes", nodes.len())))
    }
}
