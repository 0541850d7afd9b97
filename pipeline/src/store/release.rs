//! Releases the scopes of a receiver that was removed from the configuration. Whether its resources still exist is
//! unknown, so they become unobserved and do not end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::Store;
use super::rows::{Backend, NodeId, Projection, ReadRows, RowsError, ScopeKey};
use crate::claims::{ClaimClass, Removal, is_below};
use crate::component::UnixNanos;
use crate::graph_store::Lease;
use crate::reports::{ReportBatch, ScanCompletion};
use crate::scan_members::Members;

/// How many claims, or nodes, one read returns at most.
const PAGE_SIZE: usize = if cfg!(test) { 3 } else { 1000 };

/// How many names an error lists at most.
const MAX_LISTED: usize = 20;

/// How long a release holds the lease of a scope, so that no receiver scans it meanwhile.
const LEASE_DURATION: Duration = Duration::from_secs(5 * 60);

/// A scope whose claims were released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedScope {
    pub scope: String,
    /// How many resources became unobserved because no other source reports them.
    pub unobserved: u64,
}

/// Why the store did not release all requested scopes.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(
        "the store has no scopes of the source `{name}`; the sources with scopes are {}",
        format_names(sources)
    )]
    UnknownSource { name: String, sources: Vec<String> },
    #[error(
        "the source `{name}` has no scope `{scope}` in the store; its scopes are {}",
        format_names(scopes)
    )]
    UnknownScope {
        name: String,
        scope: String,
        scopes: Vec<String>,
    },
    #[error(
        "`{}` holds the lease of the scope `{scope}` until {}: stop that process first; if it is gone, wait until then",
        lease.holder,
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_nanos(lease.until.0))
    )]
    LeaseHeld { scope: String, lease: Lease },
    #[error(transparent)]
    Rows(#[from] RowsError),
}

/// Formats the first [`MAX_LISTED`] names, and the number of the others.
fn format_names(names: &[String]) -> String {
    let first: Vec<String> = names
        .iter()
        .take(MAX_LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    match (names.len(), names.len().saturating_sub(MAX_LISTED)) {
        (0, _) => "none".to_owned(),
        (_, 0) => first.join(", "),
        (_, more) => format!("{} and {more} more", first.join(", ")),
    }
}

impl<B: Backend> Store<B> {
    /// Releases all scopes of a source that have open claims, or only `scope` and the scopes below it. For each it
    /// writes a scan completion without members, dated now. A receiver that still scans a scope observes its resources
    /// again at its next scan.
    ///
    /// # Errors
    /// When the store does not know the source or the scope, when a process holds the lease of one of the scopes, and
    /// when the backend fails. Scopes that were released before the error stay released.
    pub async fn release(
        &self,
        source: &str,
        scope: Option<&str>,
    ) -> Result<Vec<ReleasedScope>, ReleaseError> {
        let holder = format!("airdig store release, process {}", std::process::id());
        let mut released = Vec::new();
        // In reverse order of their names: a scope must come after the scopes below it, since its completion would
        // release their claims, too.
        for (name, key) in self.open_scopes_of(source, scope).await?.into_iter().rev() {
            let lease = self
                .acquire_lease((source, &name), &holder, LEASE_DURATION)
                .await?;
            if let Some(lease) = lease {
                return Err(ReleaseError::LeaseHeld { scope: name, lease });
            }
            let unobserved = self.release_scope(source, &name, key).await;
            self.release_lease((source, &name), &holder).await?;
            released.push(ReleasedScope {
                unobserved: unobserved?,
                scope: name,
            });
        }
        released.reverse();
        Ok(released)
    }

    /// The scopes of a source that have an open claim, sorted by name: all of them, or only `scope` and the scopes
    /// below it.
    async fn open_scopes_of(
        &self,
        source: &str,
        scope: Option<&str>,
    ) -> Result<Vec<(String, ScopeKey)>, ReleaseError> {
        let mut rows = self.backend.read().await?;
        let scopes = rows.scopes(None).await?;
        let scopes = scopes.into_iter().map(|row| row.key);
        let scopes: Vec<ScopeKey> = scopes
            .filter(|key| matches!(key.class, ClaimClass::Actual | ClaimClass::Desired))
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
            let sources: BTreeSet<String> = named.map(|(_, names)| names[0].clone()).collect();
            return Err(ReleaseError::UnknownSource {
                name: source.to_owned(),
                sources: sources.into_iter().collect(),
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
            let scopes: BTreeSet<String> = of_source.into_iter().map(|(name, _)| name).collect();
            return Err(ReleaseError::UnknownScope {
                name: source.to_owned(),
                scope: scope.to_owned(),
                scopes: scopes.into_iter().collect(),
            });
        }
        open.sort();
        Ok(open)
    }

    /// Releases one scope. Returns how many resources became unobserved.
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
            let page = rows.open_claims(scope, after, PAGE_SIZE).await?;
            nodes.extend(page.iter().map(|(_, row)| row.key.node));
            if page.len() < PAGE_SIZE {
                break;
            }
        }
        let named = rows.scopes(Some(&[scope.scope])).await?;
        let stored = named.into_iter().find(|row| row.key == scope);
        let after_last_scan = stored.and_then(|row| Some(row.scans.last()?.began.0 + 1));
        drop(rows);
        // The completion must be newer than the last scan of the scope, even if the clock of the receiver was ahead.
        let began = UnixNanos::now().max(UnixNanos(after_last_scan.unwrap_or_default()));
        let completion = ScanCompletion {
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
        for ids in nodes.chunks(PAGE_SIZE) {
            let node_rows = rows.nodes(ids, Projection::Header).await?.into_iter();
            let since = node_rows.filter_map(|row| row.unobserved);
            unobserved += since.filter(|since| *since >= began).count() as u64;
        }
        Ok(unobserved)
    }
}
