//! The nodes whose claims a transaction may change.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::Transaction;
use crate::claims::{Claim, Class, Key, Meaning, SETTLE, Stretch, What};
use crate::component::UnixNanos;
use crate::store::rows::{
    ClaimKey, ClaimRow, NodeId, NodeRow, Projection, ReadRows, RowsError, ScopeKey, WriteRows,
};

/// By their numbers.
#[derive(Debug, Default)]
pub(in crate::store) struct Touched(pub(super) BTreeMap<NodeId, TouchedNode>);

#[derive(Debug, Default)]
pub(in crate::store) struct TouchedNode {
    /// As it was before.
    pub(super) row: NodeRow,
    pub(super) is_new: bool,
    pub(super) claims: Vec<TouchedClaim>,
    /// Since when all stretches are loaded; none where only the last ones are.
    pub(super) loaded_since: Option<UnixNanos>,
    /// When anything direct was reported of it, first and last.
    pub(super) reported: Option<(UnixNanos, UnixNanos)>,
    /// Whether anything new was written that a state of it names.
    pub(super) has_new_content: bool,
    /// Whether it is to be found anew what is current, although no claim changed.
    pub(super) is_contested: bool,
}

#[derive(Debug)]
pub(in crate::store) struct TouchedClaim {
    pub(super) claim: Claim,
    /// As it is stored.
    pub(super) stored: Vec<Stretch>,
    /// Whether it changed since the transaction began.
    pub(super) has_changed: bool,
    /// Whether what it says changed, not only when that was last reported.
    pub(super) has_news: bool,
}

impl Touched {
    /// Makes all that is current of a touched node be computed anew.
    pub(in crate::store) fn fold_again(&mut self, id: NodeId) {
        if let Some(node) = self.0.get_mut(&id) {
            node.has_new_content = true;
            node.is_contested = true;
        }
    }

    /// A touched node as it is stored; none where there is no such node.
    pub(in crate::store) fn row(&self, id: NodeId) -> Option<&NodeRow> {
        let node = self.0.get(&id)?;
        (node.row.id == id).then_some(&node.row)
    }
}

impl TouchedNode {
    pub(super) fn is_reported_at(&mut self, time: UnixNanos) {
        let (first, last) = self.reported.unwrap_or((time, time));
        self.reported = Some((first.min(time), last.max(time)));
    }

    /// The place of a claim, which is made where there is none.
    pub(super) fn claim(&mut self, key: &Key) -> usize {
        let place = self.claims.iter().position(|it| it.claim.key == *key);
        place.unwrap_or_else(|| {
            self.claims.push(TouchedClaim {
                claim: Claim::new(key.clone()),
                stored: Vec::new(),
                has_changed: false,
                has_news: false,
            });
            self.claims.len() - 1
        })
    }

    /// When the uid was deleted by events.
    pub(super) fn delete_events(&self) -> Vec<UnixNanos> {
        let stretches = self.claims.iter().flat_map(|it| &it.claim.stretches);
        let points = stretches.flat_map(|stretch| &stretch.points);
        let deleted = points.filter(|point| point.what == What::Deleted);
        let mut times: Vec<UnixNanos> = deleted.map(|point| point.time).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Whether all events and removals that matter for a report of this time are loaded: an earlier
    /// stretch than the last one, which may not be, has none that is later, or that settles yet.
    pub(super) fn begins_before(&self, key: &Key, time: UnixNanos) -> bool {
        let is_before = |claim: &Claim, since: UnixNanos| {
            let other = &claim.key;
            let is_beside = (&other.source, &other.scope) == (&key.source, &key.scope);
            other.class == Class::Created || !is_beside || since <= time
        };
        let mut claims = self.claims.iter().map(|it| &it.claim);
        self.knows_events_at(time)
            && claims.all(|claim| claim.last().is_none_or(|last| is_before(claim, last.since)))
    }

    /// Whether the delete events that are loaded are all that settle at this time. They are kept with
    /// create events.
    pub(super) fn knows_events_at(&self, time: UnixNanos) -> bool {
        let claims = self.claims.iter().map(|it| &it.claim);
        let mut created = claims.filter(|claim| claim.key.class == Class::Created);
        created.all(|claim| {
            claim
                .last()
                .is_none_or(|last| last.since.after(SETTLE) <= time)
        })
    }

    /// Removals of the claim that a snapshot without a scan ends with.
    pub(super) fn removed_beside(&self, key: &Key) -> Vec<(UnixNanos, Meaning)> {
        if !matches!(key.class, Class::Edges | Class::Aliases) {
            return Vec::new();
        }
        let beside = self.claims.iter().map(|it| &it.claim).filter(|claim| {
            let other = &claim.key;
            matches!(other.class, Class::Actual | Class::Desired)
                && (&other.source, &other.scope) == (&key.source, &key.scope)
        });
        let points = beside
            .flat_map(|claim| &claim.stretches)
            .flat_map(|stretch| &stretch.points);
        let removed = points.filter_map(|point| match point.what {
            What::Removed(how) => Some((point.time, Meaning::Gone(how))),
            _ => None,
        });
        removed.collect()
    }

    pub(super) fn all_claims(&self) -> Vec<Claim> {
        self.claims.iter().map(|it| it.claim.clone()).collect()
    }
}

impl<R: ReadRows> Transaction<'_, R> {
    /// Loads these nodes with the last stretches of their claims.
    pub(in crate::store) async fn touch(&mut self, mut ids: Vec<NodeId>) -> Result<(), RowsError> {
        ids.retain(|id| *id != 0 && !self.touched.0.contains_key(id));
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        let old: Vec<NodeId> = ids
            .iter()
            .copied()
            .filter(|id| !self.ids.is_new(*id))
            .collect();
        for id in &ids {
            let is_new = self.ids.is_new(*id);
            let node = TouchedNode {
                is_new,
                ..TouchedNode::default()
            };
            self.touched.0.insert(*id, node);
        }
        // Those that this transaction made have nothing but their uid yet.
        for row in self.rows.nodes(&ids, Projection::Full).await? {
            if let Some(node) = self.touched.0.get_mut(&row.id) {
                node.row = row;
            }
        }
        if old.is_empty() {
            return Ok(());
        }
        let claims = self.rows.claims(&old).await?;
        let words = claims
            .iter()
            .flat_map(|row| [row.key.source, row.key.scope]);
        self.words.read(self.rows, words).await?;
        let scopes: Vec<_> = claims.iter().map(|row| row.key.scope).collect();
        for row in claims {
            self.add_stretch(row);
        }
        self.load_scopes_of(scopes).await
    }

    fn add_stretch(&mut self, row: ClaimRow) {
        let key = self.key(row.key);
        let Some(node) = self.touched.0.get_mut(&row.key.node) else {
            return;
        };
        let place = node.claim(&key);
        let it = &mut node.claims[place];
        if it
            .stored
            .iter()
            .any(|stretch| stretch.since == row.stretch.since)
        {
            return;
        }
        it.stored.push(row.stretch);
        it.stored.sort_by_key(|stretch| stretch.since);
        if !it.has_changed {
            it.claim.stretches.clone_from(&it.stored);
        }
    }

    fn has_past(&self, id: NodeId, since: UnixNanos) -> bool {
        let loaded = self.touched.0.get(&id).and_then(|node| node.loaded_since);
        loaded.is_some_and(|loaded| loaded <= since) || self.ids.is_new(id)
    }

    /// Loads the stretches of a node that end after `since`, and of each claim the one before. All
    /// changes of its claims are written.
    pub(super) async fn read_past(
        &mut self,
        id: NodeId,
        since: UnixNanos,
    ) -> Result<(), RowsError> {
        if self.has_past(id, since) {
            return Ok(());
        }
        for row in self.rows.past_claims(&[id], since).await? {
            let words = [row.key.source, row.key.scope];
            self.words.read(self.rows, words.into_iter()).await?;
            let key = self.key(row.key);
            let Some(node) = self.touched.0.get_mut(&id) else {
                continue;
            };
            let place = node.claim(&key);
            let it = &mut node.claims[place];
            if !it
                .stored
                .iter()
                .any(|stretch| stretch.since == row.stretch.since)
            {
                it.stored.push(row.stretch);
                it.stored.sort_by_key(|stretch| stretch.since);
                it.claim.stretches.clone_from(&it.stored);
            }
        }
        if let Some(node) = self.touched.0.get_mut(&id) {
            node.loaded_since = Some(since);
        }
        Ok(())
    }

    pub(super) fn key(&self, key: ClaimKey) -> Key {
        Key {
            class: key.class,
            source: self.words.text(key.source),
            scope: self.words.text(key.scope),
        }
    }

    pub(super) fn scope_key(&self, class: Class, source: &str, scope: &str) -> ScopeKey {
        ScopeKey {
            class,
            source: self.words.number(source),
            scope: self.words.number(scope),
        }
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Loads the stretches of a node that end after `since`, and of each claim the one before.
    pub(super) async fn load_past(
        &mut self,
        id: NodeId,
        since: UnixNanos,
    ) -> Result<(), RowsError> {
        if self.has_past(id, since) {
            return Ok(());
        }
        // What changed so far must be where the past is read from.
        self.flush_nodes(id..=id).await?;
        self.read_past(id, since).await
    }

    /// Writes the claims that changed since the last flush.
    pub(super) async fn flush(&mut self) -> Result<(), RowsError> {
        self.flush_nodes(NodeId::MIN..=NodeId::MAX).await
    }

    async fn flush_nodes(&mut self, ids: RangeInclusive<NodeId>) -> Result<(), RowsError> {
        let (mut last, mut past, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for (id, node) in self.touched.0.range_mut(ids) {
            for it in &mut node.claims {
                if it.claim.stretches == it.stored {
                    continue;
                }
                let key = ClaimKey {
                    node: *id,
                    class: it.claim.key.class,
                    source: self.words.number(&it.claim.key.source),
                    scope: self.words.number(&it.claim.key.scope),
                };
                let row = |stretch: &Stretch| ClaimRow {
                    key,
                    stretch: stretch.clone(),
                };
                let Some((new_last, new_past)) = it.claim.stretches.split_last() else {
                    continue;
                };
                let stored_last = it.stored.last();
                if stored_last != Some(new_last) {
                    last.push(row(new_last));
                }
                for stretch in new_past {
                    let is_stored = it.stored.contains(stretch) && stored_last != Some(stretch);
                    if !is_stored {
                        past.push(row(stretch));
                    }
                }
                let stays = |since| it.claim.stretches.iter().any(|it| it.since == since);
                for old in it.stored.iter().rev().skip(1) {
                    // One that became the last again leaves the past, too.
                    if !stays(old.since) || old.since == new_last.since {
                        gone.push((key, old.since));
                    }
                }
                it.stored.clone_from(&it.claim.stretches);
            }
        }
        if !gone.is_empty() {
            self.rows.remove_claims(&gone).await?;
        }
        if !past.is_empty() {
            self.rows.put_past_claims(&past).await?;
        }
        if !last.is_empty() {
            self.rows.put_claims(&last).await?;
        }
        Ok(())
    }
}
