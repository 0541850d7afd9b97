//! Resolves `same_as` aliases: which nodes are merged into which.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::reader::GraphReader;
use crate::graph_store::AsOf;
use crate::schema::aliases::kind;
use crate::store::rows::{NodeId, ReadRows, RowsError};

/// Maps each merged node to the node that it is merged into.
#[derive(Debug, Default)]
pub(super) struct OwnerMap(HashMap<NodeId, NodeId>);

impl OwnerMap {
    /// Returns the node into which `id` is merged; `id` itself if it is not merged.
    pub(super) fn canonical(&self, id: NodeId) -> NodeId {
        self.0.get(&id).copied().unwrap_or(id)
    }
}

impl<R: ReadRows> GraphReader<R> {
    /// Returns and loads the owners of these nodes. The owner of a node is the node with a `same_as` alias that names
    /// its uid.
    pub(super) async fn load_owners(&mut self, ids: &[NodeId]) -> Result<OwnerMap, RowsError> {
        self.load_headers(ids).await?;
        if self.as_of == AsOf::Now {
            let owner_map = ids.iter().filter_map(|id| {
                let owner = self.header(*id)?.same_as?;
                Some((*id, owner))
            });
            let owner_map = OwnerMap(owner_map.collect());
            let owners: Vec<NodeId> = owner_map.0.values().copied().collect();
            self.load_headers(&owners).await?;
            return Ok(owner_map);
        }
        let targets = ids.iter().map(|id| (self.uid(*id).to_owned(), *id));
        let targets: BTreeMap<String, NodeId> = targets.collect();
        self.past_owners_of(&targets).await
    }

    /// Returns the owners of the targets, given as uid and node, as of a past time.
    async fn past_owners_of(
        &mut self,
        targets: &BTreeMap<String, NodeId>,
    ) -> Result<OwnerMap, RowsError> {
        let same_as = self.find_word(kind::SAME_AS).await?;
        if same_as == 0 || targets.is_empty() {
            return Ok(OwnerMap::default());
        }
        let values: Vec<String> = targets.keys().cloned().collect();
        let mut aliases = self.aliases_with_values(&values).await?;
        aliases.retain(|row| row.key.kind == same_as);
        let owners: Vec<NodeId> = aliases.iter().map(|row| row.key.node).collect();
        self.load_lifecycles(&owners).await?;
        // Among several owners, one that has not ended wins over one that has, then the one with the least uid wins.
        let mut best: HashMap<NodeId, NodeId> = HashMap::new();
        for alias in aliases {
            let Some(&target) = targets.get(&alias.key.value) else {
                continue;
            };
            let owner = alias.key.node;
            if owner == target {
                continue;
            }
            let rank = |id: NodeId| (self.lifecycle(id).ended.is_some(), self.uid(id));
            let winner = best.entry(target).or_insert(owner);
            if rank(owner) < rank(*winner) {
                *winner = owner;
            }
        }
        Ok(OwnerMap(best))
    }

    /// Returns these nodes, their owners, and all other nodes that are merged into these owners: ascending, without
    /// duplicates.
    pub(super) async fn merged_nodes(&mut self, ids: &[NodeId]) -> Result<Vec<NodeId>, RowsError> {
        let owner_map = self.load_owners(ids).await?;
        let canonical: BTreeSet<NodeId> = ids.iter().map(|id| owner_map.canonical(*id)).collect();
        let canonical: Vec<NodeId> = canonical.into_iter().collect();
        let mut all: BTreeSet<NodeId> = ids.iter().chain(&canonical).copied().collect();
        if canonical.is_empty() {
            return Ok(Vec::new());
        }
        if self.as_of == AsOf::Now {
            let merged = self.rows.merged_into(&canonical).await?;
            all.extend(merged.into_iter().map(|(name, _)| name));
        } else {
            let same_as = self.find_word(kind::SAME_AS).await?;
            let mut aliases = self.aliases_of_nodes(&canonical).await?;
            aliases.retain(|row| same_as != 0 && row.key.kind == same_as);
            let values: BTreeSet<String> = aliases.into_iter().map(|row| row.key.value).collect();
            let values: Vec<String> = values.into_iter().collect();
            let ids = self.rows.find_nodes(&values).await?;
            let targets = values.into_iter().zip(ids);
            let targets = targets.filter_map(|(value, id)| Some((value, id?)));
            let owned = self.past_owners_of(&targets.collect()).await?;
            let owned = owned.0.into_iter();
            let owned = owned.filter(|(_, owner)| canonical.binary_search(owner).is_ok());
            all.extend(owned.map(|(name, _)| name));
        }
        let all: Vec<NodeId> = all.into_iter().collect();
        self.load_headers(&all).await?;
        Ok(all)
    }
}
