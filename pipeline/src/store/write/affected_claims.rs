//! Collects the claims that a scan completion may change.

use std::collections::{BTreeMap, BTreeSet};

use super::Transaction;
use crate::claims::{ClaimClass, SETTLE, ScanEffect, ScopeRelation, SourceKey, scan_effect};
use crate::component::UnixNanos;
use crate::reports::ScanCompletion;
use crate::store::rows::{NodeId, RowsError, ScopeKey, ScopeRow, WriteRows};

/// How many claims one read returns at most.
const PAGE_SIZE: usize = if cfg!(test) { 3 } else { 10_000 };

/// The claims that a completion may change, by node, each with the effect of the completion on it; `None` if the claim
/// must be folded again with its full context.
pub(super) type AffectedClaims = BTreeMap<NodeId, BTreeMap<SourceKey, Option<ScanEffect>>>;

impl<R: WriteRows> Transaction<'_, R> {
    /// Collects the claims that the newest scan of the scope may change: open claims that it does not confirm, and
    /// claims of its members that are not open.
    pub(super) async fn collect_changed_claims(
        &mut self,
        scope: ScopeKey,
        completion: &ScanCompletion<'_>,
        affected: &mut AffectedClaims,
    ) -> Result<(), RowsError> {
        let members = &completion.members;
        let mut open_members = BTreeSet::new();
        for class in [scope.class, ClaimClass::Edges, ClaimClass::Aliases] {
            let claims = ScopeKey { class, ..scope };
            let key = self.words.source_key(claims);
            let mut after = 0;
            loop {
                let page = self.rows.open_claims(claims, after, PAGE_SIZE).await?;
                let is_last = page.len() < PAGE_SIZE;
                for (hash, row) in page {
                    after = row.key.node;
                    let member = members.state_of(hash);
                    let classes = (class, scope.class);
                    let effect = scan_effect(ScopeRelation::Own, classes, member, completion.miss);
                    let confirms = match effect {
                        None => true,
                        Some(ScanEffect::Seen(state)) => {
                            (state == 0 || state == row.interval.state)
                                && row.interval.last_report() <= completion.began
                        }
                        Some(_) => false,
                    };
                    if class == scope.class {
                        open_members.insert(hash);
                    }
                    if !confirms {
                        let of_node = affected.entry(row.key.node).or_default();
                        of_node.insert(key.clone(), effect);
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        let not_open: Vec<(u64, u64)> = members
            .iter()
            .filter(|(hash, _)| !open_members.contains(hash))
            .collect();
        let key = self.words.source_key(scope);
        for page in not_open.chunks(PAGE_SIZE) {
            let hashes: Vec<u64> = page.iter().map(|(hash, _)| *hash).collect();
            for (hash, node) in self.rows.nodes_by_hash(&hashes).await? {
                let state = members.state_of(hash).unwrap_or_default();
                let of_node = affected.entry(node).or_default();
                of_node.insert(key.clone(), Some(ScanEffect::Seen(state)));
            }
        }
        Ok(())
    }

    /// Collects the claims of the scope that another report ended after the scan began, or at the same time.
    pub(super) async fn collect_claims_ended_since(
        &mut self,
        scope: ScopeKey,
        completion: &ScanCompletion<'_>,
        affected: &mut AffectedClaims,
    ) -> Result<(), RowsError> {
        for class in [scope.class, ClaimClass::Edges, ClaimClass::Aliases] {
            let claims = ScopeKey { class, ..scope };
            let key = self.words.source_key(claims);
            // `ended_claims` excludes `since`. A claim that ended when the scan began matters: of two removals at the
            // same time, a deletion wins over a release.
            let since = UnixNanos(completion.began.0.saturating_sub(1));
            let ended = self.rows.ended_claims(claims, since).await?;
            for (_, node) in ended {
                affected.entry(node).or_default().insert(key.clone(), None);
            }
        }
        Ok(())
    }

    /// Collects all open claims of a scope.
    pub(super) async fn collect_open_claims(
        &mut self,
        claims: ScopeKey,
        affected: &mut AffectedClaims,
    ) -> Result<(), RowsError> {
        let key = self.words.source_key(claims);
        let mut after = 0;
        loop {
            let page = self.rows.open_claims(claims, after, PAGE_SIZE).await?;
            let is_last = page.len() < PAGE_SIZE;
            for (_, row) in page {
                after = row.key.node;
                let of_node = affected.entry(row.key.node).or_default();
                of_node.insert(key.clone(), None);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Collects every claim of the scope that a completion can change if it is not the newest one.
    pub(super) async fn collect_claims_of_scope(
        &mut self,
        scope: ScopeKey,
        completion: &ScanCompletion<'_>,
        affected: &mut AffectedClaims,
    ) -> Result<(), RowsError> {
        for class in [scope.class, ClaimClass::Edges, ClaimClass::Aliases] {
            self.collect_open_claims(ScopeKey { class, ..scope }, affected)
                .await?;
        }
        let key = self.words.source_key(scope);
        let hashes: Vec<u64> = completion.members.iter().map(|(hash, _)| hash).collect();
        for (_, node) in self.rows.nodes_by_hash(&hashes).await? {
            affected.entry(node).or_default().insert(key.clone(), None);
        }
        Ok(())
    }

    /// Collects the claims in the scopes below this one, which the scan covers as well.
    pub(super) async fn collect_claims_below(
        &mut self,
        scope: ScopeKey,
        completion: &ScanCompletion<'_>,
        affected: &mut AffectedClaims,
    ) -> Result<(), RowsError> {
        if completion.scope.is_empty() {
            return Ok(());
        }
        let prefix = format!("{}/", completion.scope);
        let words = self.rows.words_with_prefix(&prefix).await?;
        self.words
            .load_texts(self.rows, words.iter().copied())
            .await?;
        self.load_scopes_of(words.clone()).await?;
        for word in words {
            for class in [scope.class, ClaimClass::Edges, ClaimClass::Aliases] {
                let claims = ScopeKey {
                    class,
                    source: scope.source,
                    scope: word,
                };
                self.collect_open_claims(claims, affected).await?;
            }
            let below = ScopeKey {
                scope: word,
                ..scope
            };
            self.collect_claims_ended_since(below, completion, affected)
                .await?;
        }
        Ok(())
    }

    /// Collects the claims of create events in scopes with the name of the scanned one, and loads the contested nodes
    /// of these scopes. `last_scan` is the begin of the newest scan that the scanned scope had before this completion
    /// arrived.
    pub(super) async fn collect_created_claims(
        &mut self,
        completion: &ScanCompletion<'_>,
        last_scan: Option<UnixNanos>,
        is_unchanged: bool,
        affected: &mut AffectedClaims,
    ) -> Result<(), RowsError> {
        if completion.class != ClaimClass::Actual || completion.scope.is_empty() {
            return Ok(());
        }
        let name = self.words.number(completion.scope);
        let created: Vec<ScopeRow> = self
            .scopes
            .rows
            .values()
            .filter(|row| row.key.class == ClaimClass::Created && row.key.scope == name)
            .cloned()
            .collect();
        // Scans of other sources in scopes of this name affect the claims as well: a create event has settled only if
        // the last scan of each source began late enough.
        let scanned = self
            .words
            .scope_key(completion.class, completion.source, completion.scope);
        let other_scopes = self.scopes.actual_scopes_named(name);
        let other_scopes = other_scopes.filter(|row| row.key != scanned);
        let other_scans = other_scopes.map(|row| row.scans.last().map(|scan| scan.began));
        let scanned_until = other_scans.chain([last_scan]).min().flatten();
        for row in created {
            let key = self.words.source_key(row.key);
            self.load_contested(row.key).await?;
            if is_unchanged && row.last_direct_report == UnixNanos(0) {
                continue;
            }
            // `ended_claims` excludes `since`. A claim that ended when the scan began matters: a scan of another source
            // may only have released it.
            let since = UnixNanos(completion.began.0.saturating_sub(1));
            let ended = self.rows.ended_claims(row.key, since).await?;
            // A report with a later time may have ended a claim that an earlier scan, which lacks the uid, must end.
            let mut all_have_settled = ended.is_empty();
            for (_, node) in ended {
                affected.entry(node).or_default().insert(key.clone(), None);
            }
            self.collect_open_claims(row.key, affected).await?;
            let mut after = 0;
            loop {
                let page = self.rows.open_claims(row.key, after, PAGE_SIZE).await?;
                let Some((_, last)) = page.last() else { break };
                after = last.key.node;
                let has_settled =
                    |seen: UnixNanos| scanned_until.is_some_and(|scan| scan >= seen + SETTLE);
                all_have_settled &= page
                    .iter()
                    .all(|(_, claim)| has_settled(claim.interval.seen));
            }
            let row = self.scopes.row(row.key);
            if row.last_direct_report > UnixNanos(0) && all_have_settled {
                row.last_direct_report = UnixNanos(0);
                let key = row.key;
                self.scopes.changed.insert(key);
            }
        }
        Ok(())
    }
}
