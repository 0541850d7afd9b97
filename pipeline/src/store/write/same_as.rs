//! Merges a node into another one if its uid is only another name of that node.
//!
//! The value of an alias of kind `same_as` is the uid of another node: telemetry reported that uid before the resource
//! behind it was known. That node is merged into the owner of the alias. Among several owners, one that has not ended
//! wins over one that has, then the one with the least uid wins.

use std::collections::{BTreeMap, BTreeSet};

use super::Transaction;
use crate::schema::aliases::kind;
use crate::store::rows::{
    AliasKey, CountRow, Listing, NO_WORD, NodeId, NodeRow, Projection, ReadRows, RowsError,
    WriteRows,
};
use crate::store::search_texts;

impl<R: ReadRows> Transaction<'_, R> {
    /// Notes the uids of `same_as` aliases among those that were added, changed or removed; `update_same_as` resolves
    /// them.
    pub(in crate::store) fn note_changed_same_as(&mut self, aliases: Vec<AliasKey>) {
        let same_as = self.words.number(kind::SAME_AS);
        let values = aliases.into_iter().filter(|it| it.kind == same_as);
        self.same_as_to_resolve.extend(values.map(|it| it.value));
    }

    /// The winning owner of each of these uids that a `same_as` alias names.
    pub(in crate::store) async fn same_as_owners(
        &mut self,
        uids: &[String],
    ) -> Result<BTreeMap<String, NodeId>, RowsError> {
        let same_as = self.words.number(kind::SAME_AS);
        if same_as == NO_WORD {
            return Ok(BTreeMap::new());
        }
        let mut owners: BTreeMap<String, BTreeSet<NodeId>> = BTreeMap::new();
        for alias in self.rows.aliases_by_value(uids).await? {
            if alias.key.kind == same_as {
                let owners = owners.entry(alias.key.value).or_default();
                owners.insert(alias.key.node);
            }
        }
        let ids: BTreeSet<NodeId> = owners.values().flatten().copied().collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<NodeId> = ids.into_iter().collect();
        let rows = self.rows.nodes(&ids, Projection::Header).await?;
        let rows: BTreeMap<NodeId, NodeRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let best = owners.into_iter().filter_map(|(uid, owners)| {
            let owners = owners.iter().filter_map(|id| rows.get(id));
            let candidates = owners.filter(|owner| owner.uid != uid);
            let best = candidates.min_by_key(|owner| (owner.ended.is_some(), &owner.uid))?;
            Some((uid, best.id))
        });
        Ok(best.collect())
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Updates `same_as` of all nodes whose owner may have changed. The caller must have written all aliases and nodes,
    /// since this function reads them.
    pub(in crate::store) async fn update_same_as(&mut self) -> Result<(), RowsError> {
        let same_as = self.words.number(kind::SAME_AS);
        if same_as == 0 {
            return Ok(());
        }
        // A node that ended, or that exists again, may lose or win the uids that its aliases name.
        let changed = self.nodes.0.iter().filter(|(_, node)| {
            node.is_contested || node.claims.iter().any(|it| it.has_new_interval)
        });
        let owners: Vec<NodeId> = changed
            .filter(|(_, node)| !node.is_new)
            .map(|(id, _)| *id)
            .collect();
        if !owners.is_empty() {
            let aliases = self.rows.aliases(&owners).await?;
            let values = aliases.into_iter().filter(|it| it.key.kind == same_as);
            self.same_as_to_resolve
                .extend(values.map(|it| it.key.value));
        }
        let values: Vec<String> = std::mem::take(&mut self.same_as_to_resolve)
            .into_iter()
            .collect();
        if values.is_empty() {
            return Ok(());
        }
        let owners = self.same_as_owners(&values).await?;
        let names: Vec<&str> = values.iter().map(String::as_str).collect();
        self.intern_nodes(names).await?;
        let targets: Vec<NodeId> = values.iter().map(|value| self.node_ids.of(value)).collect();
        let rows = self.rows.nodes(&targets, Projection::Full).await?;
        let is_owned_by = |row: &NodeRow| owners.get(&row.uid).copied();
        let changed = rows.into_iter().map(|row| {
            let owner = is_owned_by(&row);
            (row, owner)
        });
        let changed = changed.filter(|(row, owner)| row.same_as != *owner);
        self.write_merged(changed.collect()).await
    }

    /// Writes nodes whose `same_as` changed. A merged node is in no list and no count, and its search texts are not
    /// those of a current node: its owner represents it.
    async fn write_merged(
        &mut self,
        changed: Vec<(NodeRow, Option<NodeId>)>,
    ) -> Result<(), RowsError> {
        if changed.is_empty() {
            return Ok(());
        }
        self.load_nodes(changed.iter().map(|(row, _)| row.id).collect())
            .await?;
        let (mut rows, mut counts) = (Vec::new(), Vec::new());
        let mut texts = search_texts::TextChanges::default();
        for (old, same_as) in changed {
            let mut new = NodeRow {
                same_as,
                ..old.clone()
            };
            new.listing = match same_as {
                Some(_) => Listing::None,
                None => self.listing_unmerged(&new),
            };
            let count = |row: &NodeRow, count| {
                (row.listing == Listing::Current).then_some(CountRow {
                    kind: row.kind,
                    provider: row.provider,
                    count,
                })
            };
            counts.extend(count(&old, -1));
            counts.extend(count(&new, 1));
            texts.replace_changed(&old, &new);
            self.commit.nodes.push(new.uid.clone());
            rows.push(new);
        }
        self.relist_aliases(&rows, &mut texts).await?;
        self.rows.put_nodes(&rows).await?;
        if !counts.is_empty() {
            self.rows.add_counts(&counts).await?;
        }
        let (fields, texts) = texts.into_rows();
        match fields.is_empty() {
            true => Ok(()),
            false => self.rows.put_texts(&fields, &texts).await,
        }
    }

    /// The listing of a node that is not merged.
    fn listing_unmerged(&self, row: &NodeRow) -> Listing {
        let claims = self.nodes.0.get(&row.id).map(|node| node.clone_claims());
        let is_claimed = claims.iter().flatten().any(|claim| {
            let is_of_node = !matches!(
                claim.key.class,
                crate::claims::ClaimClass::Edges | crate::claims::ClaimClass::Aliases
            );
            is_of_node && !claim.intervals.is_empty()
        });
        match (row.ended, is_claimed) {
            (Some(_), _) => Listing::Ended,
            (None, true) => Listing::Current,
            (None, false) => Listing::None,
        }
    }
}
