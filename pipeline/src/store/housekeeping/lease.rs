//! The lease of housekeeping: only its holder walks over all nodes, so that the processes do not repeat each other's
//! work.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::component::UnixNanos;
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows, RowsError, WriteRows};

/// The name of the stored lease.
const STATE_NAME: &str = "housekeeping";

/// How long a lease lasts after it was acquired or renewed.
const LEASE_DURATION: Duration = Duration::from_secs(3 * 60);

/// The age at which the holder renews the lease.
const RENEW_AFTER: Duration = Duration::from_secs(60);

/// The stored lease.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct HousekeepingLease {
    /// The writer id of the store that holds the lease; 0 if there is none.
    holder: u64,
    /// When it was acquired or last renewed, in Unix nanoseconds.
    taken: u64,
}

impl HousekeepingLease {
    /// Whether another process may acquire the lease. A lease from far in the future was written by a clock that was
    /// ahead, and counts as expired.
    fn is_expired(self, now: UnixNanos) -> bool {
        let taken = UnixNanos(self.taken);
        now >= taken + LEASE_DURATION || taken >= now + LEASE_DURATION
    }
}

async fn read_lease(rows: &mut impl ReadRows) -> Result<Option<HousekeepingLease>, RowsError> {
    let stored = rows.state(STATE_NAME).await?;
    Ok(stored.and_then(|stored| serde_json::from_slice(&stored).ok()))
}

impl<B: Backend> Store<B> {
    /// Acquires or renews the housekeeping lease. Returns whether this store holds it now. The store keeps the lease as
    /// long as the caller repeats this call at least every two minutes.
    ///
    /// # Errors
    /// If the backend fails.
    pub async fn acquire_housekeeping_lease(&self, now: UnixNanos) -> Result<bool, RowsError> {
        let renewed = UnixNanos(self.housekeeping_lease_renewed.load(Ordering::Relaxed));
        if renewed <= now && now < renewed + RENEW_AFTER {
            return Ok(true);
        }
        let stored = read_lease(&mut self.backend.read().await?).await?;
        let is_held_by_other = |lease: HousekeepingLease| {
            lease.holder != self.writer_id && lease.holder != 0 && !lease.is_expired(now)
        };
        if stored.is_some_and(is_held_by_other) {
            return Ok(false);
        }
        let mut rows = self.backend.write().await?;
        let is_mine = !read_lease(&mut rows).await?.is_some_and(is_held_by_other);
        if is_mine {
            let lease = HousekeepingLease {
                holder: self.writer_id,
                taken: now.0,
            };
            let stored = serde_json::to_vec(&lease).unwrap_or_default();
            rows.put_state(STATE_NAME, &stored).await?;
        }
        rows.commit().await?;
        let renewed = if is_mine { now.0 } else { 0 };
        self.housekeeping_lease_renewed
            .store(renewed, Ordering::Relaxed);
        Ok(is_mine)
    }

    /// Returns when a process last acquired or renewed the housekeeping lease, by the clock of that process.
    ///
    /// # Errors
    /// If the backend fails.
    pub async fn last_housekeeping(&self) -> Result<Option<UnixNanos>, RowsError> {
        let lease = read_lease(&mut self.backend.read().await?).await?;
        Ok(lease.map(|lease| UnixNanos(lease.taken)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LEASE_DURATION, RENEW_AFTER};
    use crate::component::UnixNanos;
    use crate::store::memory::MemoryBackend;
    use crate::testing::store_over;

    #[tokio::test]
    async fn one_process_holds_the_lease_until_it_stops_renewing_it() {
        let backend = MemoryBackend::default();
        let [one, other] = [(); 2].map(|()| store_over(backend.clone(), Duration::ZERO));
        let start = UnixNanos(1_700_000_000_000_000_000);
        assert_eq!(one.last_housekeeping().await.unwrap(), None);
        assert!(one.acquire_housekeeping_lease(start).await.unwrap());
        assert!(
            !other
                .acquire_housekeeping_lease(start + RENEW_AFTER)
                .await
                .unwrap()
        );
        assert!(
            one.acquire_housekeeping_lease(start + RENEW_AFTER)
                .await
                .unwrap()
        );
        let renewed = start + RENEW_AFTER;
        assert_eq!(other.last_housekeeping().await.unwrap(), Some(renewed));
        assert!(
            !other
                .acquire_housekeeping_lease(start + LEASE_DURATION)
                .await
                .unwrap()
        );
        assert!(
            other
                .acquire_housekeeping_lease(renewed + LEASE_DURATION)
                .await
                .unwrap()
        );
        assert!(
            !one.acquire_housekeeping_lease(renewed + LEASE_DURATION)
                .await
                .unwrap()
        );
        // A lease written by a clock that was ahead is expired once the clock is right.
        assert!(
            other
                .acquire_housekeeping_lease(start + 300 * LEASE_DURATION)
                .await
                .unwrap()
        );
        assert!(
            one.acquire_housekeeping_lease(start + 3 * LEASE_DURATION)
                .await
                .unwrap()
        );
    }
}
