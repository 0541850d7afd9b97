//! Computes the current rows of nodes again and finds those that differ from the stored ones.

use std::collections::{BTreeMap, BTreeSet};

use super::{CheckDifference, CheckedTable};
use crate::schema::aliases::kind;
use crate::store::rows::{
    AliasKey, Listing, NodeId, NodeRow, ReadRows, RowsError, ScopeKey, TextField, TextRow,
};
use crate::store::search_texts;
use crate::store::write::{CurrentChanges, Transaction};

/// The differences of some nodes, and the changes that repair them.
#[derive(Debug, Default)]
pub(super) struct Examination {
    pub(super) differences: Vec<CheckDifference>,
    /// The nodes that have a difference.
    pub(super) differing: BTreeSet<NodeId>,
    pub(super) changes: CurrentChanges,
}

/// The (node, field) pairs whose texts are replaced, and the new texts.
pub(super) type TextReplacements = (Vec<(NodeId, TextField)>, Vec<TextRow>);

impl<R: ReadRows> Transaction<'_, R> {
    /// Compares all current rows of these nodes with their claims.
    pub(super) async fn examine(&mut self, ids: &[NodeId]) -> Result<Examination, RowsError> {
        self.words
            .load_numbers(self.rows, [kind::SAME_AS].into_iter())
            .await?;
        self.load_nodes(ids.to_vec()).await?;
        // Housekeeping may have removed some of the nodes.
        let ids = ids.iter().filter(|id| self.nodes.row(**id).is_some());
        let ids: Vec<NodeId> = ids.copied().collect();
        ids.iter().for_each(|id| self.nodes.mark_for_recompute(*id));
        let changes = self.current_changes(&ids).await?;
        let mut rows: BTreeMap<NodeId, NodeRow> = BTreeMap::new();
        for id in &ids {
            rows.extend(self.nodes.row(*id).map(|row| (*id, row.clone())));
        }
        let mut counts: BTreeMap<(NodeId, CheckedTable), u64> = BTreeMap::new();
        let mut add = |id, table| *counts.entry((id, table)).or_default() += 1;
        let mut wrong: BTreeSet<NodeId> = changes.nodes.iter().map(|row| row.id).collect();
        wrong.extend(self.wrong_same_as(&rows).await?);
        wrong.iter().for_each(|id| add(*id, CheckedTable::Nodes));
        let edges = changes.edges.iter().map(|row| &row.key);
        let edges = edges.chain(&changes.removed_edges);
        edges.for_each(|key| add(key.from, CheckedTable::Edges));
        let aliases = changes.aliases.iter().map(|row| &row.key);
        let aliases = aliases.chain(&changes.removed_aliases);
        aliases.for_each(|key| add(key.node, CheckedTable::Aliases));
        let contested = self.missing_contested(&changes.contested).await?;
        contested
            .iter()
            .for_each(|id| add(*id, CheckedTable::Contested));
        let changed = changes.nodes.iter().map(|row| (row.id, row.clone()));
        rows.extend(changed);
        let mut values = self.alias_values(&ids, &changes.removed_aliases).await?;
        let put = changes.aliases.iter().map(|row| &row.key);
        values.extend(put.map(|key| (key.node, key.value.clone())));
        let (fields, _) = self.wrong_texts(&rows, &values).await?;
        fields
            .iter()
            .for_each(|(id, _)| add(*id, CheckedTable::Texts));
        let uid = |id: &NodeId| rows.get(id).map(|row| row.uid.clone());
        let differences = counts.iter().map(|((id, table), count)| CheckDifference {
            subject: uid(id).unwrap_or_default(),
            table: *table,
            rows: *count,
        });
        Ok(Examination {
            differences: differences.collect(),
            differing: counts.keys().map(|(id, _)| *id).collect(),
            changes,
        })
    }

    /// The nodes whose stored `same_as` is not the winning owner.
    async fn wrong_same_as(
        &mut self,
        rows: &BTreeMap<NodeId, NodeRow>,
    ) -> Result<Vec<NodeId>, RowsError> {
        let uids: Vec<String> = rows.values().map(|row| row.uid.clone()).collect();
        let owners = self.same_as_owners(&uids).await?;
        let wrong = rows.values();
        let wrong = wrong.filter(|row| row.same_as != owners.get(&row.uid).copied());
        Ok(wrong.map(|row| row.id).collect())
    }

    /// The nodes that are contested in a scope but not stored as contested: scans of the scope would not examine them
    /// again. A node that is stored as contested but no longer contested is no difference, since the next scan of the
    /// scope corrects it.
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

    /// The values of the stored aliases of these nodes, except the aliases in `removed`.
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

    /// The fields of these nodes whose stored search texts are wrong, with the right texts.
    pub(super) async fn wrong_texts(
        &mut self,
        rows: &BTreeMap<NodeId, NodeRow>,
        aliases: &BTreeSet<(NodeId, String)>,
    ) -> Result<TextReplacements, RowsError> {
        let mut expected = search_texts::TextChanges::default();
        for row in rows.values() {
            let of_node = aliases.range((row.id, String::new())..);
            let of_node = of_node.take_while(|(node, _)| *node == row.id);
            let values = of_node.map(|(_, value)| value.as_str());
            match row.listing {
                // Texts of other fields may remain from a time when the node was listed; they are no difference.
                Listing::None => expected.replace_aliases(row, values),
                _ => expected.replace_all(row, values),
            }
        }
        let (mut fields, mut texts) = expected.into_rows();
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
