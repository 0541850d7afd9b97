//! Uids for which the commit requests a refresh: a scan of one scope ended its claim as deleted while another claim is
//! still open. One of the two scopes is behind, so the receivers scan these uids again.

use std::collections::BTreeSet;

use super::Transaction;
use crate::claims::{Claim, ClaimClass, IntervalEnd, Removal, SourceKey};
use crate::graph_store::Commit;
use crate::store::rows::NodeId;

/// The claims of class `Actual` that this transaction ended as deleted.
#[derive(Debug, Default)]
pub(in crate::store) struct DeletedClaims(BTreeSet<(NodeId, SourceKey)>);

impl DeletedClaims {
    /// Adds a claim that changed, if it was open and is now deleted.
    pub(super) fn record_change(&mut self, node: NodeId, was_open: bool, claim: &Claim) {
        let until = claim.last().and_then(|last| last.until);
        let is_deleted = matches!(until, Some((_, IntervalEnd::Removed(Removal::Deleted))));
        if was_open && is_deleted && claim.key.class == ClaimClass::Actual {
            self.0.insert((node, claim.key.clone()));
        }
    }
}

impl<R> Transaction<'_, R> {
    /// The uids of deleted claims that another open claim contradicts: up to [`Commit::MAX_ITEMS`], ascending.
    pub(super) fn uids_to_refresh(&self) -> Vec<String> {
        let is_contradicted = |(id, key): &&(NodeId, SourceKey)| {
            let Some(node) = self.nodes.0.get(id) else {
                return false;
            };
            let open = node.claims.iter().map(|it| &it.claim);
            let mut open = open
                .filter(|claim| claim.key.class.is_lifecycle() && claim.open().is_some())
                .peekable();
            open.peek().is_some() && open.all(|claim| claim.key != *key)
        };
        let contradicted = self.deleted_claims.0.iter().filter(is_contradicted);
        let uids: BTreeSet<&str> = contradicted
            .filter_map(|(id, _)| Some(self.nodes.0.get(id)?.row.uid.as_str()))
            .collect();
        let uids = uids.into_iter().take(Commit::MAX_ITEMS);
        uids.map(str::to_owned).collect()
    }
}
