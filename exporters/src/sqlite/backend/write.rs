//! The writes of a session.

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::store::rows::{
    AliasKey, AliasRow, ClaimKey, ClaimRow, CountRow, EdgeKey, EdgeRow, EdgeStatsRow, NodeId,
    NodeRow, RecordRow, RowsError, ScopeKey, ScopeRow, SnapshotKey, StatsEdge, StatsResolution,
    TextField, TextRow, VersionKey, VersionRow, Word, WriteRows,
};

use super::session::SqliteSession;
use super::{
    aliases, claims, commits, edges, housekeeping, nodes, records, scopes, stats, texts, versions,
};

#[async_trait]
impl WriteRows for SqliteSession {
    async fn words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        let result = self
            .words
            .find_or_add(self.connection.sqlite(), texts)
            .await;
        self.check_write(result, format!("assign numbers to {} words", texts.len()))
    }

    async fn node_ids(&mut self, uids: &[String]) -> Result<Vec<(NodeId, bool)>, RowsError> {
        let result = nodes::assign_ids(self.connection.sqlite(), &mut self.new_nodes, uids).await;
        self.check_write(result, format!("assign numbers to {} uids", uids.len()))
    }

    async fn put_nodes(&mut self, rows: &[NodeRow]) -> Result<(), RowsError> {
        let result = nodes::put(self.connection.sqlite(), &mut self.new_nodes, rows).await;
        self.check_write(result, format!("write {} nodes", rows.len()))
    }

    async fn put_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError> {
        let result = claims::put(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} claims", rows.len()))
    }

    async fn put_past_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError> {
        let result = claims::put_past(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} past claims", rows.len()))
    }

    async fn remove_claims(&mut self, keys: &[(ClaimKey, UnixNanos)]) -> Result<(), RowsError> {
        let result = claims::remove(self.connection.sqlite(), keys).await;
        self.check_write(result, format!("remove {} claims", keys.len()))
    }

    async fn put_versions(&mut self, rows: &[VersionRow]) -> Result<(), RowsError> {
        let result = versions::put(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} versions", rows.len()))
    }

    async fn put_snapshots(&mut self, rows: &[(SnapshotKey, Vec<u8>)]) -> Result<(), RowsError> {
        let result = versions::put_snapshots(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} snapshots", rows.len()))
    }

    async fn put_edges(&mut self, rows: &[EdgeRow]) -> Result<(), RowsError> {
        let result = edges::put(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} edges", rows.len()))
    }

    async fn observe_edges(&mut self, rows: &[EdgeRow]) -> Result<Vec<bool>, RowsError> {
        let result = edges::observe(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} edge observations", rows.len()))
    }

    async fn remove_edges(&mut self, keys: &[EdgeKey]) -> Result<(), RowsError> {
        let result = edges::remove(self.connection.sqlite(), keys).await;
        self.check_write(result, format!("remove {} edges", keys.len()))
    }

    async fn put_past_edges(&mut self, edges: &[(NodeId, Word, NodeId)]) -> Result<(), RowsError> {
        let result = edges::put_past(self.connection.sqlite(), edges).await;
        self.check_write(result, format!("write {} past edges", edges.len()))
    }

    async fn put_aliases(&mut self, rows: &[AliasRow]) -> Result<(), RowsError> {
        let result = aliases::put(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} aliases", rows.len()))
    }

    async fn observe_aliases(&mut self, rows: &[AliasRow]) -> Result<Vec<bool>, RowsError> {
        let result = aliases::observe(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} alias observations", rows.len()))
    }

    async fn remove_aliases(&mut self, keys: &[AliasKey]) -> Result<(), RowsError> {
        let result = aliases::remove(self.connection.sqlite(), keys).await;
        self.check_write(result, format!("remove {} aliases", keys.len()))
    }

    async fn put_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError> {
        let result = aliases::put_past(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} past aliases", rows.len()))
    }

    async fn put_scopes(&mut self, rows: &[ScopeRow]) -> Result<(), RowsError> {
        let result = scopes::put(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} scopes", rows.len()))
    }

    async fn put_members(
        &mut self,
        scope: &ScopeRow,
        members: &[(u64, Vec<u8>)],
    ) -> Result<(), RowsError> {
        let result = scopes::put_members(self.connection.sqlite(), scope, members).await;
        self.check_write(result, "write the members of a scan")
    }

    async fn remove_scopes(&mut self, keys: &[ScopeKey]) -> Result<(), RowsError> {
        let result = scopes::remove(self.connection.sqlite(), keys).await;
        self.check_write(result, format!("remove {} scopes", keys.len()))
    }

    async fn put_contested(&mut self, rows: &[(ScopeKey, NodeId)]) -> Result<(), RowsError> {
        let result = scopes::put_contested(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} contested nodes", rows.len()))
    }

    async fn remove_contested(&mut self, nodes: &[NodeId]) -> Result<(), RowsError> {
        let result = scopes::remove_contested(self.connection.sqlite(), nodes).await;
        self.check_write(result, format!("remove {} contested nodes", nodes.len()))
    }

    async fn put_texts(
        &mut self,
        nodes: &[(NodeId, TextField)],
        rows: &[TextRow],
    ) -> Result<(), RowsError> {
        let (new_nodes, new_texts) = (&self.new_nodes, &mut self.new_texts);
        let result = texts::put(self.connection.sqlite(), new_nodes, new_texts, nodes, rows).await;
        self.check_write(result, format!("write {} texts", rows.len()))
    }

    async fn add_counts(&mut self, changes: &[CountRow]) -> Result<(), RowsError> {
        let result = stats::add_counts(self.connection.sqlite(), changes).await;
        self.check_write(result, format!("write {} counts of nodes", changes.len()))
    }

    async fn put_edge_stats(
        &mut self,
        resolution: StatsResolution,
        rows: &[EdgeStatsRow],
    ) -> Result<(), RowsError> {
        let result = stats::put_edges(self.connection.sqlite(), resolution, rows).await;
        self.check_write(
            result,
            format!("write {} rows of edge statistics", rows.len()),
        )
    }

    async fn remove_edge_stats(
        &mut self,
        resolution: StatsResolution,
        edges: &[StatsEdge],
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<(), RowsError> {
        let result =
            stats::remove_edges(self.connection.sqlite(), resolution, edges, from, to).await;
        self.check_write(
            result,
            format!("remove the statistics of {} edges", edges.len()),
        )
    }

    async fn put_records(&mut self, rows: &[RecordRow]) -> Result<(), RowsError> {
        let result = records::put(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("write {} records", rows.len()))
    }

    async fn remove_records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<(), RowsError> {
        let result = records::remove(self.connection.sqlite(), keys).await;
        self.check_write(result, format!("remove {} records", keys.len()))
    }

    async fn put_state(&mut self, name: &str, value: &[u8]) -> Result<(), RowsError> {
        let result = housekeeping::put_state(self.connection.sqlite(), name, value).await;
        self.check_write(result, format!("write the stored value {name}"))
    }

    async fn remove_versions(&mut self, keys: &[VersionKey]) -> Result<(), RowsError> {
        let result = housekeeping::remove_versions(self.connection.sqlite(), keys).await;
        self.check_write(result, format!("remove {} versions", keys.len()))
    }

    async fn remove_snapshots(&mut self, keys: &[SnapshotKey]) -> Result<(), RowsError> {
        let result = housekeeping::remove_snapshots(self.connection.sqlite(), keys).await;
        self.check_write(result, format!("remove {} snapshots", keys.len()))
    }

    async fn remove_past_edges(
        &mut self,
        edges: &[(NodeId, Word, NodeId)],
    ) -> Result<(), RowsError> {
        let result = housekeeping::remove_past_edges(self.connection.sqlite(), edges).await;
        self.check_write(result, format!("remove {} past edges", edges.len()))
    }

    async fn remove_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError> {
        let result = housekeeping::remove_past_aliases(self.connection.sqlite(), rows).await;
        self.check_write(result, format!("remove {} past aliases", rows.len()))
    }

    async fn remove_nodes(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        let result =
            housekeeping::remove_nodes(self.connection.sqlite(), &mut self.new_nodes, ids).await;
        self.check_write(result, format!("remove {} nodes", ids.len()))
    }

    async fn remove_commits(&mut self, up_to: u64, limit: usize) -> Result<usize, RowsError> {
        let result = housekeeping::remove_commits(self.connection.sqlite(), up_to, limit).await;
        self.check_write(
            result,
            format!("remove {limit} commits from the commit log"),
        )
    }

    async fn append_commit(&mut self, commit: &[u8]) -> Result<u64, RowsError> {
        let result = commits::append(self.connection.sqlite(), commit).await;
        self.check_write(result, "append to the commit log")
    }

    async fn commit(mut self) -> Result<(), RowsError> {
        if let Some(is_retryable) = self.failed_write_is_retryable {
            return Err(RowsError {
                action: "commit".to_owned(),
                is_retryable,
                source: "an earlier write of the transaction failed".into(),
            });
        }
        let flushed = self.new_nodes.flush(self.connection.sqlite()).await;
        flushed.map_err(self.rows_error("write new nodes"))?;
        self.connection.commit().await?;
        self.words.share();
        Ok(())
    }
}
