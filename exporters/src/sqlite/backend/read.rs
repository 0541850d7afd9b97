//! What a session reads.

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::store::rows::{
    AliasRow, ClaimRow, CountRow, EdgePage, EdgeRow, EdgeStatsRow, FoundTexts, NodeId, NodeRow,
    Projection, ReadRows, RecordPage, RecordRow, RecordTime, Resolution, RowFilter, RowsError,
    ScopeKey, ScopeRow, SnapshotKey, TextMatch, TextRow, VersionKey, VersionRow, Word,
};

use super::edges::End;
use super::session::Session;
use super::words::SessionWords;
use super::{
    aliases, claims, edges, housekeeping, list, nodes, records, scopes, stats, texts, versions,
};

#[async_trait]
impl ReadRows for Session {
    async fn find_words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        let done = self.words.find(self.connection.sqlite(), texts).await;
        done.map_err(self.failed(format!("look up {} words", texts.len())))
    }

    async fn texts(&mut self, words: &[Word]) -> Result<Vec<String>, RowsError> {
        let done = self.words.texts(self.connection.sqlite(), words).await;
        done.map_err(self.failed(format!("read {} words", words.len())))
    }

    async fn find_nodes(&mut self, uids: &[String]) -> Result<Vec<Option<NodeId>>, RowsError> {
        let done = nodes::find(self.connection.sqlite(), &self.new_nodes, uids).await;
        done.map_err(self.failed(format!("look up {} uids", uids.len())))
    }

    async fn nodes(
        &mut self,
        ids: &[NodeId],
        projection: Projection,
    ) -> Result<Vec<NodeRow>, RowsError> {
        let done = nodes::read(self.connection.sqlite(), &self.new_nodes, ids, projection).await;
        done.map_err(self.failed(format!("read {} nodes", ids.len())))
    }

    async fn merged_into(&mut self, ids: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>, RowsError> {
        let done = nodes::merged_into(self.connection.sqlite(), ids).await;
        done.map_err(self.failed(format!("read the other names of {} nodes", ids.len())))
    }

    async fn claims(&mut self, nodes: &[NodeId]) -> Result<Vec<ClaimRow>, RowsError> {
        let done = claims::read(self.connection.sqlite(), nodes).await;
        done.map_err(self.failed(format!("read the claims of {} nodes", nodes.len())))
    }

    async fn past_claims(
        &mut self,
        nodes: &[NodeId],
        since: UnixNanos,
    ) -> Result<Vec<ClaimRow>, RowsError> {
        let done = claims::read_past(self.connection.sqlite(), nodes, since).await;
        done.map_err(self.failed(format!("read the past claims of {} nodes", nodes.len())))
    }

    async fn open_claims(
        &mut self,
        scope: ScopeKey,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<(u64, ClaimRow)>, RowsError> {
        let done = claims::read_open(
            self.connection.sqlite(),
            &self.new_nodes,
            scope,
            after,
            limit,
        )
        .await;
        done.map_err(self.failed(format!("read {limit} open claims of a scope")))
    }

    async fn ended_claims(
        &mut self,
        scope: ScopeKey,
        since: UnixNanos,
    ) -> Result<Vec<(u64, NodeId)>, RowsError> {
        let done =
            claims::ended_since(self.connection.sqlite(), &self.new_nodes, scope, since).await;
        done.map_err(self.failed("read the ended claims of a scope"))
    }

    async fn nodes_by_hash(&mut self, hashes: &[u64]) -> Result<Vec<(u64, NodeId)>, RowsError> {
        let done = nodes::by_hash(self.connection.sqlite(), &self.new_nodes, hashes).await;
        done.map_err(self.failed(format!("look up {} hashes of uids", hashes.len())))
    }

    async fn versions(
        &mut self,
        keys: &[VersionKey],
        projection: Projection,
    ) -> Result<Vec<VersionRow>, RowsError> {
        let done = versions::read(self.connection.sqlite(), keys, projection).await;
        done.map_err(self.failed(format!("read {} versions", keys.len())))
    }

    async fn snapshots(
        &mut self,
        keys: &[SnapshotKey],
    ) -> Result<Vec<(SnapshotKey, Vec<u8>)>, RowsError> {
        let done = versions::read_snapshots(self.connection.sqlite(), keys).await;
        done.map_err(self.failed(format!("read {} snapshots", keys.len())))
    }

    async fn edges_out(
        &mut self,
        from: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let done = edges::read(self.connection.sqlite(), End::From, from, kinds, page).await;
        done.map_err(self.failed(format!("read the edges that start at {} nodes", from.len())))
    }

    async fn edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let done = edges::read(self.connection.sqlite(), End::To, to, kinds, page).await;
        done.map_err(self.failed(format!("read the edges that lead to {} nodes", to.len())))
    }

    async fn past_edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        after: Option<(NodeId, Word, NodeId)>,
        limit: usize,
    ) -> Result<Vec<(NodeId, Word, NodeId)>, RowsError> {
        let done = edges::read_past(self.connection.sqlite(), to, kinds, after, limit).await;
        done.map_err(self.failed(format!(
            "read the past edges that led to {} nodes",
            to.len()
        )))
    }

    async fn aliases(&mut self, nodes: &[NodeId]) -> Result<Vec<AliasRow>, RowsError> {
        let done = aliases::read(self.connection.sqlite(), nodes).await;
        done.map_err(self.failed(format!("read the aliases of {} nodes", nodes.len())))
    }

    async fn aliases_by_value(&mut self, values: &[String]) -> Result<Vec<AliasRow>, RowsError> {
        let done = aliases::read_by_value(self.connection.sqlite(), values).await;
        done.map_err(self.failed(format!("look up {} aliases", values.len())))
    }

    async fn past_owners(&mut self, values: &[String]) -> Result<Vec<(String, NodeId)>, RowsError> {
        let done = aliases::read_past(self.connection.sqlite(), values).await;
        done.map_err(self.failed(format!("look up {} past aliases", values.len())))
    }

    async fn aliases_of_kinds(
        &mut self,
        kinds: &[Word],
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<AliasRow>, RowsError> {
        let done = aliases::read_of_kinds(self.connection.sqlite(), kinds, after, limit).await;
        done.map_err(self.failed(format!("read the aliases of {limit} nodes")))
    }

    async fn scopes(&mut self, names: Option<&[Word]>) -> Result<Vec<ScopeRow>, RowsError> {
        let done = scopes::read(self.connection.sqlite(), names).await;
        done.map_err(self.failed("read scopes"))
    }

    async fn words_with_prefix(&mut self, prefix: &str) -> Result<Vec<Word>, RowsError> {
        let done = SessionWords::with_prefix(self.connection.sqlite(), prefix).await;
        done.map_err(self.failed("read the words with a prefix"))
    }

    async fn members(&mut self, scope: ScopeKey, hash: u64) -> Result<Option<Vec<u8>>, RowsError> {
        let done = scopes::read_members(self.connection.sqlite(), scope, hash).await;
        done.map_err(self.failed("read the members of a scan"))
    }

    async fn contested(&mut self, scope: ScopeKey) -> Result<Vec<NodeId>, RowsError> {
        let done = scopes::read_contested(self.connection.sqlite(), scope).await;
        done.map_err(self.failed("read the contested nodes of a scope"))
    }

    async fn list(
        &mut self,
        filter: &RowFilter,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<NodeId>, RowsError> {
        let done = list::list(self.connection.sqlite(), filter, after, limit).await;
        done.map_err(self.failed(format!("list {limit} nodes")))
    }

    async fn find_text(
        &mut self,
        text: &str,
        how: TextMatch,
        current: bool,
        limit: usize,
    ) -> Result<FoundTexts, RowsError> {
        let done = texts::find(self.connection.sqlite(), text, how, current, limit).await;
        done.map_err(self.failed(format!("look for {limit} texts")))
    }

    async fn texts_of(&mut self, nodes: &[NodeId]) -> Result<Vec<TextRow>, RowsError> {
        let done = texts::of_nodes(self.connection.sqlite(), nodes).await;
        done.map_err(self.failed(format!("read the texts of {} nodes", nodes.len())))
    }

    async fn counts(&mut self) -> Result<Vec<CountRow>, RowsError> {
        let done = stats::read_counts(self.connection.sqlite()).await;
        done.map_err(self.failed("read the counts of nodes"))
    }

    async fn edge_stats(
        &mut self,
        resolution: Resolution,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStatsRow>, RowsError> {
        let done = stats::read_edges(self.connection.sqlite(), resolution, from, to).await;
        done.map_err(self.failed("read the statistics of edges"))
    }

    async fn oldest_edge_stats(
        &mut self,
        resolution: Resolution,
    ) -> Result<Option<UnixNanos>, RowsError> {
        let done = stats::oldest(self.connection.sqlite(), resolution).await;
        done.map_err(self.failed("find the oldest statistics of edges"))
    }

    async fn last_edge_stats(
        &mut self,
        nodes: &[NodeId],
    ) -> Result<Vec<(NodeId, UnixNanos)>, RowsError> {
        let done = stats::read_ends(self.connection.sqlite(), nodes).await;
        done.map_err(self.failed("find the last statistics of nodes"))
    }

    async fn records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<Vec<RecordRow>, RowsError> {
        let done = records::read(self.connection.sqlite(), keys).await;
        done.map_err(self.failed(format!("read {} records", keys.len())))
    }

    async fn records_of(
        &mut self,
        uids: &[String],
        signals: &[Word],
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let done = records::read_of(self.connection.sqlite(), uids, signals, from, to, limit).await;
        done.map_err(self.failed(format!("read the records of {} uids", uids.len())))
    }

    async fn record_page(&mut self, page: &RecordPage) -> Result<Vec<RecordRow>, RowsError> {
        let done = records::read_page(self.connection.sqlite(), page).await;
        done.map_err(self.failed(format!("read {} records", page.limit)))
    }

    async fn old_records(
        &mut self,
        signal: Word,
        time: RecordTime,
        before: UnixNanos,
        after: Option<(UnixNanos, String)>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let done =
            records::read_old(self.connection.sqlite(), signal, time, before, after, limit).await;
        done.map_err(self.failed(format!("read {limit} old records")))
    }

    async fn state(&mut self, name: &str) -> Result<Option<Vec<u8>>, RowsError> {
        let done = housekeeping::state(self.connection.sqlite(), name).await;
        done.map_err(self.failed(format!("read the value {name}")))
    }

    async fn node_page(&mut self, after: NodeId, limit: usize) -> Result<Vec<NodeId>, RowsError> {
        let done =
            housekeeping::node_page(self.connection.sqlite(), &self.new_nodes, after, limit).await;
        done.map_err(self.failed(format!("read the numbers of {limit} nodes")))
    }

    async fn versions_of(&mut self, nodes: &[NodeId]) -> Result<Vec<VersionRow>, RowsError> {
        let done = housekeeping::versions_of(self.connection.sqlite(), nodes).await;
        done.map_err(self.failed(format!("read the versions of {} nodes", nodes.len())))
    }
}
