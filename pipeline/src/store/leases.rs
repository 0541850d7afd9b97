//! Leases of scopes: one process at a time scans a scope of a source.

use std::time::Duration;

use super::Store;
use super::rows::{Backend, LeaseRow, LeaseRows, RowsError, Word, WriteRows};
use crate::graph_store::Lease;

/// For how long a lease is given at most. One that seems to last longer was written by a clock that
/// was ahead, and counts as over.
const LONGEST: Duration = Duration::from_secs(5 * 60);

impl<B: Backend> Store<B> {
    /// None where `holder` has the lease now; else whose it is.
    pub(super) async fn take_lease(
        &self,
        (source, scope): (&str, &str),
        holder: &str,
        lasts: Duration,
    ) -> Result<Option<Lease>, RowsError> {
        let mut rows = self.backend.write().await?;
        let [source, scope] = words(&mut rows, source, scope).await?;
        let now = rows.now().await?;
        if let Some(held) = rows.lease(source, scope).await?
            && held.holder != holder
            && held.until > now
            && held.until <= now.after(LONGEST)
        {
            // A transaction that is dropped may cost the backend its connection.
            rows.commit().await?;
            return Ok(Some(Lease {
                holder: held.holder,
                until: held.until,
            }));
        }
        let row = LeaseRow {
            source,
            scope,
            holder: holder.to_owned(),
            until: now.after(lasts.min(LONGEST)),
        };
        rows.put_lease(&row).await?;
        rows.commit().await?;
        Ok(None)
    }

    /// Gives back what `holder` has; of another nothing.
    pub(super) async fn give_back_lease(
        &self,
        (source, scope): (&str, &str),
        holder: &str,
    ) -> Result<(), RowsError> {
        let mut rows = self.backend.write().await?;
        let [source, scope] = words(&mut rows, source, scope).await?;
        let held = rows.lease(source, scope).await?;
        if held.is_some_and(|held| held.holder == holder) {
            rows.remove_lease(source, scope).await?;
        }
        rows.commit().await
    }
}

async fn words(
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

    use super::{LONGEST, Store};
    use crate::graph_store::GraphStore;
    use crate::store::Settings;
    use crate::store::memory::MemoryBackend;
    use crate::store::rows::{Backend as _, LeaseRow, LeaseRows as _, WriteRows as _};
    use crate::unix_nanos::UnixNanos;

    const MINUTE: Duration = Duration::from_secs(60);

    fn open() -> Store<MemoryBackend> {
        let settings = Settings {
            seen_for: Duration::ZERO,
        };
        Store::new(MemoryBackend::default(), settings)
    }

    async fn holder_of(store: &Store<MemoryBackend>, asks: &str, lasts: Duration) -> String {
        let held = store.lease("aws", "1/eu", asks, lasts).await.unwrap();
        held.map_or_else(|| asks.to_owned(), |held| held.holder)
    }

    #[tokio::test]
    async fn one_process_has_a_lease_until_it_gives_it_back_or_it_runs_out() {
        let store = open();
        assert_eq!(holder_of(&store, "a", MINUTE).await, "a");
        assert_eq!(holder_of(&store, "b", MINUTE).await, "a");
        assert_eq!(holder_of(&store, "a", MINUTE).await, "a", "it renews it");
        store.end_lease("aws", "1/eu", "b").await.unwrap();
        assert_eq!(holder_of(&store, "b", MINUTE).await, "a", "not b's");
        let other = store.lease("aws", "1/us", "b", MINUTE).await.unwrap();
        assert_eq!(other, None, "of another scope");
        store.end_lease("aws", "1/eu", "a").await.unwrap();
        assert_eq!(holder_of(&store, "b", Duration::ZERO).await, "b");
        assert_eq!(holder_of(&store, "a", MINUTE).await, "a", "b's ran out");
    }

    #[tokio::test]
    async fn a_lease_from_a_clock_that_was_ahead_holds_up_nobody() {
        let store = open();
        assert_eq!(holder_of(&store, "a", MINUTE).await, "a");
        let mut rows = store.backend().write().await.unwrap();
        let words = ["aws", "1/eu"].map(str::to_owned);
        let words = rows.words(&words).await.unwrap();
        let row = LeaseRow {
            source: words[0],
            scope: words[1],
            holder: "a".to_owned(),
            until: UnixNanos::now().after(LONGEST * 300),
        };
        rows.put_lease(&row).await.unwrap();
        rows.commit().await.unwrap();
        assert_eq!(holder_of(&store, "b", MINUTE).await, "b");
    }

    #[tokio::test]
    async fn of_many_that_ask_at_once_one_gets_it() {
        let store = open();
        let names: Vec<String> = (0..20).map(|name| name.to_string()).collect();
        let asks = names.iter().map(|name| holder_of(&store, name, MINUTE));
        let holders = futures::future::join_all(asks).await;
        assert!(holders.iter().all(|holder| *holder == holders[0]));
    }
}
