//! Releases the scopes of a receiver that is gone: whether what it reported exists is not known then, and
//! nothing ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::Store;
use super::rows::{Backend, NodeId, Projection, ReadRows, RowsError, ScopeKey};
use crate::claims::{Class, Removal, is_below};
use crate::component::UnixNanos;
use crate::graph_store::Lease;
use crate::members::Members;
use crate::reports::{Completion, ReportBatch};

/// Claims, and nodes, that are read together.
const PAGE: usize = if cfg!(test) { 3 } else { 1000 };

/// Names that an error lists.
const LISTED: usize = 20;

/// For how long a scope is kept from receivers.
const LEASE: Duration = Duration::from_secs(5 * 60);

/// A scope that was released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedScope {
    pub scope: String,
    /// Resources that nothing else observes.
    pub unobserved: u64,
}

/// No scope, or not every scope, was released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(
        "the store has no scopes of the source `{name}`; it has those of {}",
        list(known)
    )]
    UnknownSource { name: String, known: Vec<String> },
    #[error(
        "the source `{name}` has no scope `{scope}` in the store; it has {}",
        list(known)
    )]
    UnknownScope {
        name: String,
        scope: String,
        known: Vec<String>,
    },
    #[error(
        "`{}` scans the scope `{scope}` until {} at least: stop it first, or wait until then if it is gone",
        held.holder,
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_nanos(held.until.0))
    )]
    Held { scope: String, held: Lease },
    #[error(transparent)]
    Rows(#[from] RowsError),
}

/// The first of these names, and how many there are.
fn list(names: &[String]) -> String {
    let first: Vec<String> = names
        .iter()
        .take(LISTED)
        .map(|it| format!("`{it}`"))
        .collect();
    match (names.len(), names.len().saturating_sub(LISTED)) {
        (0, _) => "none".to_owned(),
        (_, 0) => first.join(", "),
        (_, more) => format!("{} and {more} more", first.join(", ")),
    }
}

impl<B: Backend> Store<B> {
    /// Releases all open scopes of a source, or one scope and those below it, as of now: a completion
    /// without members for each. A receiver that still scans a scope observes its resources again with
    /// its next scan.
    ///
    /// # Errors
    /// When there is no such source or scope, when a process scans one of the scopes, and when the
    /// backend fails. What was released by then stays released.
    pub async fn release(
        &self,
        source: &str,
        scope: Option<&str>,
    ) -> Result<Vec<ReleasedScope>, ReleaseError> {
        let holder = format!("airdig store release, process {}", std::process::id());
        let mut released = Vec::new();
        // Those below a scope first: its completion would release them, too.
        for (name, key) in self.open_scopes_of(source, scope).await?.into_iter().rev() {
            let held = self.take_lease((source, &name), &holder, LEASE).await?;
            if let Some(held) = held {
                return Err(ReleaseError::Held { scope: name, held });
            }
            let unobserved = self.release_scope(source, &name, key).await;
            self.give_back_lease((source, &name), &holder).await?;
            released.push(ReleasedScope {
                unobserved: unobserved?,
                scope: name,
            });
        }
        released.reverse();
        Ok(released)
    }

    /// The scopes of a source that have an open claim, by name; of these one and those below it where
    /// one is named.
    async fn open_scopes_of(
        &self,
        source: &str,
        scope: Option<&str>,
    ) -> Result<Vec<(String, ScopeKey)>, ReleaseError> {
        let mut rows = self.backend.read().await?;
        let scopes = rows.scopes(None).await?;
        let scopes = scopes.into_iter().map(|row| row.key);
        let scopes: Vec<ScopeKey> = scopes
            .filter(|key| matches!(key.class, Class::Actual | Class::Desired))
            .collect();
        let words: Vec<_> = scopes
            .iter()
            .flat_map(|key| [key.source, key.scope])
            .collect();
        let texts = rows.texts(&words).await?;
        let named = scopes.iter().zip(texts.chunks_exact(2));
        let of_source = named.clone().filter(|(_, names)| names[0] == source);
        let of_source: Vec<(String, ScopeKey)> = of_source
            .map(|(key, names)| (names[1].clone(), *key))
            .collect();
        if of_source.is_empty() {
            let known: BTreeSet<String> = named.map(|(_, names)| names[0].clone()).collect();
            return Err(ReleaseError::UnknownSource {
                name: source.to_owned(),
                known: known.into_iter().collect(),
            });
        }
        let is_named =
            |name: &str| scope.is_none_or(|scope| name == scope || is_below(name, scope));
        let mut open = Vec::new();
        for (name, key) in of_source.iter().filter(|(name, _)| is_named(name)) {
            if !rows.open_claims(*key, 0, 1).await?.is_empty() {
                open.push((name.clone(), *key));
            }
        }
        if let Some(scope) = scope
            && !of_source.iter().any(|(name, _)| is_named(name))
        {
            let known: BTreeSet<String> = of_source.into_iter().map(|(name, _)| name).collect();
            return Err(ReleaseError::UnknownScope {
                name: source.to_owned(),
                scope: scope.to_owned(),
                known: known.into_iter().collect(),
            });
        }
        open.sort();
        Ok(open)
    }

    /// How many resources became unobserved.
    async fn release_scope(
        &self,
        source: &str,
        name: &str,
        scope: ScopeKey,
    ) -> Result<u64, RowsError> {
        let mut rows = self.backend.read().await?;
        let mut nodes: Vec<NodeId> = Vec::new();
        loop {
            let after = nodes.last().copied().unwrap_or_default();
            let page = rows.open_claims(scope, after, PAGE).await?;
            nodes.extend(page.iter().map(|(_, row)| row.key.node));
            if page.len() < PAGE {
                break;
            }
        }
        let before = rows.scopes(Some(&[scope.scope])).await?;
        let before = before.into_iter().find(|row| row.key == scope);
        let last = before.and_then(|row| Some(row.scans.last()?.began.0 + 1));
        drop(rows);
        // After its last scan, whatever the clock of the receiver was.
        let began = UnixNanos::now().max(UnixNanos(last.unwrap_or_default()));
        let completion = Completion {
            class: scope.class,
            source,
            scope: name,
            began,
            members: Arc::new(Members::default()),
            miss: Removal::Released,
        };
        let reports = ReportBatch {
            completions: vec![completion],
            ..ReportBatch::default()
        };
        self.write_at(&reports, began).await?;
        let mut rows = self.backend.read().await?;
        let mut unobserved = 0;
        for ids in nodes.chunks(PAGE) {
            let found = rows.nodes(ids, Projection::Header).await?.into_iter();
            let since = found.filter_map(|row| row.unobserved);
            unobserved += since.filter(|since| *since >= began).count() as u64;
        }
        Ok(unobserved)
    }
}
