//! Leases of scopes: only one process at a time scans a scope of a source.

use std::time::Duration;

use super::Store;
use super::rows::{Backend, LeaseRow, LeaseRows, RowsError, Word, WriteRows};
use crate::graph_store::Lease;

/// The longest duration of a lease. A stored lease that would last longer was written by a process whose clock was
/// ahead; the store treats it as expired.
const MAX_LEASE: Duration = Duration::from_secs(5 * 60);

impl<B: Backend> Store<B> {
    /// Acquires or renews the lease of a scope for `holder`, for at most [`MAX_LEASE`]. Returns `None` on success, and
    /// the current lease if another holder has it.
    pub(super) async fn acquire_lease(
        &self,
        (source, scope): (&str, &str),
        holder: &str,
        duration: Duration,
    ) -> Result<Option<Lease>, RowsError> {
        let mut rows = self.backend.write().await?;
        let [source, scope] = intern_scope(&mut rows, source, scope).await?;
        let now = rows.now().await?;
        if let Some(current) = rows.lease(source, scope).await?
            && current.holder != holder
            && current.until > now
            && current.until <= now + MAX_LEASE
        {
            // A commit without changes: if the transaction were dropped, a backend might lose its connection.
            rows.commit().await?;
            return Ok(Some(Lease {
                holder: current.holder,
                until: current.until,
            }));
        }
        let row = LeaseRow {
            source,
            scope,
            holder: holder.to_owned(),
            until: now + duration.min(MAX_LEASE),
        };
        rows.put_lease(&row).await?;
        rows.commit().await?;
        Ok(None)
    }

    /// Ends the lease of a scope if `holder` has it; does nothing if another holder has it.
    pub(super) async fn release_lease(
        &self,
        (source, scope): (&str, &str),
        holder: &str,
    ) -> Result<(), RowsError> {
        let mut rows = self.backend.write().await?;
        let [source, scope] = intern_scope(&mut rows, source, scope).await?;
        let current = rows.lease(source, scope).await?;
        if current.is_some_and(|current| current.holder == holder) {
            rows.remove_lease(source, scope).await?;
        }
        rows.commit().await
    }
}

/// The words of a source and a scope.
async fn intern_scope(
    rows: &mut impl WriteRows,
    source: &str,
    scope: &str,
) -> Result<[Word; 2], RowsError> {
    let words = rows.words(&[source.to_owned(), scope.to_owned()]).await?;
    Ok(words.try_into().expect("a word for each text"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MAX_LEASE, Store};
    use crate::graph_store::GraphStore;
    use crate::store::memory::MemoryBackend;
    use crate::store::rows::{Backend as _, LeaseRow, LeaseRows as _, WriteRows as _};
    use crate::testing::memory_store;
    use crate::unix_nanos::UnixNanos;

    const MINUTE: Duration = Duration::from_secs(60);

    /// The holder of the lease after `process` tries to acquire it.
    async fn holder_after_attempt(
        store: &Store<MemoryBackend>,
        process: &str,
        duration: Duration,
    ) -> String {
        let current = store.lease("aws", "1/eu", process, duration).await.unwrap();
        current.map_or_else(|| process.to_owned(), |current| current.holder)
    }

    #[tokio::test]
    async fn lease_has_one_holder_until_it_is_released_or_expires() {
        let store = memory_store();
        assert_eq!(holder_after_attempt(&store, "a", MINUTE).await, "a");
        assert_eq!(holder_after_attempt(&store, "b", MINUTE).await, "a");
        assert_eq!(
            holder_after_attempt(&store, "a", MINUTE).await,
            "a",
            "a renews its lease"
        );
        store.end_lease("aws", "1/eu", "b").await.unwrap();
        assert_eq!(
            holder_after_attempt(&store, "b", MINUTE).await,
            "a",
            "b cannot end the lease of a"
        );
        let other = store.lease("aws", "1/us", "b", MINUTE).await.unwrap();
        assert_eq!(other, None, "the lease of another scope is free");
        store.end_lease("aws", "1/eu", "a").await.unwrap();
        assert_eq!(holder_after_attempt(&store, "b", Duration::ZERO).await, "b");
        assert_eq!(
            holder_after_attempt(&store, "a", MINUTE).await,
            "a",
            "the lease of b has expired"
        );
    }

    #[tokio::test]
    async fn lease_from_a_clock_that_was_ahead_counts_as_expired() {
        let store = memory_store();
        assert_eq!(holder_after_attempt(&store, "a", MINUTE).await, "a");
        let mut rows = store.backend().write().await.unwrap();
        let words = ["aws", "1/eu"].map(str::to_owned);
        let words = rows.words(&words).await.unwrap();
        let row = LeaseRow {
            source: words[0],
            scope: words[1],
            holder: "a".to_owned(),
            until: UnixNanos::now() + MAX_LEASE * 300,
        };
        rows.put_lease(&row).await.unwrap();
        rows.commit().await.unwrap();
        assert_eq!(holder_after_attempt(&store, "b", MINUTE).await, "b");
    }

    #[tokio::test]
    async fn one_of_many_concurrent_processes_acquires_the_lease() {
        let store = memory_store();
        let names: Vec<String> = (0..20).map(|name| name.to_string()).collect();
        let attempts = names
            .iter()
            .map(|name| holder_after_attempt(&store, name, MINUTE));
        let holders = futures::future::join_all(attempts).await;
        assert!(holders.iter().all(|holder| *holder == holders[0]));
    }
}
