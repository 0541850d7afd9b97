//! Reads the aliases that are valid at the time of the read.

use std::collections::{BTreeSet, HashMap};

use super::reader::GraphReader;
use crate::graph_store::{AliasesPage, AsOf, GraphAlias, KnownAlias};
use crate::store::rows::{AliasKey, AliasRow, NodeId, ReadRows, RowsError, SnapshotKind};
use crate::store::snapshot;

impl<R: ReadRows> GraphReader<R> {
    /// Returns the valid aliases of these nodes, but not those of nodes that are merged into them.
    pub(super) async fn aliases_of_nodes(
        &mut self,
        ids: &[NodeId],
    ) -> Result<Vec<AliasRow>, RowsError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.rows.aliases(ids).await?;
        if self.as_of != AsOf::Now {
            found.retain(|row| row.key.is_observation && self.has_happened(row.first_seen));
            for open in self.open_snapshots(ids, SnapshotKind::Aliases).await? {
                let items = snapshot::decode_aliases(&open.bytes).into_iter();
                found.extend(items.map(|item| AliasRow {
                    key: AliasKey {
                        node: open.key.node,
                        kind: item.kind,
                        value: item.value,
                        within: item.within,
                        source: open.key.source,
                        scope: open.key.scope,
                        is_observation: false,
                    },
                    valid_from: item.valid_from,
                    valid_to: item.valid_to,
                    first_seen: open.first_seen,
                    last_seen: open.last_seen,
                }));
            }
        }
        found.retain(|row| self.is_valid(row));
        Ok(found)
    }

    /// Returns the valid aliases with these values, of any node.
    pub(super) async fn aliases_with_values(
        &mut self,
        values: &[String],
    ) -> Result<Vec<AliasRow>, RowsError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.rows.aliases_by_value(values).await?;
        if self.as_of == AsOf::Now {
            found.retain(|row| self.is_valid(row));
            return Ok(found);
        }
        let owners = found.iter().map(|row| row.key.node);
        let mut owners: BTreeSet<NodeId> = owners.collect();
        let past = self.rows.past_owners(values).await?;
        owners.extend(past.into_iter().map(|(_, node)| node));
        let owners: Vec<NodeId> = owners.into_iter().collect();
        let wanted: BTreeSet<&str> = values.iter().map(String::as_str).collect();
        let mut found = self.aliases_of_nodes(&owners).await?;
        found.retain(|row| wanted.contains(row.key.value.as_str()));
        Ok(found)
    }

    /// Whether the validity of an alias contains the time of the read.
    fn is_valid(&self, row: &AliasRow) -> bool {
        let as_of = self.as_of_time();
        row.valid_from.is_none_or(|from| from <= as_of) && row.valid_to.is_none_or(|to| as_of < to)
    }

    /// Returns the valid aliases of each uid, in order.
    pub(super) async fn aliases_of(
        &mut self,
        uids: &[String],
    ) -> Result<Vec<Vec<GraphAlias>>, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let found: Vec<NodeId> = ids.iter().flatten().copied().collect();
        let names = self.graph_aliases(&found).await?;
        let of = |id: Option<NodeId>| id.and_then(|id| names.get(&id).cloned());
        Ok(ids
            .into_iter()
            .map(|id| of(id).unwrap_or_default())
            .collect())
    }

    /// Returns the valid aliases of each of these nodes, sorted by kind and value.
    pub(super) async fn graph_aliases(
        &mut self,
        ids: &[NodeId],
    ) -> Result<HashMap<NodeId, Vec<GraphAlias>>, RowsError> {
        let aliases = self.aliases_of_nodes(ids).await?;
        let words = aliases
            .iter()
            .flat_map(|row| [row.key.kind, row.key.within]);
        self.words.load_texts(&mut self.rows, words).await?;
        let mut of: HashMap<NodeId, BTreeSet<GraphAlias>> = HashMap::new();
        for alias in aliases {
            of.entry(alias.key.node).or_default().insert(GraphAlias {
                kind: self.words.text(alias.key.kind).as_ref().to_owned(),
                value: alias.key.value,
                scope: self.words.owned_text(alias.key.within),
                valid_from: alias.valid_from,
                valid_to: alias.valid_to,
            });
        }
        let lists = of.into_iter();
        Ok(lists
            .map(|(id, names)| (id, names.into_iter().collect()))
            .collect())
    }

    /// Returns a page of the aliases of these kinds: those of the first `limit` nodes after `after` that have any.
    pub(super) async fn alias_page(
        &mut self,
        kinds: &[&str],
        after: Option<&str>,
        limit: usize,
    ) -> Result<AliasesPage, RowsError> {
        let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let kinds = self.find_words(&kinds).await?;
        let Some(after) = self.page_start(after).await? else {
            return Ok(AliasesPage::default());
        };
        let rows = self.rows.aliases_of_kinds(&kinds, after, limit).await?;
        let nodes: BTreeSet<NodeId> = rows.iter().map(|row| row.key.node).collect();
        let last = nodes.last().copied().filter(|_| nodes.len() >= limit);
        let aliases = self.known_aliases(rows).await?;
        let last = last.map(|last| self.uid(last).to_owned());
        Ok(AliasesPage { aliases, last })
    }

    /// Returns the aliases of these uids that are of one of these kinds.
    pub(super) async fn aliases_of_uids(
        &mut self,
        kinds: &[&str],
        uids: &[String],
    ) -> Result<Vec<KnownAlias>, RowsError> {
        let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let kinds = self.find_words(&kinds).await?;
        let ids = self.rows.find_nodes(uids).await?;
        let ids: BTreeSet<NodeId> = ids.into_iter().flatten().collect();
        let ids: Vec<NodeId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = self.rows.aliases(&ids).await?;
        rows.retain(|row| kinds.contains(&row.key.kind));
        self.known_aliases(rows).await
    }

    /// Converts current aliases. Leaves out aliases that are not valid and those of ended nodes. The aliases of a uid
    /// are consecutive.
    async fn known_aliases(
        &mut self,
        mut rows: Vec<AliasRow>,
    ) -> Result<Vec<KnownAlias>, RowsError> {
        let nodes: BTreeSet<NodeId> = rows.iter().map(|row| row.key.node).collect();
        let nodes: Vec<NodeId> = nodes.into_iter().collect();
        self.load_headers(&nodes).await?;
        let words = rows
            .iter()
            .flat_map(|row| [row.key.kind, row.key.within, row.key.source]);
        self.words.load_texts(&mut self.rows, words).await?;
        rows.retain(|row| self.is_valid(row) && self.lifecycle(row.key.node).ended.is_none());
        // If several scopes of a source report an alias, it is returned once.
        for row in &mut rows {
            row.key.scope = 0;
        }
        rows.sort_by(|one, other| one.key.cmp(&other.key));
        rows.dedup_by(|row, first| {
            let is_same = row.key == first.key;
            if is_same {
                first.first_seen = first.first_seen.min(row.first_seen);
            }
            is_same
        });
        let aliases = rows.into_iter().map(|row| {
            let observed_from = row.valid_from.filter(|_| row.key.is_observation);
            KnownAlias {
                uid: self.uid(row.key.node).to_owned(),
                source: self.words.text(row.key.source).as_ref().to_owned(),
                is_in_snapshot: !row.key.is_observation,
                kind: self.words.text(row.key.kind).as_ref().to_owned(),
                value: row.key.value,
                scope: self.words.owned_text(row.key.within),
                since: observed_from.unwrap_or(row.first_seen),
                until: row.valid_to,
            }
        });
        let mut aliases: Vec<KnownAlias> = aliases.collect();
        aliases.sort_by(|one, other| (&one.uid, &one.source).cmp(&(&other.uid, &other.source)));
        Ok(aliases)
    }

    /// Returns the node after which a page begins; 0 if `after` is missing or empty. Returns `None` if the store does
    /// not have the uid `after`: the page is then empty.
    pub(super) async fn page_start(
        &mut self,
        after: Option<&str>,
    ) -> Result<Option<NodeId>, RowsError> {
        let Some(after) = after.filter(|after| !after.is_empty()) else {
            return Ok(Some(0));
        };
        let found = self.rows.find_nodes(&[after.to_owned()]).await?;
        Ok(found.into_iter().flatten().next())
    }
}
