//! Inspects one uid: its current row and its claims with their whole history.

use super::Store;
use super::rows::{Backend, ClaimRow, NodeRow, Projection, ReadRows, RowsError, Word};
use super::word_map::WordMap;
use super::write::{ScopeCache, ScopeScanTimes};
use crate::claims::{Claim, ClaimClass, Existence, existence, open_at, winner};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;

/// The current row of a uid, and its claims with all their intervals.
#[derive(Debug)]
pub struct NodeInspection {
    pub row: NodeRow,
    /// Ordered by class and by the words of source and scope. The intervals of each claim are ordered by time.
    pub claims: Vec<Claim>,
    words: WordMap,
    scopes: ScopeCache,
}

impl<B: Backend> Store<B> {
    /// Reads the current row and all claims of a uid; `None` if the store has no node with this uid.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn inspect(&self, uid: &str) -> Result<Option<NodeInspection>, RowsError> {
        let mut rows = self.backend.read().await?;
        let ids = rows.find_nodes(&[uid.to_owned()]).await?;
        let Some(id) = ids.into_iter().flatten().next() else {
            return Ok(None);
        };
        let row = rows.nodes(&[id], Projection::Full).await?;
        let Some(row) = row.into_iter().next() else {
            return Ok(None);
        };
        let mut claim_rows = rows.past_claims(&[id], UnixNanos(0)).await?;
        claim_rows.extend(rows.claims(&[id]).await?);
        let mut words = WordMap::default();
        let key_words = claim_rows
            .iter()
            .flat_map(|row| [row.key.source, row.key.scope]);
        words.load_texts(&mut rows, key_words).await?;
        let mut scopes = ScopeCache::default();
        let names: Vec<Word> = claim_rows.iter().map(|row| row.key.scope).collect();
        scopes.load(&mut rows, names).await?;
        let claims = collect_claims(claim_rows, &words);
        Ok(Some(NodeInspection {
            row,
            claims,
            words,
            scopes,
        }))
    }
}

/// Groups intervals by claim.
fn collect_claims(mut rows: Vec<ClaimRow>, words: &WordMap) -> Vec<Claim> {
    rows.sort_by_key(|row| (row.key, row.interval.since));
    let mut claims: Vec<Claim> = Vec::new();
    for row in rows {
        let key = words.source_key(row.key.scope_key());
        match claims.last_mut().filter(|last| last.key == key) {
            Some(last) => last.intervals.push(row.interval),
            None => claims.push(Claim {
                key,
                intervals: vec![row.interval],
            }),
        }
    }
    claims
}

impl NodeInspection {
    /// Whether the uid exists according to all its claims.
    pub fn existence(&self, at: AsOf) -> Existence {
        let scopes = ScopeScanTimes {
            scopes: &self.scopes,
            words: &self.words,
        };
        existence(&self.claims, &scopes, at)
    }

    /// Source, scope and state of the claim that determines the value of this class.
    pub fn value(&self, class: ClaimClass, at: AsOf) -> Option<(&str, &str, u64)> {
        let (claim, interval) = winner(&self.claims, class, at)?;
        Some((&claim.key.source, &claim.key.scope, interval.state))
    }

    /// Source, scope and state of each open claim of a class that can have snapshots.
    pub fn snapshots(&self, at: AsOf) -> impl Iterator<Item = (&str, &str, u64)> {
        let open = open_at(&self.claims, at).filter(|(claim, _)| {
            matches!(
                claim.key.class,
                ClaimClass::Actual | ClaimClass::Desired | ClaimClass::Edges | ClaimClass::Aliases
            )
        });
        open.map(|(claim, interval)| {
            let key = &claim.key;
            (key.source.as_ref(), key.scope.as_ref(), interval.state)
        })
    }
}
