//! Which process keeps house: each would walk all nodes, and one is enough.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::Store;
use super::super::rows::{Backend, ReadRows, RowsError, WriteRows};
use crate::component::UnixNanos;

/// Under which it is stored.
const NAME: &str = "housekeeping";

/// How long the turn of a process lasts that does not renew it.
const LASTS: Duration = Duration::from_secs(3 * 60);

/// After how long it is renewed.
const RENEWED: Duration = Duration::from_secs(60);

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Turn {
    /// The number of a store.
    holder: u64,
    /// When it was last renewed, in nanoseconds.
    taken: u64,
}

impl Turn {
    /// Whether another process may take it. One that seems to be from later was written by a clock that was
    /// ahead.
    fn is_over(self, now: UnixNanos) -> bool {
        let taken = UnixNanos(self.taken);
        now >= taken.after(LASTS) || taken >= now.after(LASTS)
    }
}

async fn read(rows: &mut impl ReadRows) -> Result<Option<Turn>, RowsError> {
    let stored = rows.state(NAME).await?;
    Ok(stored.and_then(|stored| serde_json::from_slice(&stored).ok()))
}

impl<B: Backend> Store<B> {
    /// Whether it is the turn of this store to keep house. Then it stays so while this is called every two
    /// minutes.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn take_turn(&self, now: UnixNanos) -> Result<bool, RowsError> {
        let taken = UnixNanos(self.turn_taken.load(Ordering::Relaxed));
        if taken <= now && now < taken.after(RENEWED) {
            return Ok(true);
        }
        let known = read(&mut self.backend.read().await?).await?;
        let is_others =
            |turn: Turn| turn.holder != self.writer && turn.holder != 0 && !turn.is_over(now);
        if known.is_some_and(is_others) {
            return Ok(false);
        }
        let mut rows = self.backend.write().await?;
        let is_mine = !read(&mut rows).await?.is_some_and(is_others);
        if is_mine {
            let turn = Turn {
                holder: self.writer,
                taken: now.0,
            };
            let stored = serde_json::to_vec(&turn).unwrap_or_default();
            rows.put_state(NAME, &stored).await?;
        }
        rows.commit().await?;
        let taken = if is_mine { now.0 } else { 0 };
        self.turn_taken.store(taken, Ordering::Relaxed);
        Ok(is_mine)
    }

    /// What the clock said when a process last took its turn, or renewed it.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn last_turn(&self) -> Result<Option<UnixNanos>, RowsError> {
        let turn = read(&mut self.backend.read().await?).await?;
        Ok(turn.map(|turn| UnixNanos(turn.taken)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LASTS, RENEWED, Store};
    use crate::component::UnixNanos;
    use crate::store::Settings;
    use crate::store::memory::MemoryBackend;

    #[tokio::test]
    async fn one_process_keeps_house_until_it_renews_its_turn_no_more() {
        let backend = MemoryBackend::default();
        let settings = Settings {
            seen_for: Duration::ZERO,
        };
        let [one, other] = [(); 2].map(|()| Store::new(backend.clone(), settings));
        let start = UnixNanos(1_700_000_000_000_000_000);
        assert_eq!(one.last_turn().await.unwrap(), None);
        assert!(one.take_turn(start).await.unwrap());
        assert!(!other.take_turn(start.after(RENEWED)).await.unwrap());
        assert!(one.take_turn(start.after(RENEWED)).await.unwrap());
        let renewed = start.after(RENEWED);
        assert_eq!(other.last_turn().await.unwrap(), Some(renewed));
        assert!(!other.take_turn(start.after(LASTS)).await.unwrap());
        assert!(other.take_turn(renewed.after(LASTS)).await.unwrap());
        assert!(!one.take_turn(renewed.after(LASTS)).await.unwrap());
        // A turn of a clock that was ahead is over once it is right.
        assert!(other.take_turn(start.after(300 * LASTS)).await.unwrap());
        assert!(one.take_turn(start.after(3 * LASTS)).await.unwrap());
    }
}
