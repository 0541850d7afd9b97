//! Finds how nodes would be written if all that is current were computed anew.

use std::collections::{BTreeMap, BTreeSet};

use super::{Difference, Table};
use crate::schema::aliases::kind;
use crate::store::rows::{
    AliasKey, Listing, NodeId, NodeRow, ReadRows, RowsError, ScopeKey, TextField, TextRow,
};
use crate::store::texts;
use crate::store::write::{CurrentChanges, Transaction};

/// What was found out about some nodes.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) differences: Vec<Difference>,
    /// The nodes that they are of.
    pub(super) differing: BTreeSet<NodeId>,
    pub(super) changes: CurrentChanges,
}

/// Texts to replace.
pub(super) type TextChanges = (Vec<(NodeId, TextField)>, Vec<TextRow>);

impl<R: ReadRows> Transaction<'_, R> {
    /// Compares all that is current of these nodes with their claims.
    pub(super) async fn examine(&mut self, ids: &[NodeId]) -> Result<Examined, RowsError> {
        self.words
            .find(self.rows, [kind::SAME_AS].into_iter())
            .await?;
        self.touch(ids.to_vec()).await?;
        // Housekeeping may have removed some meanwhile.
        let ids = ids.iter().filter(|id| self.touched.row(**id).is_some());
        let ids: Vec<NodeId> = ids.copied().collect();
        ids.iter().for_each(|id| self.touched.fold_again(*id));
        let changes = self.current_changes(&ids).await?;
        let mut rows: BTreeMap<NodeId, NodeRow> = BTreeMap::new();
        for id in &ids {
            rows.extend(self.touched.row(*id).map(|row| (*id, row.clone())));
        }
        let mut found: BTreeMap<(NodeId, Table), u64> = BTreeMap::new();
        let mut add = |id, table| *found.entry((id, table)).or_default() += 1;
        let mut wrong: BTreeSet<NodeId> = changes.nodes.iter().map(|row| row.id).collect();
        wrong.extend(self.wrong_same_as(&rows).await?);
        wrong.iter().for_each(|id| add(*id, Table::Nodes));
        let edges = changes.edges.iter().map(|row| &row.key);
        let edges = edges.chain(&changes.removed_edges);
        edges.for_each(|key| add(key.from, Table::Edges));
        let aliases = changes.aliases.iter().map(|row| &row.key);
        let aliases = aliases.chain(&changes.removed_aliases);
        aliases.for_each(|key| add(key.node, Table::Aliases));
        let contested = self.missing_contested(&changes.contested).await?;
        contested.iter().for_each(|id| add(*id, Table::Contested));
        let changed = changes.nodes.iter().map(|row| (row.id, row.clone()));
        rows.extend(changed);
        let mut values = self.alias_values(&ids, &changes.removed_aliases).await?;
        let put = changes.aliases.iter().map(|row| &row.key);
        values.extend(put.map(|key| (key.node, key.value.clone())));
        let (fields, _) = self.wrong_texts(&rows, &values).await?;
        fields.iter().for_each(|(id, _)| add(*id, Table::Texts));
        let uid = |id: &NodeId| rows.get(id).map(|row| row.uid.clone());
        let differences = found.iter().map(|((id, table), count)| Difference {
            of: uid(id).unwrap_or_default(),
            table: *table,
            rows: *count,
        });
        Ok(Examined {
            differences: differences.collect(),
            differing: found.keys().map(|(id, _)| *id).collect(),
            changes,
        })
    }

    /// Nodes that are not stored as the other names that they are.
    async fn wrong_same_as(
        &mut self,
        rows: &BTreeMap<NodeId, NodeRow>,
    ) -> Result<Vec<NodeId>, RowsError> {
        let uids: Vec<String> = rows.values().map(|row| row.uid.clone()).collect();
        let owners = self.owners_of(&uids).await?;
        let wrong = rows.values();
        let wrong = wrong.filter(|row| row.same_as != owners.get(&row.uid).copied());
        Ok(wrong.map(|row| row.id).collect())
    }

    /// Nodes that the scans of a scope do not look at again although they are contested there. One that
    /// is not contested any more may still be stored: the next scan removes it.
    async fn missing_contested(
        &mut self,
        expected: &[(ScopeKey, NodeId)],
    ) -> Result<Vec<NodeId>, RowsError> {
        let scopes: BTreeSet<ScopeKey> = expected.iter().map(|(scope, _)| *scope).collect();
        let mut stored = BTreeSet::new();
        for scope in scopes {
            let nodes = self.rows.contested(scope).await?;
            stored.extend(nodes.into_iter().map(|node| (scope, node)));
        }
        let missing = expected.iter().filter(|row| !stored.contains(row));
        Ok(missing.map(|(_, node)| *node).collect())
    }

    /// The aliases that are stored of these nodes, but for those with these keys.
    pub(super) async fn alias_values(
        &mut self,
        ids: &[NodeId],
        removed: &[AliasKey],
    ) -> Result<BTreeSet<(NodeId, String)>, RowsError> {
        let removed: BTreeSet<&AliasKey> = removed.iter().collect();
        let keys = self.rows.aliases(ids).await?.into_iter();
        let keys = keys.map(|row| row.key);
        let keys = keys.filter(|key| !removed.contains(key));
        Ok(keys.map(|key| (key.node, key.value)).collect())
    }

    /// The texts by which these nodes should be found, of each field where others are stored.
    pub(super) async fn wrong_texts(
        &mut self,
        rows: &BTreeMap<NodeId, NodeRow>,
        aliases: &BTreeSet<(NodeId, String)>,
    ) -> Result<TextChanges, RowsError> {
        let mut expected = texts::Changes::default();
        for row in rows.values() {
            let of_node = aliases.range((row.id, String::new())..);
            let of_node = of_node.take_while(|(node, _)| *node == row.id);
            let values = of_node.map(|(_, value)| value.as_str());
            match row.listing {
                // What it was found by while it was listed may stay.
                Listing::None => expected.aliases(row, values),
                _ => expected.all(row, values),
            }
        }
        let (mut fields, mut texts) = expected.finish();
        let ids: Vec<NodeId> = rows.keys().copied().collect();
        let stored: BTreeSet<TextRow> = self.rows.texts_of(&ids).await?.into_iter().collect();
        let expected: BTreeSet<&TextRow> = texts.iter().collect();
        let missing = expected.iter().filter(|row| !stored.contains(**row));
        let mut wrong: BTreeSet<(NodeId, TextField)> =
            missing.map(|row| (row.node, row.field)).collect();
        let superfluous = stored.iter().filter(|row| !expected.contains(row));
        wrong.extend(superfluous.map(|row| (row.node, row.field)));
        fields.retain(|field| wrong.contains(field));
        texts.retain(|row| wrong.contains(&(row.node, row.field)));
        Ok((fields, texts))
    }
}
