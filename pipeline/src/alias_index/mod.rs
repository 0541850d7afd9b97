//! Which node a name means, and since when: one for all pipelines of a process, in memory.
//!
//! ```text
//!  `graph`    ── of resources ──▶ Writer ┐                        ┌─▶ View::owners
//!  `identity` ── of aliases ────▶ Writer ├─▶ name → uid → history ┤
//!  a store, when it starts ─────▶ Writer ┘                        └─▶ View::names
//! ```
//!
//! It merges as a store does ([`facts`](crate::facts)): a set that a source tells of a uid holds as a
//! whole until the source tells another; what was seen by itself holds from then on. In which order
//! they are told means nothing, but that a set which is told again and again is known at a moment
//! between only where it was told in its turn. Kept is what somebody asks for ([`Kind`]), and only in
//! a process where somebody asks.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use crate::counters::Counter;

mod held;
mod history;
mod name;
mod read;
mod room;
mod view;
mod writer;

pub use history::Part;
pub use name::{Kind, Name, address, host};
pub use view::{Holds, View};
pub use writer::Writer;

use held::Held;

/// Names that are held, those of the past among them; 100 to 200 bytes each.
const MOST: usize = 1 << 19;

/// See the [module](self).
#[derive(Debug)]
pub struct AliasIndex {
    held: RwLock<Held>,
    /// Grows when a name comes to lead somewhere.
    version: AtomicU64,
    asked: AtomicBool,
    fed: AtomicBool,
    loaded: Mutex<HashSet<String>>,
}

impl Default for AliasIndex {
    fn default() -> AliasIndex {
        AliasIndex::new(Counter::default())
    }
}

impl AliasIndex {
    /// Names that find no room are counted.
    pub fn new(left_out: Counter) -> AliasIndex {
        AliasIndex::with_room_for(MOST, left_out)
    }

    fn with_room_for(most: usize, left_out: Counter) -> AliasIndex {
        AliasIndex {
            held: RwLock::new(Held::new(most, left_out)),
            version: AtomicU64::new(0),
            asked: AtomicBool::new(false),
            fed: AtomicBool::new(false),
            loaded: Mutex::default(),
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

    /// Whether a store is yet to be read: true once for each.
    pub fn begins_with(&self, store: &str) -> bool {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(store.to_owned())
    }

    /// Differs from before where a name has come to lead somewhere since.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
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
