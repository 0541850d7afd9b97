//! What a session writes.

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::store::rows::{
    AliasKey, AliasRow, ClaimKey, ClaimRow, CountRow, EdgeKey, EdgeRow, EdgeStatsRow, NodeId,
    NodeRow, RecordRow, Resolution, RowsError, ScopeKey, ScopeRow, SnapshotKey, StatsEdge,
    TextField, TextRow, VersionKey, VersionRow, Word, WriteRows,
};

use super::session::Session;
use super::{
    aliases, claims, commits, edges, housekeeping, nodes, records, scopes, stats, texts, versions,
};

#[async_trait]
impl WriteRows for Session {
    async fn words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        let done = self.words.make(self.connection.sqlite(), texts).await;
        self.written(done, format!("number {} words", texts.len()))
    }

    async fn node_ids(&mut self, uids: &[String]) -> Result<Vec<(NodeId, bool)>, RowsError> {
        let done = nodes::number(self.connection.sqlite(), &mut self.new_nodes, uids).await;
        self.written(done, format!("number {} uids", uids.len()))
    }

    async fn put_nodes(&mut self, rows: &[NodeRow]) -> Result<(), RowsError> {
        let done = nodes::put(self.connection.sqlite(), &mut self.new_nodes, rows).await;
        self.written(done, format!("write {} nodes", rows.len()))
    }

    async fn put_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError> {
        let done = claims::put(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} claims", rows.len()))
    }

    async fn put_past_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError> {
        let done = claims::put_past(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} past claims", rows.len()))
    }

    async fn remove_claims(&mut self, keys: &[(ClaimKey, UnixNanos)]) -> Result<(), RowsError> {
        let done = claims::remove(self.connection.sqlite(), keys).await;
        self.written(done, format!("remove {} claims", keys.len()))
    }

    async fn put_versions(&mut self, rows: &[VersionRow]) -> Result<(), RowsError> {
        let done = versions::put(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} versions", rows.len()))
    }

    async fn put_snapshots(&mut self, rows: &[(SnapshotKey, Vec<u8>)]) -> Result<(), RowsError> {
        let done = versions::put_snapshots(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} snapshots", rows.len()))
    }

    async fn put_edges(&mut self, rows: &[EdgeRow]) -> Result<(), RowsError> {
        let done = edges::put(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} edges", rows.len()))
    }

    async fn observe_edges(&mut self, rows: &[EdgeRow]) -> Result<Vec<bool>, RowsError> {
        let done = edges::observe(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} observations of edges", rows.len()))
    }

    async fn remove_edges(&mut self, keys: &[EdgeKey]) -> Result<(), RowsError> {
        let done = edges::remove(self.connection.sqlite(), keys).await;
        self.written(done, format!("remove {} edges", keys.len()))
    }

    async fn put_past_edges(&mut self, edges: &[(NodeId, Word, NodeId)]) -> Result<(), RowsError> {
        let done = edges::put_past(self.connection.sqlite(), edges).await;
        self.written(done, format!("write {} past edges", edges.len()))
    }

    async fn put_aliases(&mut self, rows: &[AliasRow]) -> Result<(), RowsError> {
        let done = aliases::put(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} aliases", rows.len()))
    }

    async fn observe_aliases(&mut self, rows: &[AliasRow]) -> Result<Vec<bool>, RowsError> {
        let done = aliases::observe(self.connection.sqlite(), rows).await;
        self.written(
            done,
            format!("write {} observations of aliases", rows.len()),
        )
    }

    async fn remove_aliases(&mut self, keys: &[AliasKey]) -> Result<(), RowsError> {
        let done = aliases::remove(self.connection.sqlite(), keys).await;
        self.written(done, format!("remove {} aliases", keys.len()))
    }

    async fn put_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError> {
        let done = aliases::put_past(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} past aliases", rows.len()))
    }

    async fn put_scopes(&mut self, rows: &[ScopeRow]) -> Result<(), RowsError> {
        let done = scopes::put(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} scopes", rows.len()))
    }

    async fn put_members(
        &mut self,
        scope: &ScopeRow,
        members: &[(u64, Vec<u8>)],
    ) -> Result<(), RowsError> {
        let done = scopes::put_members(self.connection.sqlite(), scope, members).await;
        self.written(done, "write the members of a scan")
    }

    async fn remove_scopes(&mut self, keys: &[ScopeKey]) -> Result<(), RowsError> {
        let done = scopes::remove(self.connection.sqlite(), keys).await;
        self.written(done, format!("remove {} scopes", keys.len()))
    }

    async fn put_contested(&mut self, rows: &[(ScopeKey, NodeId)]) -> Result<(), RowsError> {
        let done = scopes::put_contested(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} contested nodes", rows.len()))
    }

    async fn remove_contested(&mut self, nodes: &[NodeId]) -> Result<(), RowsError> {
        let done = scopes::remove_contested(self.connection.sqlite(), nodes).await;
        self.written(done, format!("remove {} contested nodes", nodes.len()))
    }

    async fn put_texts(
        &mut self,
        nodes: &[(NodeId, TextField)],
        rows: &[TextRow],
    ) -> Result<(), RowsError> {
        let (new_nodes, new_texts) = (&self.new_nodes, &mut self.new_texts);
        let done = texts::put(self.connection.sqlite(), new_nodes, new_texts, nodes, rows).await;
        self.written(done, format!("write {} texts", rows.len()))
    }

    async fn add_counts(&mut self, changes: &[CountRow]) -> Result<(), RowsError> {
        let done = stats::add_counts(self.connection.sqlite(), changes).await;
        self.written(done, format!("write {} counts of nodes", changes.len()))
    }

    async fn put_edge_stats(
        &mut self,
        resolution: Resolution,
        rows: &[EdgeStatsRow],
    ) -> Result<(), RowsError> {
        let done = stats::put_edges(self.connection.sqlite(), resolution, rows).await;
        self.written(done, format!("write {} statistics of edges", rows.len()))
    }

    async fn remove_edge_stats(
        &mut self,
        resolution: Resolution,
        edges: &[StatsEdge],
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<(), RowsError> {
        let done = stats::remove_edges(self.connection.sqlite(), resolution, edges, from, to).await;
        self.written(
            done,
            format!("remove the statistics of {} edges", edges.len()),
        )
    }

    async fn put_records(&mut self, rows: &[RecordRow]) -> Result<(), RowsError> {
        let done = records::put(self.connection.sqlite(), rows).await;
        self.written(done, format!("write {} records", rows.len()))
    }

    async fn remove_records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<(), RowsError> {
        let done = records::remove(self.connection.sqlite(), keys).await;
        self.written(done, format!("remove {} records", keys.len()))
    }

    async fn put_state(&mut self, name: &str, value: &[u8]) -> Result<(), RowsError> {
        let done = housekeeping::put_state(self.connection.sqlite(), name, value).await;
        self.written(done, format!("write the value {name}"))
    }

    async fn remove_versions(&mut self, keys: &[VersionKey]) -> Result<(), RowsError> {
        let done = housekeeping::remove_versions(self.connection.sqlite(), keys).await;
        self.written(done, format!("remove {} versions", keys.len()))
    }

    async fn remove_snapshots(&mut self, keys: &[SnapshotKey]) -> Result<(), RowsError> {
        let done = housekeeping::remove_snapshots(self.connection.sqlite(), keys).await;
        self.written(done, format!("remove {} snapshots", keys.len()))
    }

    async fn remove_past_edges(
        &mut self,
        edges: &[(NodeId, Word, NodeId)],
    ) -> Result<(), RowsError> {
        let done = housekeeping::remove_past_edges(self.connection.sqlite(), edges).await;
        self.written(done, format!("remove {} past edges", edges.len()))
    }

    async fn remove_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError> {
        let done = housekeeping::remove_past_aliases(self.connection.sqlite(), rows).await;
        self.written(done, format!("remove {} past aliases", rows.len()))
    }

    async fn remove_nodes(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        let done =
            housekeeping::remove_nodes(self.connection.sqlite(), &mut self.new_nodes, ids).await;
        self.written(done, format!("remove {} nodes", ids.len()))
    }

    async fn remove_commits(&mut self, up_to: u64, limit: usize) -> Result<usize, RowsError> {
        let done = housekeeping::remove_commits(self.connection.sqlite(), up_to, limit).await;
        self.written(done, format!("remove {limit} commits from the log"))
    }

    async fn append_commit(&mut self, commit: &[u8]) -> Result<u64, RowsError> {
        let done = commits::append(self.connection.sqlite(), commit).await;
        self.written(done, "append to the log of commits")
    }

    async fn commit(mut self) -> Result<(), RowsError> {
        if let Some(is_retryable) = self.broken {
            return Err(RowsError {
                action: "commit".to_owned(),
                is_retryable,
                source: "a write before it failed".into(),
            });
        }
        let flushed = self.new_nodes.flush(self.connection.sqlite()).await;
        flushed.map_err(self.failed("write new nodes"))?;
        self.connection.commit().await?;
        self.words.share();
        Ok(())
    }
}
