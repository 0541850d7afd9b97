//! Other names that hold at the moment.

use std::collections::{BTreeSet, HashMap};

use super::super::rows::{AliasKey, AliasRow, NodeId, Part, ReadRows, RowsError};
use super::super::snapshot;
use super::session::Session;
use crate::graph_store::{AliasesPage, At, KnownAlias, OtherName};

impl<R: ReadRows> Session<R> {
    /// The aliases of these very nodes.
    pub(super) async fn aliases_of_nodes(
        &mut self,
        ids: &[NodeId],
    ) -> Result<Vec<AliasRow>, RowsError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.rows.aliases(ids).await?;
        if self.at != At::Now {
            found.retain(|row| row.key.is_observation && self.is_past(row.first_seen));
            for held in self.snapshots_held(ids, Part::Aliases).await? {
                let items = snapshot::decode_aliases(&held.bytes).into_iter();
                found.extend(items.map(|item| AliasRow {
                    key: AliasKey {
                        node: held.key.node,
                        kind: item.kind,
                        value: item.value,
                        within: item.within,
                        source: held.key.source,
                        scope: held.key.scope,
                        is_observation: false,
                    },
                    valid_from: item.valid_from,
                    valid_to: item.valid_to,
                    first_seen: held.first_seen,
                    last_seen: held.last_seen,
                }));
            }
        }
        found.retain(|row| self.is_valid(row));
        Ok(found)
    }

    /// The aliases with these values, of any node.
    pub(super) async fn aliases_with_values(
        &mut self,
        values: &[String],
    ) -> Result<Vec<AliasRow>, RowsError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.rows.aliases_by_value(values).await?;
        if self.at == At::Now {
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

    fn is_valid(&self, row: &AliasRow) -> bool {
        let moment = self.moment();
        row.valid_from.is_none_or(|from| from <= moment)
            && row.valid_to.is_none_or(|to| moment < to)
    }

    pub(super) async fn aliases_of(
        &mut self,
        uids: &[String],
    ) -> Result<Vec<Vec<OtherName>>, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let known: Vec<NodeId> = ids.iter().flatten().copied().collect();
        let names = self.other_names(&known).await?;
        let of = |id: Option<NodeId>| id.and_then(|id| names.get(&id).cloned());
        Ok(ids
            .into_iter()
            .map(|id| of(id).unwrap_or_default())
            .collect())
    }

    /// The other names of these very nodes, each list by kind and value.
    pub(super) async fn other_names(
        &mut self,
        ids: &[NodeId],
    ) -> Result<HashMap<NodeId, Vec<OtherName>>, RowsError> {
        let aliases = self.aliases_of_nodes(ids).await?;
        let words = aliases
            .iter()
            .flat_map(|row| [row.key.kind, row.key.within]);
        self.words.read(&mut self.rows, words).await?;
        let mut of: HashMap<NodeId, BTreeSet<OtherName>> = HashMap::new();
        for alias in aliases {
            of.entry(alias.key.node).or_default().insert(OtherName {
                kind: self.words.text(alias.key.kind).as_ref().to_owned(),
                value: alias.key.value,
                scope: self.words.owned(alias.key.within),
                valid_from: alias.valid_from,
                valid_to: alias.valid_to,
            });
        }
        let lists = of.into_iter();
        Ok(lists
            .map(|(id, names)| (id, names.into_iter().collect()))
            .collect())
    }

    /// The names of these kinds that lead to the next nodes.
    pub(super) async fn alias_page(
        &mut self,
        kinds: &[&str],
        after: Option<&str>,
        limit: usize,
    ) -> Result<AliasesPage, RowsError> {
        let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let kinds = self.find_words(&kinds).await?;
        let Some(after) = self.place(after).await? else {
            return Ok(AliasesPage::default());
        };
        let rows = self.rows.aliases_of_kinds(&kinds, after, limit).await?;
        let nodes: BTreeSet<NodeId> = rows.iter().map(|row| row.key.node).collect();
        let last = nodes.last().copied().filter(|_| nodes.len() >= limit);
        let aliases = self.known_aliases(rows).await?;
        let last = last.map(|last| self.uid(last).to_owned());
        Ok(AliasesPage { aliases, last })
    }

    /// The names of these kinds that lead to these very uids, as a page has them.
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

    /// Those of these current aliases that lead to a node now; those of a uid stand together.
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
        self.words.read(&mut self.rows, words).await?;
        rows.retain(|row| self.is_valid(row) && self.life(row.key.node).ended.is_none());
        // Of several scopes of a source that report one alias, the first counts.
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
                is_of_set: !row.key.is_observation,
                kind: self.words.text(row.key.kind).as_ref().to_owned(),
                value: row.key.value,
                scope: self.words.owned(row.key.within),
                since: observed_from.unwrap_or(row.first_seen),
                until: row.valid_to,
            }
        });
        let mut aliases: Vec<KnownAlias> = aliases.collect();
        aliases.sort_by(|one, other| (&one.uid, &one.source).cmp(&(&other.uid, &other.source)));
        Ok(aliases)
    }

    /// The number of the node that a page goes on after; none where it is not known (any more): then
    /// nothing follows.
    pub(super) async fn place(&mut self, after: Option<&str>) -> Result<Option<NodeId>, RowsError> {
        let Some(after) = after.filter(|after| !after.is_empty()) else {
            return Ok(Some(0));
        };
        let found = self.rows.find_nodes(&[after.to_owned()]).await?;
        Ok(found.into_iter().flatten().next())
    }
}
