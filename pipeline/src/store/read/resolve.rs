//! What names lead to.

use std::collections::{BTreeSet, HashMap};

use super::super::rows::{AliasRow, Listing, NodeId, ReadRows, RowsError};
use super::session::Session;
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
        let found: Vec<Vec<NodeId>> = names.iter().zip(&ids).map(resolve).collect();
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
