//! All that is known of one uid: its claims with their whole past.

use super::Store;
use super::rows::{Backend, ClaimRow, NodeRow, Projection, ReadRows, RowsError, Word};
use super::words::Words;
use super::write::{NamedScopes, Scopes};
use crate::claims::{Claim, Class, Existence, Key, existence, open_at, winner};
use crate::component::UnixNanos;
use crate::graph_store::At;

/// The claims of a uid, and its current row.
#[derive(Debug)]
pub struct Inspection {
    pub row: NodeRow,
    pub claims: Vec<Claim>,
    words: Words,
    scopes: Scopes,
}

impl<B: Backend> Store<B> {
    /// None where nothing was ever reported of the uid.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn inspect(&self, uid: &str) -> Result<Option<Inspection>, RowsError> {
        let mut rows = self.backend.read().await?;
        let ids = rows.find_nodes(&[uid.to_owned()]).await?;
        let Some(id) = ids.into_iter().flatten().next() else {
            return Ok(None);
        };
        let row = rows.nodes(&[id], Projection::Full).await?;
        let Some(row) = row.into_iter().next() else {
            return Ok(None);
        };
        let mut stretches = rows.past_claims(&[id], UnixNanos(0)).await?;
        stretches.extend(rows.claims(&[id]).await?);
        let mut words = Words::default();
        let named = stretches.iter();
        let named = named.flat_map(|row| [row.key.source, row.key.scope]);
        words.read(&mut rows, named).await?;
        let mut scopes = Scopes::default();
        let names: Vec<Word> = stretches.iter().map(|row| row.key.scope).collect();
        scopes.load(&mut rows, names).await?;
        let claims = collect(stretches, &words);
        Ok(Some(Inspection {
            row,
            claims,
            words,
            scopes,
        }))
    }
}

fn collect(mut rows: Vec<ClaimRow>, words: &Words) -> Vec<Claim> {
    rows.sort_by_key(|row| (row.key, row.stretch.since));
    let mut claims: Vec<Claim> = Vec::new();
    for row in rows {
        let key = Key {
            class: row.key.class,
            source: words.text(row.key.source),
            scope: words.text(row.key.scope),
        };
        match claims.last_mut().filter(|last| last.key == key) {
            Some(last) => last.stretches.push(row.stretch),
            None => claims.push(Claim {
                key,
                stretches: vec![row.stretch],
            }),
        }
    }
    claims
}

impl Inspection {
    pub fn existence(&self, at: At) -> Existence {
        let scopes = NamedScopes {
            scopes: &self.scopes,
            words: &self.words,
        };
        existence(&self.claims, &scopes, at)
    }

    /// Source, scope and state of the claim whose value counts.
    pub fn value(&self, class: Class, at: At) -> Option<(&str, &str, u64)> {
        let (claim, stretch) = winner(&self.claims, class, at)?;
        Some((&claim.key.source, &claim.key.scope, stretch.state))
    }

    /// Source, scope and state of each claim whose snapshots hold.
    pub fn snapshots(&self, at: At) -> impl Iterator<Item = (&str, &str, u64)> {
        let open = open_at(&self.claims, at).filter(|(claim, _)| {
            matches!(
                claim.key.class,
                Class::Actual | Class::Desired | Class::Edges | Class::Aliases
            )
        });
        open.map(|(claim, stretch)| {
            let key = &claim.key;
            (key.source.as_ref(), key.scope.as_ref(), stretch.state)
        })
    }
}
