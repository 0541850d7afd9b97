//! Applies scan completions: records each scan in its scope, and changes the claims that it confirms or ends.

use super::Transaction;
use super::affected_claims::AffectedClaims;
use crate::claims::{ClaimClass, ClaimContext, ScanEffect, SourceKey};
use crate::component::UnixNanos;
use crate::reports::{ReportBatch, ScanCompletion};
use crate::store::rows::{NodeId, RowsError, ScanRow, ScopeKey, ScopeRow, WriteRows};
use crate::uid;

/// A completion is late, and is dropped, if its scope already has more than this many scans that began after it.
const MAX_LATENESS: usize = 14;

impl<R: WriteRows> Transaction<'_, R> {
    /// Applies the completions of a batch in the order of their times, and writes the changed claims and scopes.
    pub(super) async fn apply_completions(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        let mut completions: Vec<&ScanCompletion<'_>> = reports.completions.iter().collect();
        completions.sort_by_key(|completion| completion.began);
        for completion in completions {
            self.apply_completion(completion).await?;
            self.flush_claims().await?;
        }
        self.flush_scopes().await
    }

    /// Applies one completion. A repeated completion changes nothing; a late one is dropped and counted.
    async fn apply_completion(&mut self, completion: &ScanCompletion<'_>) -> Result<(), RowsError> {
        let scope = self
            .words
            .scope_key(completion.class, completion.source, completion.scope);
        let scan = ScanRow {
            began: completion.began,
            members: completion.members.hash(),
            miss: completion.miss,
        };
        let row = self.scopes.row(scope).clone();
        if row.scans.contains(&scan) {
            return Ok(());
        }
        let newer = row.scans.iter().filter(|it| it.began > scan.began);
        if newer.count() > MAX_LATENESS || scan.began < row.dropped_before {
            self.dropped.late_completions += 1;
            return Ok(());
        }
        let last = row.scans.last().copied();
        let is_newest = last.is_none_or(|last| last.began < scan.began);
        let is_unchanged = is_newest
            && row.last_direct_report == UnixNanos(0)
            && last.is_some_and(|it| (it.members, it.miss) == (scan.members, scan.miss));
        self.record_scan(row, scan, completion).await?;
        let mut affected = AffectedClaims::new();
        let last_scan = last.map(|last| last.began);
        self.collect_claims_ended_since(scope, completion, &mut affected)
            .await?;
        if !is_newest {
            self.collect_claims_of_scope(scope, completion, &mut affected)
                .await?;
        } else if !is_unchanged {
            self.collect_changed_claims(scope, completion, &mut affected)
                .await?;
        }
        self.collect_claims_below(scope, completion, &mut affected)
            .await?;
        self.collect_created_claims(completion, last_scan, is_unchanged, &mut affected)
            .await?;
        self.apply_affected(affected, completion, is_newest, last_scan)
            .await?;
        self.load_contested(scope).await
    }

    /// Loads the contested nodes of a scope, and marks them so that their current rows are computed again: their
    /// existence depends on when the scope last completed a scan.
    pub(super) async fn load_contested(&mut self, scope: ScopeKey) -> Result<(), RowsError> {
        let contested = self.rows.contested(scope).await?;
        self.load_nodes(contested.clone()).await?;
        for id in contested {
            if let Some(node) = self.nodes.0.get_mut(&id) {
                node.is_contested = true;
            }
        }
        Ok(())
    }

    /// Adds a scan and its members to the scope, and drops the oldest scans above [`ScopeRow::WINDOW`].
    async fn record_scan(
        &mut self,
        mut row: ScopeRow,
        scan: ScanRow,
        completion: &ScanCompletion<'_>,
    ) -> Result<(), RowsError> {
        let refers_to = |row: &ScopeRow, members| row.scans.iter().any(|it| it.members == members);
        let has_stored_members = refers_to(&self.scopes.stored_row(&row), scan.members);
        row.scans.push(scan);
        row.scans.sort_by_key(|it| (it.began, it.members));
        // More than one scan is over the limit if scans that were in the future have begun since the row was written.
        let over = row.scans.len().saturating_sub(ScopeRow::WINDOW);
        let dropped: Vec<ScanRow> = row.scans.drain(..over).collect();
        if let Some(last) = dropped.last() {
            row.dropped_before = UnixNanos(last.began.0 + 1);
        }
        let stored = self.scopes.stored_row(&row);
        if !dropped.iter().all(|it| refers_to(&stored, it.members)) {
            self.rows.put_members(&stored, &[]).await?;
        }
        if !has_stored_members {
            let bytes = completion.members.as_bytes().to_vec();
            self.rows
                .put_members(&stored, &[(scan.members, bytes)])
                .await?;
        }
        if row.last_direct_report <= scan.began {
            row.last_direct_report = UnixNanos(0);
        }
        let key = row.key;
        self.scopes
            .members
            .insert((key, scan.members), completion.members.clone());
        self.scopes.rows.insert(key, row);
        self.scopes.changed.insert(key);
        Ok(())
    }

    /// Folds the completion into the affected claims. `last_scan` is the begin of the newest scan that the scope had
    /// before this completion arrived.
    async fn apply_affected(
        &mut self,
        affected: AffectedClaims,
        completion: &ScanCompletion<'_>,
        is_newest: bool,
        last_scan: Option<UnixNanos>,
    ) -> Result<(), RowsError> {
        let began = completion.began;
        let scope = self
            .words
            .scope_key(completion.class, completion.source, completion.scope);
        let own_key = self.words.source_key(scope);
        self.load_nodes(affected.keys().copied().collect()).await?;
        let mut is_unsettled = false;
        for (id, keys) in affected {
            for (key, effect) in keys {
                let Some(node) = self.nodes.0.get_mut(&id) else {
                    continue;
                };
                if !node.claims.iter().any(|it| it.claim.key == key) {
                    // No row of this scope ever reported this member, and membership alone opens no claim.
                    continue;
                }
                let index = node.claim_index(&key);
                let hash = uid::hash(&node.row.uid);
                let Some(node) = self.nodes.0.get(&id) else {
                    continue;
                };
                let claim = &node.claims[index].claim;
                let open = claim.open();
                let confirmed =
                    last_scan.filter(|scan| open.is_some_and(|open| open.since <= *scan));
                let is_newest = is_newest
                    && confirmed.is_none_or(|scan| node.has_loaded_delete_events_at(scan))
                    && claim.last().is_none_or(|last| last.last_report() < began)
                    && self
                        .last_relevant_scan(&key)
                        .is_none_or(|scan| scan <= began)
                    && node.has_loaded_events_for(&key, began)
                    && node
                        .delete_event_times()
                        .iter()
                        .all(|deleted| *deleted <= began);
                let is_own = (&key.source, &key.scope) == (&own_key.source, &own_key.scope)
                    && key.class.ends_with(own_key.class);
                let member = completion.members.state_of(hash);
                let Some(effect) = effect.filter(|_| is_newest) else {
                    let changed = self.fold_at(id, &key, began).await?;
                    if changed
                        && !is_own
                        && matches!(key.class, ClaimClass::Actual | ClaimClass::Desired)
                    {
                        let below = self.words.scope_key(key.class, &key.source, &key.scope);
                        self.scopes.mark_for_examination(below, began);
                    }
                    is_unsettled |= is_own && !self.matches_member(id, &key, member);
                    continue;
                };
                let Some(node) = self.nodes.0.get(&id) else {
                    continue;
                };
                let confirmed = confirmed.map(|scan| (scan, ScanEffect::Seen(0)));
                let context = ClaimContext {
                    deleted: node.delete_event_times(),
                    scans: confirmed.into_iter().chain([(began, effect)]).collect(),
                    dropped_before: UnixNanos(0),
                };
                self.change_claim(id, &key, |claim| claim.refold_at(began, &context));
                is_unsettled |= is_own && !self.matches_member(id, &key, member);
            }
        }
        if is_unsettled {
            // A claim disagrees with the scan: a delete event suppresses the member, or a report of the same time
            // outweighs the miss. The next scan must examine these claims again.
            self.scopes.mark_for_examination(scope, began);
        }
        Ok(())
    }

    /// Whether a claim agrees with a scan. `member` is the state in which the scan saw the uid; `None` if it did not
    /// see it.
    fn matches_member(&self, id: NodeId, key: &SourceKey, member: Option<u64>) -> bool {
        let node = self.nodes.0.get(&id);
        let claims = node.into_iter().flat_map(|node| &node.claims);
        let mut claims = claims.filter(|it| it.claim.key == *key);
        let open = claims.find_map(|it| it.claim.open());
        match (open, member) {
            // Membership does not affect snapshots outside of scans.
            (_, Some(_)) if matches!(key.class, ClaimClass::Edges | ClaimClass::Aliases) => true,
            (Some(open), Some(state)) => state == 0 || state == open.state,
            (open, member) => open.is_some() == member.is_some(),
        }
    }
}
