//! Uids that one scope does not see any more while another still has them: one of the two is late, so
//! their receivers are to look again.

use std::collections::BTreeSet;

use super::Transaction;
use crate::claims::{Claim, Class, Ending, Key, Removal};
use crate::graph_store::Commit;
use crate::store::rows::NodeId;

/// Claims that this transaction ended as deleted.
#[derive(Debug, Default)]
pub(in crate::store) struct Missed(BTreeSet<(NodeId, Key)>);

impl Missed {
    /// Notes that a claim changed.
    pub(super) fn note(&mut self, node: NodeId, was_open: bool, claim: &Claim) {
        let until = claim.last().and_then(|last| last.until);
        let is_deleted = matches!(until, Some((_, Ending::Removed(Removal::Deleted))));
        if was_open && is_deleted && claim.key.class == Class::Actual {
            self.0.insert((node, claim.key.clone()));
        }
    }
}

impl<R> Transaction<'_, R> {
    /// Up to [`Commit::MOST`] of them.
    pub(super) fn missed_elsewhere(&self) -> Vec<String> {
        let is_contradicted = |(id, key): &&(NodeId, Key)| {
            let Some(node) = self.touched.0.get(id) else {
                return false;
            };
            let open = node.claims.iter().map(|it| &it.claim);
            let mut open = open
                .filter(|claim| claim.key.class.is_lifecycle() && claim.open().is_some())
                .peekable();
            open.peek().is_some() && open.all(|claim| claim.key != *key)
        };
        let missed = self.missed.0.iter().filter(is_contradicted);
        let uids: BTreeSet<&str> = missed
            .filter_map(|(id, _)| Some(self.touched.0.get(id)?.row.uid.as_str()))
            .collect();
        let uids = uids.into_iter().take(Commit::MOST);
        uids.map(str::to_owned).collect()
    }
}
