//! Implements [`ReadRows`]: a read scans all rows of a table, or a range of keys.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::backend::MemorySession;
use super::filters::{incoming_order, is_any_of, matches_filter, text_matches, unique_keys};
use super::tables::record_key;
use crate::component::UnixNanos;
use crate::store::rows::{
    AliasRow, ClaimKey, ClaimRow, CountRow, EdgePage, EdgeRow, EdgeStatsRow, NO_WORD, NodeId,
    NodeRow, NodeRowFilter, Projection, ReadRows, RecordQuery, RecordRow, RecordTime, RowsError,
    ScopeKey, ScopeRow, SnapshotKey, StatsResolution, TextHits, TextMatch, TextRow, VersionKey,
    VersionRow, Word,
};
use crate::uid;

#[async_trait]
impl<A: Send> ReadRows for MemorySession<A> {
    async fn find_words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        Ok(texts.iter().map(|text| self.tables.word(text)).collect())
    }

    async fn texts(&mut self, words: &[Word]) -> Result<Vec<String>, RowsError> {
        Ok(words.iter().map(|&word| self.tables.text(word)).collect())
    }

    async fn find_nodes(&mut self, uids: &[String]) -> Result<Vec<Option<NodeId>>, RowsError> {
        let found = uids.iter().map(|uid| self.tables.nodes_by_uid.get(uid));
        Ok(found.map(Option::<&NodeId>::copied).collect())
    }

    async fn nodes(
        &mut self,
        ids: &[NodeId],
        projection: Projection,
    ) -> Result<Vec<NodeRow>, RowsError> {
        let found = unique_keys(ids).into_iter();
        let found = found.filter_map(|id| self.tables.nodes.get(id)).cloned();
        let mut rows: Vec<NodeRow> = found.collect();
        if projection == Projection::Header {
            for row in &mut rows {
                row.tags = None;
            }
        }
        Ok(rows)
    }

    async fn merged_into(&mut self, ids: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>, RowsError> {
        let ids = unique_keys(ids);
        let merged = self.tables.nodes.values().filter_map(|row| {
            let into = row.same_as.filter(|into| ids.contains(into))?;
            Some((row.id, into))
        });
        Ok(merged.collect())
    }

    async fn claims(&mut self, nodes: &[NodeId]) -> Result<Vec<ClaimRow>, RowsError> {
        let nodes = unique_keys(nodes);
        let claims = self.tables.claims.iter();
        let claims = claims.filter(|(key, _)| nodes.contains(&key.node));
        Ok(claims.map(row_of).collect())
    }

    async fn past_claims(
        &mut self,
        nodes: &[NodeId],
        since: UnixNanos,
    ) -> Result<Vec<ClaimRow>, RowsError> {
        let nodes = unique_keys(nodes);
        let mut found: Vec<ClaimRow> = Vec::new();
        let mut newest_before: Option<ClaimRow> = None;
        // The rows are ordered by key and begin, so the newest of a claim comes last.
        for ((key, _), interval) in &self.tables.past_claims {
            if !nodes.contains(&key.node) {
                continue;
            }
            let row = row_of((key, interval));
            if interval.until.is_some_and(|(until, _)| until > since) {
                found.push(row);
                continue;
            }
            if let Some(before) = newest_before.replace(row)
                && before.key != *key
            {
                found.push(before);
            }
        }
        found.extend(newest_before);
        Ok(found)
    }

    async fn open_claims(
        &mut self,
        scope: ScopeKey,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<(u64, ClaimRow)>, RowsError> {
        // The keys of one scope are ordered by node.
        let claims = self.tables.claims.iter();
        let open = claims.filter(|(key, interval)| {
            key.scope_key() == scope && key.node > after && interval.is_open()
        });
        let open = open.filter_map(|(key, interval)| {
            let node = self.tables.nodes.get(&key.node)?;
            Some((uid::hash(&node.uid), row_of((key, interval))))
        });
        Ok(open.take(limit).collect())
    }

    async fn ended_claims(
        &mut self,
        scope: ScopeKey,
        since: UnixNanos,
    ) -> Result<Vec<(u64, NodeId)>, RowsError> {
        let claims = self.tables.claims.iter();
        let claims = claims.filter(|(key, interval)| {
            key.scope_key() == scope && interval.until.is_some_and(|(until, _)| until > since)
        });
        let nodes = claims.filter_map(|(key, _)| self.tables.nodes.get(&key.node));
        Ok(nodes.map(|node| (uid::hash(&node.uid), node.id)).collect())
    }

    async fn nodes_by_hash(&mut self, hashes: &[u64]) -> Result<Vec<(u64, NodeId)>, RowsError> {
        let hashes = unique_keys(hashes);
        let nodes = self.tables.nodes.values();
        let nodes = nodes.map(|node| (uid::hash(&node.uid), node.id));
        Ok(nodes.filter(|(hash, _)| hashes.contains(hash)).collect())
    }

    async fn versions(
        &mut self,
        keys: &[VersionKey],
        projection: Projection,
    ) -> Result<Vec<VersionRow>, RowsError> {
        let found = unique_keys(keys).into_iter();
        let found = found.filter_map(|key| self.tables.versions.get(key));
        let mut rows: Vec<VersionRow> = found.cloned().collect();
        if projection == Projection::Header {
            for content in rows.iter_mut().filter_map(|row| row.content.as_mut()) {
                content.value = None;
            }
        }
        Ok(rows)
    }

    async fn snapshots(
        &mut self,
        keys: &[SnapshotKey],
    ) -> Result<Vec<(SnapshotKey, Vec<u8>)>, RowsError> {
        let found = unique_keys(keys).into_iter();
        let found = found.filter_map(|key| self.tables.snapshots.get_key_value(key));
        Ok(found.map(|(key, bytes)| (*key, bytes.clone())).collect())
    }

    async fn edges_out(
        &mut self,
        from: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let from = unique_keys(from);
        let edges = self.tables.edges.values();
        let edges =
            edges.filter(|row| from.contains(&row.key.from) && is_any_of(row.key.kind, kinds));
        let rest = edges.filter(|row| page.after.is_none_or(|after| row.key > after));
        Ok(rest.take(page.limit).cloned().collect())
    }

    async fn edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        page: &EdgePage,
    ) -> Result<Vec<EdgeRow>, RowsError> {
        let to = unique_keys(to);
        let edges = self.tables.edges.values();
        let edges = edges.filter(|row| to.contains(&row.key.to) && is_any_of(row.key.kind, kinds));
        let after = page.after.as_ref().map(incoming_order);
        let rest = edges.filter(|row| {
            after
                .as_ref()
                .is_none_or(|after| incoming_order(&row.key) > *after)
        });
        let mut rows: Vec<EdgeRow> = rest.cloned().collect();
        rows.sort_by_key(|row| incoming_order(&row.key));
        rows.truncate(page.limit);
        Ok(rows)
    }

    async fn past_edges_in(
        &mut self,
        to: &[NodeId],
        kinds: &[Word],
        after: Option<(NodeId, Word, NodeId)>,
        limit: usize,
    ) -> Result<Vec<(NodeId, Word, NodeId)>, RowsError> {
        let nodes = unique_keys(to);
        let past = self.tables.past_edges.iter().copied();
        let past = past.filter(|(to, kind, _)| nodes.contains(to) && is_any_of(*kind, kinds));
        let rest = past.filter(|edge| after.is_none_or(|after| *edge > after));
        Ok(rest.take(limit).collect())
    }

    async fn aliases(&mut self, nodes: &[NodeId]) -> Result<Vec<AliasRow>, RowsError> {
        let nodes = unique_keys(nodes);
        let aliases = self.tables.aliases.values();
        let aliases = aliases.filter(|row| nodes.contains(&row.key.node));
        Ok(aliases.cloned().collect())
    }

    async fn aliases_by_value(&mut self, values: &[String]) -> Result<Vec<AliasRow>, RowsError> {
        let values = unique_keys(values);
        let aliases = self.tables.aliases.values();
        let aliases = aliases.filter(|row| values.contains(&row.key.value));
        Ok(aliases.cloned().collect())
    }

    async fn past_owners(&mut self, values: &[String]) -> Result<Vec<(String, NodeId)>, RowsError> {
        let values = unique_keys(values);
        let past = self.tables.past_owners.iter();
        let past = past.filter(|(value, _)| values.contains(value));
        Ok(past.cloned().collect())
    }

    async fn aliases_of_kinds(
        &mut self,
        kinds: &[Word],
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<AliasRow>, RowsError> {
        let aliases = self.tables.aliases.values();
        let aliases = aliases.filter(|row| row.key.node > after && kinds.contains(&row.key.kind));
        let mut rows: Vec<AliasRow> = aliases.cloned().collect();
        let mut nodes: Vec<NodeId> = rows.iter().map(|row| row.key.node).collect();
        nodes.dedup();
        if let Some(first_beyond) = nodes.get(limit) {
            rows.retain(|row| row.key.node < *first_beyond);
        }
        Ok(rows)
    }

    async fn scopes(&mut self, names: Option<&[Word]>) -> Result<Vec<ScopeRow>, RowsError> {
        let scopes = self.tables.scopes.values();
        let scopes = scopes.filter(|row| names.is_none_or(|names| names.contains(&row.key.scope)));
        Ok(scopes.cloned().collect())
    }

    async fn words_with_prefix(&mut self, prefix: &str) -> Result<Vec<Word>, RowsError> {
        let words = self.tables.words_by_text.iter();
        let words = words.filter(|(text, _)| text.starts_with(prefix));
        Ok(words.map(|(_, word)| *word).collect())
    }

    async fn members(&mut self, scope: ScopeKey, hash: u64) -> Result<Option<Vec<u8>>, RowsError> {
        Ok(self.tables.members.get(&(scope, hash)).cloned())
    }

    async fn contested(&mut self, scope: ScopeKey) -> Result<Vec<NodeId>, RowsError> {
        let contested = self.tables.contested.iter();
        let contested = contested.filter(|(of, _)| *of == scope);
        Ok(contested.map(|(_, node)| *node).collect())
    }

    async fn list(
        &mut self,
        filter: &NodeRowFilter,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<NodeId>, RowsError> {
        let nodes = self.tables.nodes.values();
        let rest = nodes.filter(|row| row.id > after && matches_filter(row, filter, &self.tables));
        Ok(rest.map(|row| row.id).take(limit).collect())
    }

    async fn find_text(
        &mut self,
        text: &str,
        mode: TextMatch,
        current: bool,
        limit: usize,
    ) -> Result<TextHits, RowsError> {
        let texts = self.tables.texts.iter();
        let texts = texts.filter(|row| row.is_current == current);
        let texts = texts.filter(|row| text_matches(&row.text, text, mode));
        let mut rows: Vec<TextRow> = texts.cloned().collect();
        // The sort is stable, and the texts of a node and field are ordered already.
        rows.sort_by_key(|row| (row.field, row.node));
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Ok(TextHits { rows, has_more })
    }

    async fn texts_of(&mut self, nodes: &[NodeId]) -> Result<Vec<TextRow>, RowsError> {
        let nodes: BTreeSet<NodeId> = nodes.iter().copied().collect();
        let texts = self.tables.texts.iter();
        Ok(texts
            .filter(|row| nodes.contains(&row.node))
            .cloned()
            .collect())
    }

    async fn counts(&mut self) -> Result<Vec<CountRow>, RowsError> {
        let counts = self.tables.counts.iter();
        let counts = counts.map(|(&(kind, provider), &count)| CountRow {
            kind,
            provider,
            count,
        });
        Ok(counts.filter(|row| row.count != 0).collect())
    }

    async fn edge_stats(
        &mut self,
        resolution: StatsResolution,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStatsRow>, RowsError> {
        let rows = self.tables.edge_stats(resolution).values();
        let rows = rows.filter(|row| from <= row.minute && row.minute < to);
        Ok(rows.cloned().collect())
    }

    async fn oldest_edge_stats(
        &mut self,
        resolution: StatsResolution,
    ) -> Result<Option<UnixNanos>, RowsError> {
        let first = self.tables.edge_stats(resolution).keys().next();
        Ok(first.map(|key| key.minute))
    }

    async fn last_edge_stats(
        &mut self,
        nodes: &[NodeId],
    ) -> Result<Vec<(NodeId, UnixNanos)>, RowsError> {
        let mut last: BTreeMap<NodeId, UnixNanos> = BTreeMap::new();
        for table in [&self.tables.edge_stats, &self.tables.hourly_edge_stats] {
            for row in table.values() {
                for end in [row.from, row.to]
                    .into_iter()
                    .filter(|end| nodes.contains(end))
                {
                    let last_minute = last.entry(end).or_default();
                    *last_minute = row.minute.max(*last_minute);
                }
            }
        }
        Ok(last.into_iter().collect())
    }

    async fn records(
        &mut self,
        keys: &[(Word, String, UnixNanos)],
    ) -> Result<Vec<RecordRow>, RowsError> {
        let found = unique_keys(keys).into_iter();
        let found = found.filter_map(|key| self.tables.records.get(key));
        Ok(found.cloned().collect())
    }

    async fn records_of(
        &mut self,
        uids: &[String],
        signals: &[Word],
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let uids = unique_keys(uids);
        let records = self.tables.records.values();
        let records = records.filter(|row| {
            is_any_of(row.signal, signals)
                && from <= row.opened
                && row.opened < to
                && row.names.iter().any(|name| uids.contains(name))
        });
        let mut rows: Vec<RecordRow> = records.cloned().collect();
        rows.sort_by_key(|row| (Reverse(row.opened), record_key(row)));
        rows.truncate(limit);
        Ok(rows)
    }

    async fn record_page(&mut self, page: &RecordQuery) -> Result<Vec<RecordRow>, RowsError> {
        let is = |word: Word, wanted: Word| wanted == NO_WORD || word == wanted;
        let position = |row: &RecordRow| (row.opened, row.id.clone());
        let records = self.tables.records.values().filter(|row| {
            row.signal == page.signal
                && is(row.status, page.status)
                && is(row.severity, page.severity)
                && page
                    .is_open
                    .is_none_or(|open| open == row.resolved.is_none())
                && page.opened.contains(&row.opened)
                && page.from.as_ref().is_none_or(|from| position(row) <= *from)
        });
        let mut rows: Vec<RecordRow> = records.cloned().collect();
        rows.sort_by_key(|row| Reverse(position(row)));
        rows.truncate(page.limit);
        Ok(rows)
    }

    async fn old_records(
        &mut self,
        signal: Word,
        time: RecordTime,
        before: UnixNanos,
        after: Option<(UnixNanos, String)>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let records = self.tables.records.values();
        let records = records.filter(|row| row.signal == signal);
        let timed = records.filter_map(|row| {
            let time = match time {
                RecordTime::Opened => row.opened,
                RecordTime::Resolved => row.resolved?,
            };
            Some(((time, row.id.clone()), row))
        });
        let old = timed.filter(|(position, _)| {
            position.0 < before && after.as_ref().is_none_or(|after| position > after)
        });
        let mut old: Vec<((UnixNanos, String), &RecordRow)> = old.collect();
        old.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(old
            .into_iter()
            .take(limit)
            .map(|(_, row)| row.clone())
            .collect())
    }

    async fn state(&mut self, name: &str) -> Result<Option<Vec<u8>>, RowsError> {
        Ok(self.tables.state.get(name).cloned())
    }

    async fn node_page(&mut self, after: NodeId, limit: usize) -> Result<Vec<NodeId>, RowsError> {
        let ids = self.tables.nodes.keys().filter(|id| **id > after);
        Ok(ids.take(limit).copied().collect())
    }

    async fn versions_of(&mut self, nodes: &[NodeId]) -> Result<Vec<VersionRow>, RowsError> {
        let nodes = unique_keys(nodes);
        let versions = self.tables.versions.values();
        let mut rows: Vec<VersionRow> = versions
            .filter(|row| nodes.contains(&row.key.node))
            .cloned()
            .collect();
        for content in rows.iter_mut().filter_map(|row| row.content.as_mut()) {
            content.value = None;
        }
        Ok(rows)
    }
}

fn row_of((key, interval): (&ClaimKey, &crate::claims::ClaimInterval)) -> ClaimRow {
    ClaimRow {
        key: *key,
        interval: interval.clone(),
    }
}
