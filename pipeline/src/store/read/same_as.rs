//! Which nodes are other names of which at the moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::rows::{NodeId, ReadRows, RowsError};
use super::session::Session;
use crate::graph_store::At;
use crate::schema::aliases::kind;

/// Owners by the node that is another name of them.
#[derive(Debug, Default)]
pub(super) struct SameAs(HashMap<NodeId, NodeId>);

impl SameAs {
    /// The node itself where it is no other name.
    pub(super) fn canonical(&self, id: NodeId) -> NodeId {
        self.0.get(&id).copied().unwrap_or(id)
    }
}

impl<R: ReadRows> Session<R> {
    /// What these nodes are other names of; those are loaded as well.
    pub(super) async fn owners(&mut self, ids: &[NodeId]) -> Result<SameAs, RowsError> {
        self.load_headers(ids).await?;
        if self.at == At::Now {
            let same = ids.iter().filter_map(|id| {
                let owner = self.header(*id)?.same_as?;
                Some((*id, owner))
            });
            let same = SameAs(same.collect());
            let owners: Vec<NodeId> = same.0.values().copied().collect();
            self.load_headers(&owners).await?;
            return Ok(same);
        }
        let targets = ids.iter().map(|id| (self.uid(*id).to_owned(), *id));
        let targets: BTreeMap<String, NodeId> = targets.collect();
        self.owners_at(&targets).await
    }

    async fn owners_at(&mut self, targets: &BTreeMap<String, NodeId>) -> Result<SameAs, RowsError> {
        let same_as = self.find_word(kind::SAME_AS).await?;
        if same_as == 0 || targets.is_empty() {
            return Ok(SameAs::default());
        }
        let values: Vec<String> = targets.keys().cloned().collect();
        let mut aliases = self.aliases_with_values(&values).await?;
        aliases.retain(|row| row.key.kind == same_as);
        let owners: Vec<NodeId> = aliases.iter().map(|row| row.key.node).collect();
        self.load_lives(&owners).await?;
        // Of several owners one that has not ended, then the least uid.
        let mut best: HashMap<NodeId, NodeId> = HashMap::new();
        for alias in aliases {
            let Some(&target) = targets.get(&alias.key.value) else {
                continue;
            };
            let owner = alias.key.node;
            if owner == target {
                continue;
            }
            let rank = |id: NodeId| (self.life(id).ended.is_some(), self.uid(id));
            let known = best.entry(target).or_insert(owner);
            if rank(owner) < rank(*known) {
                *known = owner;
            }
        }
        Ok(SameAs(best))
    }

    /// These nodes, what they are other names of, and all other names of that: each once, by number.
    pub(super) async fn all_names(&mut self, ids: &[NodeId]) -> Result<Vec<NodeId>, RowsError> {
        let same = self.owners(ids).await?;
        let canonical: BTreeSet<NodeId> = ids.iter().map(|id| same.canonical(*id)).collect();
        let canonical: Vec<NodeId> = canonical.into_iter().collect();
        let mut all: BTreeSet<NodeId> = ids.iter().chain(&canonical).copied().collect();
        if canonical.is_empty() {
            return Ok(Vec::new());
        }
        if self.at == At::Now {
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
            let owned = self.owners_at(&targets.collect()).await?;
            let owned = owned.0.into_iter();
            let owned = owned.filter(|(_, owner)| canonical.binary_search(owner).is_ok());
            all.extend(owned.map(|(name, _)| name));
        }
        let all: Vec<NodeId> = all.into_iter().collect();
        self.load_headers(&all).await?;
        Ok(all)
    }
}
