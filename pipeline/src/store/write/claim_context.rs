//! The context in which a report is folded into a claim: delete events of the uid, and the scans that affect the claim.

use std::sync::Arc;

use super::Transaction;
use crate::claims::{
    Claim, ClaimClass, ClaimContext, ScanEffect, ScopeRelation, SourceKey, parent_scopes,
    scan_effect,
};
use crate::component::UnixNanos;
use crate::scan_members::Members;
use crate::store::rows::{NodeId, RowsError, ScopeKey, WriteRows};
use crate::uid;

impl<R: WriteRows> Transaction<'_, R> {
    /// The loaded scopes whose scan completions can affect a claim, each with its relation to the claim's scope.
    pub(super) fn relations(&self, key: &SourceKey) -> Vec<(ScopeRelation, ScopeKey)> {
        if key.scope.is_empty() || matches!(key.class, ClaimClass::Telemetry | ClaimClass::Health) {
            return Vec::new();
        }
        let scope = self.words.number(&key.scope);
        if key.class == ClaimClass::Created {
            let rows = self.scopes.actual_scopes_named(scope);
            return rows.map(|row| (ScopeRelation::SameName, row.key)).collect();
        }
        let classes: &[ClaimClass] = match key.class {
            ClaimClass::Edges | ClaimClass::Aliases => &[ClaimClass::Actual, ClaimClass::Desired],
            ClaimClass::Desired => &[ClaimClass::Desired],
            _ => &[ClaimClass::Actual],
        };
        let mut all = Vec::new();
        for class in classes {
            all.push((
                ScopeRelation::Own,
                self.words.scope_key(*class, &key.source, &key.scope),
            ));
            for above in parent_scopes(&key.scope) {
                let above = self.words.scope_key(*class, &key.source, above);
                all.push((ScopeRelation::Above, above));
            }
        }
        all.retain(|(_, scope)| self.scopes.rows.contains_key(scope));
        all
    }

    /// The begin of the newest scan that can affect a claim.
    pub(super) fn last_relevant_scan(&self, key: &SourceKey) -> Option<UnixNanos> {
        let relations = self.relations(key).into_iter();
        relations
            .filter_map(|(_, scope)| self.scopes.last_scan_time(scope))
            .max()
    }

    /// The context for a report that is newer than all other reports of the claim at `index`. The only stored scan that
    /// it needs is the last one that confirmed the claim.
    pub(super) fn context_of_newest(&self, id: NodeId, index: usize) -> ClaimContext {
        let Some(node) = self.nodes.0.get(&id) else {
            return ClaimContext::default();
        };
        let claim = &node.claims[index].claim;
        let confirmed = self.last_confirming_scan(claim);
        let scans = confirmed.map(|began| (began, ScanEffect::Seen(0)));
        ClaimContext {
            deleted: node.delete_event_times(),
            scans: scans.into_iter().collect(),
            dropped_before: UnixNanos(0),
        }
    }

    /// The begin of the last scan of the claim's own scope, if the claim was already open at that time. That scan saw
    /// the uid, since otherwise it would have ended the claim. `None` for closed claims and for classes that scans do
    /// not confirm.
    pub(super) fn last_confirming_scan(&self, claim: &Claim) -> Option<UnixNanos> {
        if !matches!(claim.key.class, ClaimClass::Actual | ClaimClass::Desired) {
            return None;
        }
        let own_scope = self
            .words
            .scope_key(claim.key.class, &claim.key.source, &claim.key.scope);
        let open = claim.open()?;
        self.scopes
            .last_scan_time(own_scope)
            .filter(|last| open.since <= *last)
    }

    /// The context of all loaded delete events and of the effects of all stored scans.
    pub(super) async fn full_context(
        &mut self,
        id: NodeId,
        key: &SourceKey,
    ) -> Result<ClaimContext, RowsError> {
        let Some(node) = self.nodes.0.get(&id) else {
            return Ok(ClaimContext::default());
        };
        let (hash, deleted) = (uid::hash(&node.row.uid), node.delete_event_times());
        let mut context = ClaimContext {
            deleted,
            scans: node.removals_of_parent_claim(key),
            ..ClaimContext::default()
        };
        for (relation, scope) in self.relations(key) {
            let Some(row) = self.scopes.rows.get(&scope).cloned() else {
                continue;
            };
            context.dropped_before = context.dropped_before.max(row.dropped_before);
            for scan in &row.scans {
                let members: Arc<Members> = self.load_members(scope, scan.members).await?;
                let member = members.state_of(hash);
                let classes = (key.class, scope.class);
                if let Some(effect) = scan_effect(relation, classes, member, scan.miss) {
                    context.scans.push((scan.began, effect));
                }
            }
        }
        context.scans.sort_by_key(|(began, _)| *began);
        Ok(context)
    }
}
