//! Completions of scans.

use std::collections::{BTreeMap, BTreeSet};

use super::Transaction;
use crate::claims::{Around, Class, Key, Meaning, Relation, SETTLE, meaning};
use crate::component::UnixNanos;
use crate::reports::{Completion, ReportBatch};
use crate::store::rows::{NodeId, RowsError, ScanRow, ScopeKey, ScopeRow, WriteRows};
use crate::uid;

/// Claims that are read at a time.
const PAGE: usize = if cfg!(test) { 3 } else { 10_000 };

/// Completions of its scope that may have come before a late one.
const LATE: usize = 14;

/// What a completion means for the claims of a node: by their keys.
type Affected = BTreeMap<NodeId, BTreeMap<Key, Option<Meaning>>>;

impl<R: WriteRows> Transaction<'_, R> {
    pub(super) async fn apply_scans(&mut self, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
        let mut completions: Vec<&Completion<'_>> = reports.completions.iter().collect();
        completions.sort_by_key(|completion| completion.began);
        for completion in completions {
            self.complete(completion).await?;
            self.flush().await?;
        }
        self.flush_scopes().await
    }

    async fn complete(&mut self, completion: &Completion<'_>) -> Result<(), RowsError> {
        let scope = self.scope_key(completion.class, completion.source, completion.scope);
        let scan = ScanRow {
            began: completion.began,
            members: completion.members.hash(),
            miss: completion.miss,
        };
        let row = self.scopes.row(scope).clone();
        if row.scans.contains(&scan) {
            return Ok(());
        }
        let later = row.scans.iter().filter(|it| it.began > scan.began).count();
        if later > LATE || scan.began < row.forgotten {
            self.counted.late_completions += 1;
            return Ok(());
        }
        let before = row.scans.last().copied();
        let is_newest = before.is_none_or(|before| before.began < scan.began);
        let is_unchanged = is_newest
            && row.touched == UnixNanos(0)
            && before.is_some_and(|it| (it.members, it.miss) == (scan.members, scan.miss));
        self.record(row, scan, completion).await?;
        let mut affected = Affected::new();
        let before = before.map(|before| before.began);
        self.ended_since(scope, completion, &mut affected).await?;
        if !is_newest {
            self.all_of_scope(scope, completion, &mut affected).await?;
        } else if !is_unchanged {
            self.changed_in_scope(scope, completion, &mut affected)
                .await?;
        }
        self.below(scope, completion, &mut affected).await?;
        self.created(completion, before, is_unchanged, &mut affected)
            .await?;
        self.apply_affected(affected, completion, is_newest, before)
            .await?;
        self.touch_contested(scope).await
    }

    /// What is current of the contested nodes of a scope depends on when it last completed a scan.
    async fn touch_contested(&mut self, scope: ScopeKey) -> Result<(), RowsError> {
        let contested = self.rows.contested(scope).await?;
        self.touch(contested.clone()).await?;
        for id in contested {
            if let Some(node) = self.touched.0.get_mut(&id) {
                node.is_contested = true;
            }
        }
        Ok(())
    }

    /// Adds the scan to those that the scope keeps.
    async fn record(
        &mut self,
        mut row: ScopeRow,
        scan: ScanRow,
        completion: &Completion<'_>,
    ) -> Result<(), RowsError> {
        let has = |row: &ScopeRow, members| row.scans.iter().any(|it| it.members == members);
        let is_known = has(&self.scopes.stored(&row), scan.members);
        row.scans.push(scan);
        row.scans.sort_by_key(|it| (it.began, it.members));
        // More than one where scans that were left out have happened now.
        let over = row.scans.len().saturating_sub(ScopeRow::WINDOW);
        let dropped: Vec<ScanRow> = row.scans.drain(..over).collect();
        if let Some(last) = dropped.last() {
            row.forgotten = UnixNanos(last.began.0 + 1);
        }
        let stored = self.scopes.stored(&row);
        if !dropped.iter().all(|it| has(&stored, it.members)) {
            self.rows.put_members(&stored, &[]).await?;
        }
        if !is_known {
            let bytes = completion.members.as_bytes().to_vec();
            self.rows
                .put_members(&stored, &[(scan.members, bytes)])
                .await?;
        }
        if row.touched <= scan.began {
            row.touched = UnixNanos(0);
        }
        let key = row.key;
        self.scopes
            .members
            .insert((key, scan.members), completion.members.clone());
        self.scopes.rows.insert(key, row);
        self.scopes.changed.insert(key);
        Ok(())
    }

    /// Claims of the scope for which the newest scan means something new.
    async fn changed_in_scope(
        &mut self,
        scope: ScopeKey,
        completion: &Completion<'_>,
        affected: &mut Affected,
    ) -> Result<(), RowsError> {
        let members = &completion.members;
        let mut found = BTreeSet::new();
        for class in [scope.class, Class::Edges, Class::Aliases] {
            let claims = ScopeKey { class, ..scope };
            let key = self.named(claims);
            let mut after = 0;
            loop {
                let page = self.rows.open_claims(claims, after, PAGE).await?;
                let is_last = page.len() < PAGE;
                for (hash, row) in page {
                    after = row.key.node;
                    let member = members.state_of(hash);
                    let classes = (class, scope.class);
                    let meaning = meaning(Relation::Own, classes, member, completion.miss);
                    let confirms = match meaning {
                        None => true,
                        Some(Meaning::Seen(state)) => {
                            (state == 0 || state == row.stretch.state)
                                && row.stretch.last_report() <= completion.began
                        }
                        Some(_) => false,
                    };
                    if class == scope.class {
                        found.insert(hash);
                    }
                    if !confirms {
                        let of_node = affected.entry(row.key.node).or_default();
                        of_node.insert(key.clone(), meaning);
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        // Members without an open claim.
        let missing: Vec<(u64, u64)> = members
            .iter()
            .filter(|(hash, _)| !found.contains(hash))
            .collect();
        let key = self.named(scope);
        for pages in missing.chunks(PAGE) {
            let hashes: Vec<u64> = pages.iter().map(|(hash, _)| *hash).collect();
            for (hash, node) in self.rows.nodes_by_hash(&hashes).await? {
                let state = members.state_of(hash).unwrap_or_default();
                let of_node = affected.entry(node).or_default();
                of_node.insert(key.clone(), Some(Meaning::Seen(state)));
            }
        }
        Ok(())
    }

    /// Claims of the scope that another report ended later than the scan began.
    async fn ended_since(
        &mut self,
        scope: ScopeKey,
        completion: &Completion<'_>,
        affected: &mut Affected,
    ) -> Result<(), RowsError> {
        for class in [scope.class, Class::Edges, Class::Aliases] {
            let claims = ScopeKey { class, ..scope };
            let key = self.named(claims);
            // At the same time, too: of two removals then a deletion counts.
            let since = UnixNanos(completion.began.0.saturating_sub(1));
            let ended = self.rows.ended_claims(claims, since).await?;
            for (_, node) in ended {
                affected.entry(node).or_default().insert(key.clone(), None);
            }
        }
        Ok(())
    }

    /// All open claims of a scope.
    async fn open_in(
        &mut self,
        claims: ScopeKey,
        affected: &mut Affected,
    ) -> Result<(), RowsError> {
        let key = self.named(claims);
        let mut after = 0;
        loop {
            let page = self.rows.open_claims(claims, after, PAGE).await?;
            let is_last = page.len() < PAGE;
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

    /// Every claim that a late completion can concern.
    async fn all_of_scope(
        &mut self,
        scope: ScopeKey,
        completion: &Completion<'_>,
        affected: &mut Affected,
    ) -> Result<(), RowsError> {
        for class in [scope.class, Class::Edges, Class::Aliases] {
            self.open_in(ScopeKey { class, ..scope }, affected).await?;
        }
        let key = self.named(scope);
        let hashes: Vec<u64> = completion.members.iter().map(|(hash, _)| hash).collect();
        for (_, node) in self.rows.nodes_by_hash(&hashes).await? {
            affected.entry(node).or_default().insert(key.clone(), None);
        }
        Ok(())
    }

    /// Claims in scopes below: this scan covers them.
    async fn below(
        &mut self,
        scope: ScopeKey,
        completion: &Completion<'_>,
        affected: &mut Affected,
    ) -> Result<(), RowsError> {
        if completion.scope.is_empty() {
            return Ok(());
        }
        let prefix = format!("{}/", completion.scope);
        let words = self.rows.words_with_prefix(&prefix).await?;
        self.words.read(self.rows, words.iter().copied()).await?;
        self.load_scopes_of(words.clone()).await?;
        for word in words {
            for class in [scope.class, Class::Edges, Class::Aliases] {
                let claims = ScopeKey {
                    class,
                    source: scope.source,
                    scope: word,
                };
                self.open_in(claims, affected).await?;
            }
            let below = ScopeKey {
                scope: word,
                ..scope
            };
            self.ended_since(below, completion, affected).await?;
        }
        Ok(())
    }

    /// Claims of create events in a scope of this name.
    async fn created(
        &mut self,
        completion: &Completion<'_>,
        before: Option<UnixNanos>,
        is_unchanged: bool,
        affected: &mut Affected,
    ) -> Result<(), RowsError> {
        if completion.class != Class::Actual || completion.scope.is_empty() {
            return Ok(());
        }
        let name = self.words.number(completion.scope);
        let created: Vec<ScopeRow> = self
            .scopes
            .rows
            .values()
            .filter(|row| row.key.class == Class::Created && row.key.scope == name)
            .cloned()
            .collect();
        // Scopes of other sources have a say as well: what their last scan came too early for is not settled.
        let own = self.scope_key(completion.class, completion.source, completion.scope);
        let others = self.scopes.of_any_source(name);
        let others = others.filter(|row| row.key != own);
        let others = others.map(|row| row.scans.last().map(|scan| scan.began));
        let scanned_until = others.chain([before]).min().flatten();
        for row in created {
            let key = self.named(row.key);
            self.touch_contested(row.key).await?;
            if is_unchanged && row.touched == UnixNanos(0) {
                continue;
            }
            // At the same time, too: another source's scan of that time may only have released it.
            let since = UnixNanos(completion.began.0.saturating_sub(1));
            let ended = self.rows.ended_claims(row.key, since).await?;
            // What something later ended may have to end earlier, once a scan lacks it.
            let mut are_settled = ended.is_empty();
            for (_, node) in ended {
                affected.entry(node).or_default().insert(key.clone(), None);
            }
            self.open_in(row.key, affected).await?;
            let mut after = 0;
            loop {
                let page = self.rows.open_claims(row.key, after, PAGE).await?;
                let Some((_, last)) = page.last() else { break };
                after = last.key.node;
                let settled =
                    |it: UnixNanos| scanned_until.is_some_and(|scan| scan >= it.after(SETTLE));
                are_settled &= page.iter().all(|(_, claim)| settled(claim.stretch.seen));
            }
            let row = self.scopes.row(row.key);
            if row.touched > UnixNanos(0) && are_settled {
                row.touched = UnixNanos(0);
                let key = row.key;
                self.scopes.changed.insert(key);
            }
        }
        Ok(())
    }

    async fn apply_affected(
        &mut self,
        affected: Affected,
        completion: &Completion<'_>,
        is_newest: bool,
        before: Option<UnixNanos>,
    ) -> Result<(), RowsError> {
        let began = completion.began;
        let scope = self.scope_key(completion.class, completion.source, completion.scope);
        let own = self.named(scope);
        self.touch(affected.keys().copied().collect()).await?;
        let mut is_unsettled = false;
        for (id, keys) in affected {
            for (key, meaning) in keys {
                let Some(node) = self.touched.0.get_mut(&id) else {
                    continue;
                };
                if !node.claims.iter().any(|it| it.claim.key == key) {
                    // A member that no row of this scope ever reported.
                    continue;
                }
                let place = node.claim(&key);
                let hash = uid::hash(&node.row.uid);
                let Some(node) = self.touched.0.get(&id) else {
                    continue;
                };
                let claim = &node.claims[place].claim;
                let open = claim.open();
                let confirmed = before.filter(|it| open.is_some_and(|open| open.since <= *it));
                let is_newest = is_newest
                    && confirmed.is_none_or(|scan| node.knows_events_at(scan))
                    && claim.last().is_none_or(|last| last.last_report() < began)
                    && self.last_scan(&key).is_none_or(|scan| scan <= began)
                    && node.begins_before(&key, began)
                    && node.delete_events().iter().all(|deleted| *deleted <= began);
                let is_own = (&key.source, &key.scope) == (&own.source, &own.scope)
                    && key.class.ends_with(own.class);
                let member = completion.members.state_of(hash);
                let Some(meaning) = meaning.filter(|_| is_newest) else {
                    let changed = self.happened(id, &key, began).await?;
                    if changed && !is_own && matches!(key.class, Class::Actual | Class::Desired) {
                        let below = self.scope_key(key.class, &key.source, &key.scope);
                        self.scopes.touch(below, began);
                    }
                    is_unsettled |= is_own && !self.agrees(id, &key, member);
                    continue;
                };
                let Some(node) = self.touched.0.get(&id) else {
                    continue;
                };
                let confirmed = confirmed.map(|scan| (scan, Meaning::Seen(0)));
                let around = Around {
                    deleted: node.delete_events(),
                    scans: confirmed.into_iter().chain([(began, meaning)]).collect(),
                    forgotten: UnixNanos(0),
                };
                self.change(id, &key, |claim| claim.happened(began, &around));
                is_unsettled |= is_own && !self.agrees(id, &key, member);
            }
        }
        if is_unsettled {
            // A delete event keeps a member from counting, or a report of the same time a miss: the
            // next scan must look again.
            self.scopes.touch(scope, began);
        }
        Ok(())
    }

    /// Whether a claim is as a scan saw it.
    fn agrees(&self, id: NodeId, key: &Key, member: Option<u64>) -> bool {
        let node = self.touched.0.get(&id);
        let claims = node.into_iter().flat_map(|node| &node.claims);
        let mut claims = claims.filter(|it| it.claim.key == *key);
        let open = claims.find_map(|it| it.claim.open());
        match (open, member) {
            // A member says nothing of a snapshot that no scan made.
            (_, Some(_)) if matches!(key.class, Class::Edges | Class::Aliases) => true,
            (Some(open), Some(state)) => state == 0 || state == open.state,
            (open, member) => open.is_some() == member.is_some(),
        }
    }

    fn named(&self, scope: ScopeKey) -> Key {
        Key {
            class: scope.class,
            source: self.words.text(scope.source),
            scope: self.words.text(scope.scope),
        }
    }
}
