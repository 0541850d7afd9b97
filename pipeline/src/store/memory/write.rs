//! Implements [`WriteRows`] and [`LeaseRows`] on the tables of the session.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use async_trait::async_trait;

use super::backend::{MemorySession, WriteAccess};
use super::tables::{EdgeStatsKey, record_key};
use crate::component::UnixNanos;
use crate::store::rows::{
    AliasKey, AliasRow, ClaimKey, ClaimRow, CountRow, EdgeKey, EdgeRow, EdgeStatsRow, LeaseRow,
    LeaseRows, NodeId, NodeRow, RecordRow, RowsError, ScopeKey, ScopeRow, SnapshotKey, StatsEdge,
    StatsResolution, TextField, TextRow, VersionKey, VersionRow, Word, WriteRows,
};

#[async_trait]
impl WriteRows for MemorySession<WriteAccess> {
    async fn words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        let tables = self.tables_mut();
        Ok(texts.iter().map(|text| tables.make_word(text)).collect())
    }

    async fn node_ids(&mut self, uids: &[String]) -> Result<Vec<(NodeId, bool)>, RowsError> {
        let tables = self.tables_mut();
        Ok(uids.iter().map(|uid| tables.make_node(uid)).collect())
    }

    async fn put_nodes(&mut self, rows: &[NodeRow]) -> Result<(), RowsError> {
        let rows = rows.iter().map(|row| (row.id, row.clone()));
        self.tables_mut().nodes.extend(rows);
        Ok(())
    }

    async fn put_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError> {
        let rows = rows.iter().map(|row| (row.key, row.interval.clone()));
        self.tables_mut().claims.extend(rows);
        Ok(())
    }

    async fn put_past_claims(&mut self, rows: &[ClaimRow]) -> Result<(), RowsError> {
        let rows = rows.iter().map(|row| {
            let key = (row.key, row.interval.since);
            (key, row.interval.clone())
        });
        self.tables_mut().past_claims.extend(rows);
        Ok(())
    }

    async fn remove_claims(&mut self, keys: &[(ClaimKey, UnixNanos)]) -> Result<(), RowsError> {
        let tables = self.tables_mut();
        for (key, since) in keys {
            tables.past_claims.remove(&(*key, *since));
            let last = tables.claims.get(key);
            if last.is_some_and(|last| last.since == *since) {
                tables.claims.remove(key);
            }
        }
        Ok(())
    }

    async fn put_versions(&mut self, rows: &[VersionRow]) -> Result<(), RowsError> {
        let tables = self.tables_mut();
        for row in rows {
            let kept = tables.versions.entry(row.key).or_insert(VersionRow {
                key: row.key,
                content: None,
                edges: None,
                aliases: None,
                written: UnixNanos(0),
            });
            kept.written = kept.written.max(row.written);
            kept.content = kept.content.take().or_else(|| row.content.clone());
            kept.edges = kept.edges.or(row.edges);
            kept.aliases = kept.aliases.or(row.aliases);
        }
        Ok(())
    }

    async fn put_snapshots(&mut self, rows: &[(SnapshotKey, Vec<u8>)]) -> Result<(), RowsError> {
        let tables = self.tables_mut();
        for (key, bytes) in rows {
            let kept = tables.snapshots.entry(*key);
            kept.or_insert_with(|| bytes.clone());
        }
        Ok(())
    }

    async fn put_edges(&mut self, rows: &[EdgeRow]) -> Result<(), RowsError> {
        let rows = rows.iter().map(|row| (row.key, row.clone()));
        self.tables_mut().edges.extend(rows);
        Ok(())
    }

    async fn observe_edges(&mut self, rows: &[EdgeRow]) -> Result<Vec<bool>, RowsError> {
        let tables = self.tables_mut();
        let mut new = Vec::with_capacity(rows.len());
        for row in rows {
            new.push(match tables.edges.entry(row.key) {
                Entry::Vacant(entry) => {
                    entry.insert(row.clone());
                    true
                }
                Entry::Occupied(mut kept) => {
                    merge_edge(kept.get_mut(), row);
                    false
                }
            });
        }
        Ok(new)
    }

    async fn remove_edges(&mut self, keys: &[EdgeKey]) -> Result<(), RowsError> {
        let tables = self.tables_mut();
        for key in keys {
            if tables.edges.remove(key).is_some() {
                tables.past_edges.insert((key.to, key.kind, key.from));
            }
        }
        Ok(())
    }

    async fn put_past_edges(&mut self, edges: &[(NodeId, Word, NodeId)]) -> Result<(), RowsError> {
        self.tables_mut().past_edges.extend(edges);
        Ok(())
    }

    async fn put_aliases(&mut self, rows: &[AliasRow]) -> Result<(), RowsError> {
        let rows = rows.iter().map(|row| (row.key.clone(), row.clone()));
        self.tables_mut().aliases.extend(rows);
        Ok(())
    }

    async fn observe_aliases(&mut self, rows: &[AliasRow]) -> Result<Vec<bool>, RowsError> {
        let tables = self.tables_mut();
        let mut new = Vec::with_capacity(rows.len());
        for row in rows {
            new.push(match tables.aliases.entry(row.key.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(row.clone());
                    true
                }
                Entry::Occupied(mut kept) => {
                    merge_alias(kept.get_mut(), row);
                    false
                }
            });
        }
        Ok(new)
    }

    async fn remove_aliases(&mut self, keys: &[AliasKey]) -> Result<(), RowsError> {
        let tables = self.tables_mut();
        for key in keys {
            if tables.aliases.remove(key).is_some() {
                tables.past_owners.insert((key.value.clone(), key.node));
            }
        }
        Ok(())
    }

    async fn put_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError> {
        self.tables_mut().past_owners.extend(rows.iter().cloned());
        Ok(())
    }

    async fn put_scopes(&mut self, rows: &[ScopeRow]) -> Result<(), RowsError> {
        let rows = rows.iter().map(|row| (row.key, row.clone()));
        self.tables_mut().scopes.extend(rows);
        Ok(())
    }

    async fn put_members(
        &mut self,
        scope: &ScopeRow,
        members: &[(u64, Vec<u8>)],
    ) -> Result<(), RowsError> {
        let added = members.iter().map(|(hash, bytes)| {
            let key = (scope.key, *hash);
            (key, bytes.clone())
        });
        let tables = self.tables_mut();
        tables.members.extend(added);
        let is_named = |hash: u64| scope.scans.iter().any(|scan| scan.members == hash);
        let is_kept = |(of, hash): &(ScopeKey, u64)| *of != scope.key || is_named(*hash);
        tables.members.retain(|key, _| is_kept(key));
        Ok(())
    }

    async fn remove_scopes(&mut self, keys: &[ScopeKey]) -> Result<(), RowsError> {
        let tables = self.tables_mut();
        tables.scopes.retain(|key, _| !keys.contains(key));
        tables.members.retain(|(key, _), _| !keys.contains(key));
        Ok(())
    }

    async fn put_contested(&mut self, rows: &[(ScopeKey, NodeId)]) -> Result<(), RowsError> {
        self.tables_mut().contested.extend(rows);
        Ok(())
    }

    async fn remove_contested(&mut self, nodes: &[NodeId]) -> Result<(), RowsError> {
        let contested = &mut self.tables_mut().contested;
        contested.retain(|(_, node)| !nodes.contains(node));
        Ok(())
    }

    async fn put_texts(
        &mut self,
        nodes: &[(NodeId, TextField)],
        rows: &[TextRow],
    ) -> Result<(), RowsError> {
        let replaced: BTreeSet<_> = nodes.iter().collect();
        let texts = &mut self.tables_mut().texts;
        texts.retain(|row| !replaced.contains(&(row.node, row.field)));
        texts.extend(rows.iter().cloned());
        Ok(())
    }

    async fn add_counts(&mut self, changes: &[CountRow]) -> Result<(), RowsError> {
        let tables = self.tables_mut();
        for change in changes {
            let key = (change.kind, change.provider);
            *tables.counts.entry(key).or_default() += change.count;
        }
        Ok(())
    }

    async fn put_edge_stats(
        &mut self,
        resolution: StatsResolution,
        rows: &[EdgeStatsRow],
    ) -> Result<(), RowsError> {
        let table = self.tables_mut().edge_stats_mut(resolution);
        for row in rows {
            let entry = table.entry(EdgeStatsKey::of(row));
            let kept = entry.or_insert_with(|| row.clone());
            if is_greater(row, kept) {
                *kept = row.clone();
            }
        }
        Ok(())
    }

    async fn put_records(&mut self, rows: &[RecordRow]) -> Result<(), RowsError> {
        let rows = rows.iter().map(|row| (record_key(row), row.clone()));
        self.tables_mut().records.extend(rows);
        Ok(())
    }

    async fn remove_edge_stats(
        &mut self,
        resolution: StatsResolution,
        edges: &[StatsEdge],
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<(), RowsError> {
        let table = self.tables_mut().edge_stats_mut(resolution);
        table.retain(|key, _| {
            let is_in_span = from <= key.minute && key.minute < to;
            !is_in_span || !edges.contains(&key.edge())
        });
        Ok(())
    }

    async fn remove_records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<(), RowsError> {
        let records = &mut self.tables_mut().records;
        for key in keys {
            records.remove(key);
        }
        Ok(())
    }

    async fn put_state(&mut self, name: &str, value: &[u8]) -> Result<(), RowsError> {
        let state = &mut self.tables_mut().state;
        state.insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    async fn remove_versions(&mut self, keys: &[VersionKey]) -> Result<(), RowsError> {
        let versions = &mut self.tables_mut().versions;
        for key in keys {
            versions.remove(key);
        }
        Ok(())
    }

    async fn remove_snapshots(&mut self, keys: &[SnapshotKey]) -> Result<(), RowsError> {
        let snapshots = &mut self.tables_mut().snapshots;
        for key in keys {
            snapshots.remove(key);
        }
        Ok(())
    }

    async fn remove_past_edges(
        &mut self,
        edges: &[(NodeId, Word, NodeId)],
    ) -> Result<(), RowsError> {
        let past = &mut self.tables_mut().past_edges;
        for edge in edges {
            past.remove(edge);
        }
        Ok(())
    }

    async fn remove_past_aliases(&mut self, rows: &[(String, NodeId)]) -> Result<(), RowsError> {
        let past = &mut self.tables_mut().past_owners;
        for row in rows {
            past.remove(row);
        }
        Ok(())
    }

    async fn remove_nodes(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        let tables = self.tables_mut();
        for id in ids {
            if let Some(row) = tables.nodes.remove(id) {
                tables.nodes_by_uid.remove(&row.uid);
            }
        }
        Ok(())
    }

    async fn remove_commits(&mut self, up_to: u64, limit: usize) -> Result<usize, RowsError> {
        let commits = &mut self.tables_mut().commits;
        let old = commits.keys().copied().filter(|number| *number <= up_to);
        let old: Vec<u64> = old.take(limit).collect();
        for number in &old {
            commits.remove(number);
        }
        Ok(old.len())
    }

    async fn append_commit(&mut self, commit: &[u8]) -> Result<u64, RowsError> {
        let tables = self.tables_mut();
        tables.last_commit += 1;
        let number = tables.last_commit;
        tables.commits.insert(number, commit.to_vec());
        Ok(number)
    }

    async fn commit(self) -> Result<(), RowsError> {
        self.publish();
        Ok(())
    }
}

#[async_trait]
impl LeaseRows for MemorySession<WriteAccess> {
    async fn lease(&mut self, source: Word, scope: Word) -> Result<Option<LeaseRow>, RowsError> {
        Ok(self.tables.leases.get(&(source, scope)).cloned())
    }

    async fn put_lease(&mut self, row: &LeaseRow) -> Result<(), RowsError> {
        let key = (row.source, row.scope);
        self.tables_mut().leases.insert(key, row.clone());
        Ok(())
    }

    async fn remove_lease(&mut self, source: Word, scope: Word) -> Result<(), RowsError> {
        self.tables_mut().leases.remove(&(source, scope));
        Ok(())
    }
}

fn merge_edge(kept: &mut EdgeRow, row: &EdgeRow) {
    if (row.last_seen, &row.properties) > (kept.last_seen, &kept.properties) {
        kept.properties.clone_from(&row.properties);
    }
    kept.confidence = kept.confidence.max(row.confidence);
    kept.first_seen = kept.first_seen.min(row.first_seen);
    kept.last_seen = kept.last_seen.max(row.last_seen);
}

fn merge_alias(kept: &mut AliasRow, row: &AliasRow) {
    let newest = |row: &AliasRow| (row.last_seen, row.valid_from, row.valid_to);
    if newest(row) > newest(kept) {
        (kept.valid_from, kept.valid_to) = (row.valid_from, row.valid_to);
    }
    kept.first_seen = kept.first_seen.min(row.first_seen);
    kept.last_seen = kept.last_seen.max(row.last_seen);
}

fn is_greater(row: &EdgeStatsRow, kept: &EdgeStatsRow) -> bool {
    let counted = (row.calls, row.errors).cmp(&(kept.calls, kept.errors));
    let by_duration = || row.duration_sum.total_cmp(&kept.duration_sum);
    counted.then_with(by_duration).is_gt()
}
