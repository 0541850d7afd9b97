//! What names lead to.

use std::collections::{BTreeSet, HashMap};

use super::super::rows::{AliasRow, Listing, NodeId, Part, ReadRows, RowsError};
use super::super::snapshot;
use super::session::Session;
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::schema::aliases::kind;

impl<R: ReadRows> Session<R> {
    /// A name is first a uid, then an alias of what has not ended, then of what ended last.
    pub(super) async fn resolve(
        &mut self,
        names: &[String],
    ) -> Result<Vec<Vec<String>>, RowsError> {
        let same_as = self.find_word(kind::SAME_AS).await?;
        let aliases = self.aliases_with_values(names).await?;
        let owners: Vec<NodeId> = aliases.iter().map(|row| row.key.node).collect();
        self.load_lives(&owners).await?;
        let mut by_value: HashMap<&str, Vec<&AliasRow>> = HashMap::new();
        for alias in &aliases {
            let of = by_value.entry(alias.key.value.as_str());
            of.or_default().push(alias);
        }
        let ids = self.rows.find_nodes(names).await?;
        let known = self.known(&ids).await?;
        let resolve = |(name, id): (&String, &Option<NodeId>)| -> Vec<NodeId> {
            let of_name = by_value.get(name.as_str()).map_or(&[][..], Vec::as_slice);
            let nodes = |wanted: fn(Ownership) -> bool| -> BTreeSet<NodeId> {
                let of_name = of_name.iter().filter(|row| {
                    wanted(Ownership {
                        is_same_as: row.key.kind == same_as,
                        has_ended: self.life(row.key.node).ended.is_some(),
                    })
                });
                of_name.map(|row| row.key.node).collect()
            };
            let steps: [fn(Ownership) -> bool; 2] = [
                |it| it.is_same_as && !it.has_ended,
                // The last owner keeps a name until another has it.
                |it| it.is_same_as,
            ];
            for step in steps {
                let found = nodes(step);
                if !found.is_empty() {
                    return found.into_iter().collect();
                }
            }
            if let Some(id) = id.filter(|id| known.contains(id)) {
                return vec![id];
            }
            let alive = nodes(|it| !it.has_ended);
            if !alive.is_empty() {
                return alive.into_iter().collect();
            }
            let ended = |id: NodeId| Some((self.life(id).ended?, self.uid(id), id));
            let last = nodes(|_| true).into_iter().filter_map(ended).max();
            last.into_iter().map(|(.., id)| id).collect()
        };
        let mut found: Vec<Vec<NodeId>> = names.iter().zip(&ids).map(resolve).collect();
        let lost = names.iter().zip(&found).filter(|(_, ids)| ids.is_empty());
        let lost: Vec<String> = lost.map(|(name, _)| name.clone()).collect();
        let last = self.last_owners(&lost).await?;
        for (name, ids) in names.iter().zip(&mut found) {
            ids.extend(last.get(name).filter(|_| ids.is_empty()));
        }
        // What a name leads to may itself be another name of something.
        let all: Vec<NodeId> = found.iter().flatten().copied().collect();
        let same = self.owners(&all).await?;
        let canonical: Vec<NodeId> = all.iter().map(|id| same.canonical(*id)).collect();
        self.load_headers(&canonical).await?;
        let uids = |ids: Vec<NodeId>| {
            let ids = ids.into_iter().map(|id| same.canonical(id));
            let uids: BTreeSet<&str> = ids.map(|id| self.uid(id)).collect();
            uids.into_iter().map(str::to_owned).collect()
        };
        Ok(found.into_iter().map(uids).collect())
    }

    /// Of names that nothing has at the moment the node that ended last with it: aliases end with their
    /// claims, but people look for what is gone.
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
        self.load_lives(&owners).await?;
        let ended = owners.into_iter();
        let ended = ended.filter_map(|id| Some((id, self.life(id).ended?)));
        let ended: HashMap<NodeId, UnixNanos> = ended.collect();
        // Just before it ended the claims were open.
        let before = |time: UnixNanos| UnixNanos(time.0.saturating_sub(1));
        let Some(first) = ended.values().min().copied() else {
            return Ok(HashMap::new());
        };
        let ids: Vec<NodeId> = ended.keys().copied().collect();
        let claims = self.claims_since(&ids, Some(before(first))).await?;
        let open = claims.iter().flat_map(|(id, claims)| {
            let time = ended.get(id).copied().unwrap_or_default();
            self.open_versions(*id, claims, At::Time(before(time)))
        });
        let open = open.collect();
        let held = self.snapshots_of(open, Part::Aliases).await?;
        let mut last: HashMap<String, NodeId> = HashMap::new();
        for snapshot in &held {
            let id = snapshot.key.node;
            for item in snapshot::decode_aliases(&snapshot.bytes) {
                let known = last.entry(item.value).or_insert(id);
                let rank = |id: NodeId| (ended.get(&id), self.uid(id));
                if rank(id) > rank(*known) {
                    *known = id;
                }
            }
        }
        Ok(last)
    }

    /// Those of these nodes of which anything is known: a claim, or an edge, now or ever.
    async fn known(&mut self, ids: &[Option<NodeId>]) -> Result<BTreeSet<NodeId>, RowsError> {
        let ids: Vec<NodeId> = ids.iter().flatten().copied().collect();
        self.load_headers(&ids).await?;
        let is_reported = |id: &NodeId| {
            self.header(*id)
                .is_some_and(|row| row.listing != Listing::None || row.first_seen.0 > 0)
        };
        let (known, others): (Vec<NodeId>, Vec<NodeId>) = ids.into_iter().partition(is_reported);
        let mut known: BTreeSet<NodeId> = known.into_iter().collect();
        known.extend(self.at_ends(&others).await?.into_keys());
        Ok(known)
    }
}

/// What an alias says, and of what.
struct Ownership {
    is_same_as: bool,
    has_ended: bool,
}
