//! Resolves names to nodes.

use std::collections::{BTreeSet, HashMap};

use super::reader::GraphReader;
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::schema::aliases::kind;
use crate::store::rows::{AliasRow, Listing, NodeId, ReadRows, RowsError, SnapshotKind};
use crate::store::snapshot;

impl<R: ReadRows> GraphReader<R> {
    /// Returns for each name the uids of the nodes that it leads to. The first of these steps that finds a node
    /// decides: the owners of the name by a `same_as` alias; the node whose uid it is; the nodes with this alias that
    /// have not ended; the node with this alias that ended last.
    pub(super) async fn resolve(
        &mut self,
        names: &[String],
    ) -> Result<Vec<Vec<String>>, RowsError> {
        let same_as = self.find_word(kind::SAME_AS).await?;
        let aliases = self.aliases_with_values(names).await?;
        let owners: Vec<NodeId> = aliases.iter().map(|row| row.key.node).collect();
        self.load_lifecycles(&owners).await?;
        let mut by_value: HashMap<&str, Vec<&AliasRow>> = HashMap::new();
        for alias in &aliases {
            let of = by_value.entry(alias.key.value.as_str());
            of.or_default().push(alias);
        }
        let ids = self.rows.find_nodes(names).await?;
        let reported = self.reported_nodes(&ids).await?;
        let resolve = |(name, id): (&String, &Option<NodeId>)| -> Vec<NodeId> {
            let of_name = by_value.get(name.as_str()).map_or(&[][..], Vec::as_slice);
            let nodes = |matches: fn(AliasMatch) -> bool| -> BTreeSet<NodeId> {
                let of_name = of_name.iter().filter(|row| {
                    matches(AliasMatch {
                        is_same_as: row.key.kind == same_as,
                        has_ended: self.lifecycle(row.key.node).ended.is_some(),
                    })
                });
                of_name.map(|row| row.key.node).collect()
            };
            let steps: [fn(AliasMatch) -> bool; 2] = [
                |it| it.is_same_as && !it.has_ended,
                // An ended owner keeps a name until another node has it.
                |it| it.is_same_as,
            ];
            for step in steps {
                let found = nodes(step);
                if !found.is_empty() {
                    return found.into_iter().collect();
                }
            }
            if let Some(id) = id.filter(|id| reported.contains(id)) {
                return vec![id];
            }
            let alive = nodes(|it| !it.has_ended);
            if !alive.is_empty() {
                return alive.into_iter().collect();
            }
            let ended = |id: NodeId| Some((self.lifecycle(id).ended?, self.uid(id), id));
            let last = nodes(|_| true).into_iter().filter_map(ended).max();
            last.into_iter().map(|(.., id)| id).collect()
        };
        let mut found: Vec<Vec<NodeId>> = names.iter().zip(&ids).map(resolve).collect();
        let unresolved = names.iter().zip(&found).filter(|(_, ids)| ids.is_empty());
        let unresolved: Vec<String> = unresolved.map(|(name, _)| name.clone()).collect();
        let last = self.last_owners(&unresolved).await?;
        for (name, ids) in names.iter().zip(&mut found) {
            ids.extend(last.get(name).filter(|_| ids.is_empty()));
        }
        // The node that a name leads to may be merged into another node.
        let all: Vec<NodeId> = found.iter().flatten().copied().collect();
        let owners = self.load_owners(&all).await?;
        let canonical: Vec<NodeId> = all.iter().map(|id| owners.canonical(*id)).collect();
        self.load_headers(&canonical).await?;
        let uids = |ids: Vec<NodeId>| {
            let ids = ids.into_iter().map(|id| owners.canonical(id));
            let uids: BTreeSet<&str> = ids.map(|id| self.uid(id)).collect();
            uids.into_iter().map(str::to_owned).collect()
        };
        Ok(found.into_iter().map(uids).collect())
    }

    /// Returns the last owner of each of these names, which no node has now: among the ended nodes that had the name,
    /// the one that ended last. Aliases end with their claims, but users also search for deleted resources.
    async fn last_owners(
        &mut self,
        names: &[String],
    ) -> Result<HashMap<String, NodeId>, RowsError> {
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let owners = self.rows.past_owners(names).await?;
        let owners: BTreeSet<NodeId> = owners.into_iter().map(|(_, node)| node).collect();
        let owners: Vec<NodeId> = owners.into_iter().collect();
        self.load_lifecycles(&owners).await?;
        let ended = owners.into_iter();
        let ended = ended.filter_map(|id| Some((id, self.lifecycle(id).ended?)));
        let ended: HashMap<NodeId, UnixNanos> = ended.collect();
        // Just before the node ended, the claims were open.
        let before = |time: UnixNanos| UnixNanos(time.0.saturating_sub(1));
        let Some(first) = ended.values().min().copied() else {
            return Ok(HashMap::new());
        };
        let ids: Vec<NodeId> = ended.keys().copied().collect();
        let claims = self.claims_since(&ids, Some(before(first))).await?;
        let open = claims.iter().flat_map(|(id, claims)| {
            let time = ended.get(id).copied().unwrap_or_default();
            self.open_versions(*id, claims, AsOf::Time(before(time)))
        });
        let open = open.collect();
        let snapshots = self
            .snapshots_of_versions(open, SnapshotKind::Aliases)
            .await?;
        let mut last: HashMap<String, NodeId> = HashMap::new();
        for snapshot in &snapshots {
            let id = snapshot.key.node;
            for item in snapshot::decode_aliases(&snapshot.bytes) {
                let owner = last.entry(item.value).or_insert(id);
                let rank = |id: NodeId| (ended.get(&id), self.uid(id));
                if rank(id) > rank(*owner) {
                    *owner = id;
                }
            }
        }
        Ok(last)
    }

    /// Returns those of these nodes that have, or once had, a claim or an edge.
    async fn reported_nodes(
        &mut self,
        ids: &[Option<NodeId>],
    ) -> Result<BTreeSet<NodeId>, RowsError> {
        let ids: Vec<NodeId> = ids.iter().flatten().copied().collect();
        self.load_headers(&ids).await?;
        let is_described = |id: &NodeId| {
            self.header(*id)
                .is_some_and(|row| row.listing != Listing::None || row.first_seen.0 > 0)
        };
        let (described, others): (Vec<NodeId>, Vec<NodeId>) =
            ids.into_iter().partition(is_described);
        let mut reported: BTreeSet<NodeId> = described.into_iter().collect();
        reported.extend(self.edge_times(&others).await?.into_keys());
        Ok(reported)
    }
}

/// An alias with the searched value.
struct AliasMatch {
    is_same_as: bool,
    has_ended: bool,
}
