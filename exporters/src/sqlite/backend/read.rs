//! What a session reads.

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::store::rows::{
    AliasRow, ClaimRow, CountRow, EdgePage, EdgeRow, EdgeStatsRow, NodeId, NodeRow, Projection,
    ReadRows, RecordPage, RecordRow, RecordTime, Resolution, RowFilter, RowsError, ScopeKey,
    ScopeRow, SnapshotKey, TextMatch, TextRow, VersionKey, VersionRow, Word,
};

use super::edges::End;
use super::session::{Session, failed};
use super::words::SessionWords;
use super::{
    aliases, claims, edges, housekeeping, list, nodes, records, scopes, stats, texts, versions,
};

#[async_trait]
impl ReadRows for Session {
    async fn find_words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        let done = self.words.find(&mut self.transaction, texts).await;
        done.map_err(failed(format!("look up {} words", texts.len())))
    }

    async fn texts(&mut self, words: &[Word]) -> Result<Vec<String>, RowsError> {
        let done = self.words.texts(&mut self.transaction, words).await;
        done.map_err(failed(format!("read {} words", words.len())))
    }

    async fn find_nodes(&mut self, uids: &[String]) -> Result<Vec<Option<NodeId>>, RowsError> {
        let done = nodes::find(&mut self.transaction, &self.new_nodes, uids).await;
        done.map_err(failed(format!("look up {} uids", uids.len())))
    }

    async fn nodes(
        &mut self,
        ids: &[NodeId],
        projection: Projection,
    ) -> Result<Vec<NodeRow>, RowsError> {
        let done = nodes::read(&mut self.transaction, &self.new_nodes, ids, projection).await;
        done.map_err(failed(format!("read {} nodes", ids.len())))
    }

    async fn merged_into(&mut self, ids: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>, RowsError> {
        let done = nodes::merged_into(&mut self.transaction, ids).await;
        done.map_err(failed(format!(
            "read the other names of {} nodes",
            ids.len()
        )))
    }

    async fn claims(&mut self, nodes: &[NodeId]) -> Result<Vec<ClaimRow>, RowsError> {
        let done = claims::read(&mut self.transaction, nodes).await;
        done.map_err(failed(format!("read the claims of {} nodes", nodes.len())))
    }

    async fn past_claims(
        &mut self,
        nodes: &[NodeId],
        since: UnixNanos,
    ) -> Result<Vec<ClaimRow>, RowsError> {
        let done = claims::read_past(&mut self.transaction, nodes, since).await;
        done.map_err(failed(format!(
            "read the past claims of {} nodes",
            nodes.len()
        )))
    }

    async fn open_claims(
        &mut self,
        scope: ScopeKey,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<(u64, ClaimRow)>, RowsError> {
        let done =
            claims::read_open(&mut self.transaction, &self.new_nodes, scope, after, limit).await;
        done.map_err(failed(format!("read {limit} open claims of a scope")))
    }

    async fn ended_claims(
        &mut self,
        scope: ScopeKey,
        since: UnixNanos,
    ) -> Result<Vec<(u64, NodeId)>, RowsError> {
        let done = claims::ended_since(&mut self.transaction, &self.new_nodes, scope, since).await;
        done.map_err(failed("read the ended claims of a scope"))
    }

    async fn nodes_by_hash(&mut self, hashes: &[u64]) -> Result<Vec<(u64, NodeId)>, RowsError> {
        let done = nodes::by_hash(&mut self.transaction, &self.new_nodes, hashes).await;
        done.map_err(failed(format!("look up {} hashes of uids", hashes.len())))
    }

    async fn versions(
        &mut self,
        keys: &[VersionKey],
        projection: Projection,
    ) -> Result<Vec<VersionRow>, RowsError> {
        let done = versions::read(&mut self.transaction, keys, projection).await;
        done.map_err(failed(format!("read {} versions", keys.len())))
    }

    async fn snapshots(
        &mut self,
        keys: &[SnapshotKey],
    ) -> Result<Vec<(SnapshotKey, Vec<u8>)>, RowsError> {
        let done = versions::read_snapshots(&mut self.transaction, keys).await;
        done.map_err(failed(format!("read {} snapshots", keys.len())))
    }

    async fn edges_out(
        &mut self,
        from: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let done = edges::read(&mut self.transaction, End::From, from, kinds, page).await;
        done.map_err(failed(format!(
            "read the edges that start at {} nodes",
            from.len()
        )))
    }

    async fn edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let done = edges::read(&mut self.transaction, End::To, to, kinds, page).await;
        done.map_err(failed(format!(
            "read the edges that lead to {} nodes",
            to.len()
        )))
    }

    async fn past_edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        after: Option<(NodeId, Word, NodeId)>,
        limit: usize,
    ) -> Result<Vec<(NodeId, Word, NodeId)>, RowsError> {
        let done = edges::read_past(&mut self.transaction, to, kinds, after, limit).await;
        done.map_err(failed(format!(
            "read the past edges that led to {} nodes",
            to.len()
        )))
    }

    async fn aliases(&mut self, nodes: &[NodeId]) -> Result<Vec<AliasRow>, RowsError> {
        let done = aliases::read(&mut self.transaction, nodes).await;
        done.map_err(failed(format!("read the aliases of {} nodes", nodes.len())))
    }

    async fn aliases_by_value(&mut self, values: &[String]) -> Result<Vec<AliasRow>, RowsError> {
        let done = aliases::read_by_value(&mut self.transaction, values).await;
        done.map_err(failed(format!("look up {} aliases", values.len())))
    }

    async fn past_owners(&mut self, values: &[String]) -> Result<Vec<(String, NodeId)>, RowsError> {
        let done = aliases::read_past(&mut self.transaction, values).await;
        done.map_err(failed(format!("look up {} past aliases", values.len())))
    }

    async fn aliases_of_kinds(
        &mut self,
        kinds: &[Word],
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<AliasRow>, RowsError> {
        let done = aliases::read_of_kinds(&mut self.transaction, kinds, after, limit).await;
        done.map_err(failed(format!("read the aliases of {limit} nodes")))
    }

    async fn scopes(&mut self, names: Option<&[Word]>) -> Result<Vec<ScopeRow>, RowsError> {
        let done = scopes::read(&mut self.transaction, names).await;
        done.map_err(failed("read scopes"))
    }

    async fn words_with_prefix(&mut self, prefix: &str) -> Result<Vec<Word>, RowsError> {
        let done = SessionWords::with_prefix(&mut self.transaction, prefix).await;
        done.map_err(failed("read the words with a prefix"))
    }

    async fn members(&mut self, scope: ScopeKey, hash: u64) -> Result<Option<Vec<u8>>, RowsError> {
        let done = scopes::read_members(&mut self.transaction, scope, hash).await;
        done.map_err(failed("read the members of a scan"))
    }

    async fn contested(&mut self, scope: ScopeKey) -> Result<Vec<NodeId>, RowsError> {
        let done = scopes::read_contested(&mut self.transaction, scope).await;
        done.map_err(failed("read the contested nodes of a scope"))
    }

    async fn list(
        &mut self,
        filter: &RowFilter,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<NodeId>, RowsError> {
        let done = list::list(&mut self.transaction, filter, after, limit).await;
        done.map_err(failed(format!("list {limit} nodes")))
    }

    async fn find_text(
        &mut self,
        text: &str,
        how: TextMatch,
        current: bool,
        limit: usize,
    ) -> Result<Vec<TextRow>, RowsError> {
        let done = texts::find(&mut self.transaction, text, how, current, limit).await;
        done.map_err(failed(format!("look for {limit} texts")))
    }

    async fn counts(&mut self) -> Result<Vec<CountRow>, RowsError> {
        let done = stats::read_counts(&mut self.transaction).await;
        done.map_err(failed("read the counts of nodes"))
    }

    async fn edge_stats(
        &mut self,
        resolution: Resolution,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStatsRow>, RowsError> {
        let done = stats::read_edges(&mut self.transaction, resolution, from, to).await;
        done.map_err(failed("read the statistics of edges"))
    }

    async fn oldest_edge_stats(
        &mut self,
        resolution: Resolution,
    ) -> Result<Option<UnixNanos>, RowsError> {
        let done = stats::oldest(&mut self.transaction, resolution).await;
        done.map_err(failed("find the oldest statistics of edges"))
    }

    async fn last_edge_stats(
        &mut self,
        nodes: &[NodeId],
    ) -> Result<Vec<(NodeId, UnixNanos)>, RowsError> {
        let done = stats::read_ends(&mut self.transaction, nodes).await;
        done.map_err(failed("find the last statistics of nodes"))
    }

    async fn records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<Vec<RecordRow>, RowsError> {
        let done = records::read(&mut self.transaction, keys).await;
        done.map_err(failed(format!("read {} records", keys.len())))
    }

    async fn records_of(
        &mut self,
        uids: &[String],
        signals: &[Word],
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let done = records::read_of(&mut self.transaction, uids, signals, from, to, limit).await;
        done.map_err(failed(format!("read the records of {} uids", uids.len())))
    }

    async fn record_page(&mut self, page: &RecordPage) -> Result<Vec<RecordRow>, RowsError> {
        let done = records::read_page(&mut self.transaction, page).await;
        done.map_err(failed(format!("read {} records", page.limit)))
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
            records::read_old(&mut self.transaction, signal, time, before, after, limit).await;
        done.map_err(failed(format!("read {limit} old records")))
    }

    async fn state(&mut self, name: &str) -> Result<Option<Vec<u8>>, RowsError> {
        let done = housekeeping::state(&mut self.transaction, name).await;
        done.map_err(failed(format!("read the value {name}")))
    }

    async fn node_page(&mut self, after: NodeId, limit: usize) -> Result<Vec<NodeId>, RowsError> {
        let done =
            housekeeping::node_page(&mut self.transaction, &self.new_nodes, after, limit).await;
        done.map_err(failed(format!("read the numbers of {limit} nodes")))
    }

    async fn versions_of(&mut self, nodes: &[NodeId]) -> Result<Vec<VersionRow>, RowsError> {
        let done = housekeeping::versions_of(&mut self.transaction, nodes).await;
        done.map_err(failed(format!(
            "read the versions of {} nodes",
            nodes.len()
        )))
    }
}
