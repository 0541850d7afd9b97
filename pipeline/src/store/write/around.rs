//! What is known besides a claim's own stretches.

use super::Transaction;
use crate::claims::{Around, Claim, Class, Key, Meaning, Relation, above, meaning};
use crate::component::UnixNanos;
use crate::members::Members;
use crate::store::rows::{NodeId, RowsError, ScopeKey, WriteRows};
use crate::uid;

impl<R: WriteRows> Transaction<'_, R> {
    /// The scopes whose completions mean something for a claim.
    pub(super) fn relations(&self, key: &Key) -> Vec<(Relation, ScopeKey)> {
        if key.scope.is_empty() || matches!(key.class, Class::Telemetry | Class::Health) {
            return Vec::new();
        }
        let scope = self.words.number(&key.scope);
        if key.class == Class::Created {
            let rows = self.scopes.of_any_source(scope);
            return rows.map(|row| (Relation::SameName, row.key)).collect();
        }
        let classes: &[Class] = match key.class {
            Class::Edges | Class::Aliases => &[Class::Actual, Class::Desired],
            Class::Desired => &[Class::Desired],
            _ => &[Class::Actual],
        };
        let mut all = Vec::new();
        for class in classes {
            all.push((
                Relation::Own,
                self.scope_key(*class, &key.source, &key.scope),
            ));
            for above in above(&key.scope) {
                let above = self.scope_key(*class, &key.source, above);
                all.push((Relation::Above, above));
            }
        }
        all.retain(|(_, scope)| self.scopes.rows.contains_key(scope));
        all
    }

    /// When the newest scan began that means something for a claim.
    pub(super) fn last_scan(&self, key: &Key) -> Option<UnixNanos> {
        let relations = self.relations(key).into_iter();
        relations
            .filter_map(|(_, scope)| self.scopes.last(scope))
            .max()
    }

    /// What a claim needs to know for a report that is newer than all others.
    pub(super) fn around_newest(&self, id: NodeId, place: usize) -> Around {
        let Some(node) = self.touched.0.get(&id) else {
            return Around::default();
        };
        let claim = &node.claims[place].claim;
        let confirmed = self.confirmed_by(claim);
        let scans = confirmed.map(|began| (began, Meaning::Seen(0)));
        Around {
            deleted: node.delete_events(),
            scans: scans.into_iter().collect(),
            forgotten: UnixNanos(0),
        }
    }

    /// When the last scan of its scope began that saw what is open, if it did not open after it.
    pub(super) fn confirmed_by(&self, claim: &Claim) -> Option<UnixNanos> {
        if !matches!(claim.key.class, Class::Actual | Class::Desired) {
            return None;
        }
        let own = self.scope_key(claim.key.class, &claim.key.source, &claim.key.scope);
        let open = claim.open()?;
        self.scopes.last(own).filter(|last| open.since <= *last)
    }

    /// All that is kept.
    pub(super) async fn around(&mut self, id: NodeId, key: &Key) -> Result<Around, RowsError> {
        let Some(node) = self.touched.0.get(&id) else {
            return Ok(Around::default());
        };
        let (hash, deleted) = (uid::hash(&node.row.uid), node.delete_events());
        let mut around = Around {
            deleted,
            scans: node.removed_beside(key),
            ..Around::default()
        };
        for (relation, scope) in self.relations(key) {
            let Some(row) = self.scopes.rows.get(&scope).cloned() else {
                continue;
            };
            around.forgotten = around.forgotten.max(row.forgotten);
            for scan in &row.scans {
                let members: std::sync::Arc<Members> = self.members(scope, scan.members).await?;
                let member = members.state_of(hash);
                let classes = (key.class, scope.class);
                if let Some(meaning) = meaning(relation, classes, member, scan.miss) {
                    around.scans.push((scan.began, meaning));
                }
            }
        }
        around.scans.sort_by_key(|(began, _)| *began);
        Ok(around)
    }
}
