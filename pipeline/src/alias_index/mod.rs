//! Which node a name means, and since when: one for all pipelines of a process, in memory.
//!
//! ```text
//!  `graph`    ── of resources ──▶ Writer ┐                        ┌─▶ View::owners
//!  `identity` ── of aliases ────▶ Writer ├─▶ name → uid → claims  ┤
//!  a store, at start and after ──▶ Writer ┘                        └─▶ View::names
//! ```
//!
//! It follows the rules of [`claims`](crate::claims) as a store does: the names that a source reports
//! of a uid in a scope hold while the claim has the state that they belong to. In which order reports
//! arrive means nothing. Kept are the kinds of names that are asked for ([`Kind`]), their past
//! included, and only in a process where a component asks.
//!
//! It is bounded. At its limit it evicts ([`eviction`]) and goes on with what is new, so that it never
//! answers with an owner that another has superseded: it knows the newest owner of a name, or none.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use tokio::sync::watch;

use crate::counters::Counter;

mod eviction;
mod held;
mod loading;
mod name;
mod owner;
mod replace;
mod restore;
mod view;
mod writer;

pub use name::{Kind, Name, address, host};
pub use replace::StoredNames;
pub use restore::StoredClaim;
pub use view::{Holds, View};
pub use writer::Writer;

use held::Held;
use loading::{Stages, Stores};

/// See the [module](self).
#[derive(Debug)]
pub struct AliasIndex {
    held: RwLock<Held>,
    /// Whether the limit is one that was set.
    has_limit: AtomicBool,
    /// Grows when a name comes to lead somewhere.
    version: watch::Sender<u64>,
    asked: AtomicBool,
    fed: AtomicBool,
    stages: Stages,
    stores: Stores,
}

impl Default for AliasIndex {
    fn default() -> AliasIndex {
        AliasIndex::new(Counter::default())
    }
}

impl AliasIndex {
    /// Names that are held at most where the configuration does not say: 150 to 300 bytes each.
    pub const DEFAULT_LIMIT: NonZeroUsize = NonZeroUsize::new(1 << 19).unwrap();

    /// Evicted names are counted.
    pub fn new(evicted: Counter) -> AliasIndex {
        AliasIndex {
            held: RwLock::new(Held::new(AliasIndex::DEFAULT_LIMIT.get(), evicted)),
            has_limit: AtomicBool::new(false),
            version: watch::Sender::new(0),
            asked: AtomicBool::new(false),
            fed: AtomicBool::new(false),
            stages: Stages::default(),
            stores: Stores::default(),
        }
    }

    /// Sets how many names are held at most, past ones included. Of several limits the greatest counts.
    pub fn limit(&self, names: NonZeroUsize) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let is_first = !self.has_limit.swap(true, Ordering::Relaxed);
        if is_first || held.most < names.get() {
            held.most = names.get();
        }
    }

    /// Somebody asks: what is told from now on is kept.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Somebody knows names, and will tell them in time.
    pub fn feed(&self) {
        self.fed.store(true, Ordering::Relaxed);
    }

    /// Whether a name may ever lead anywhere.
    pub fn is_fed(&self) -> bool {
        self.fed.load(Ordering::Relaxed)
    }

    /// Differs from before where a name has come to lead somewhere since.
    pub fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// Waits until the version is another one than this.
    pub async fn changed_since(&self, version: u64) {
        let mut current = self.version.subscribe();
        // It never fails: the index outlives this borrow of it.
        let _ = current.wait_for(|current| *current != version).await;
    }

    /// To ask several things of one state. Nothing can be told meanwhile: let it go soon, and take
    /// no other.
    pub fn view(&self) -> View<'_> {
        View::of(self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// To tell several things at once; none where nobody asks.
    pub fn writer(&self) -> Option<Writer<'_>> {
        if !self.asked.load(Ordering::Relaxed) {
            return None;
        }
        self.feed();
        let held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        Some(Writer::of(held, &self.version))
    }
}

#[cfg(test)]
mod tests;
