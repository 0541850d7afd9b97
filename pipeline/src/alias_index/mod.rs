//! The alias index: maps a name to the uids that have it, now and in the past. A process has one, in memory, for all
//! pipelines.
//!
//! ```text
//!  `graph`:    rows of resources ──▶ AliasWriter ┐                         ┌─▶ AliasView::owners
//!  `identity`: rows of aliases ────▶ AliasWriter ├─▶ name ─▶ uid ─▶ claims ┤
//!  a store: its open claims ───────▶ AliasWriter ┘                         └─▶ AliasView::names
//! ```
//!
//! The index follows the rules of [`claims`](crate::claims), as a store does. A source reports the names of a uid
//! together with a state; the uid has these names while the claim has this state. The order in which reports arrive has
//! no effect. The index keeps only the kinds of names that components query ([`AliasKind`]), with their past. It keeps
//! nothing until a component enables it.
//!
//! The size is bounded. At the limit the index evicts old names ([`eviction`]) and accepts new names. It knows the
//! newest owner of a name or no owner, so it never answers with an owner that another owner has superseded.

use std::num::NonZeroUsize;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::counters::Counter;
use crate::sync;

mod eviction;
mod loading;
mod name;
mod owner;
mod replace;
mod restore;
mod state;
mod valid_interval;
mod view;
mod writer;

pub use name::{AliasKind, AliasName, canonical_address, canonical_host};
pub use replace::StoredNames;
pub use restore::StoredClaim;
pub use valid_interval::ValidInterval;
pub use view::AliasView;
pub use writer::AliasWriter;

use loading::{ExpectedStores, LoadStages};
use state::IndexState;

/// Maps a name to the uids that have it, see the [module](self).
#[derive(Debug)]
pub struct AliasIndex {
    state: RwLock<IndexState>,
    /// Whether the configuration has set the limit.
    has_limit: AtomicBool,
    /// Increases whenever the names of a uid may have changed.
    version: watch::Sender<u64>,
    is_enabled: AtomicBool,
    has_source: AtomicBool,
    stages: LoadStages,
    stores: ExpectedStores,
}

impl Default for AliasIndex {
    fn default() -> AliasIndex {
        AliasIndex::new(Counter::default())
    }
}

impl AliasIndex {
    /// The limit on the number of names if the configuration sets none. A name takes 150 to 300 bytes.
    pub const DEFAULT_LIMIT: NonZeroUsize = NonZeroUsize::new(1 << 19).unwrap();

    /// An empty index, disabled. `evicted` counts the names that it evicts.
    pub fn new(evicted: Counter) -> AliasIndex {
        AliasIndex {
            state: RwLock::new(IndexState::new(AliasIndex::DEFAULT_LIMIT.get(), evicted)),
            has_limit: AtomicBool::new(false),
            version: watch::Sender::new(0),
            is_enabled: AtomicBool::new(false),
            has_source: AtomicBool::new(false),
            stages: LoadStages::default(),
            stores: ExpectedStores::default(),
        }
    }

    /// Sets the limit on the number of names, past ones included. If it is set several times, the greatest value
    /// applies.
    pub fn raise_limit(&self, names: NonZeroUsize) {
        let mut state = sync::write(&self.state);
        let is_first = !self.has_limit.swap(true, Ordering::Relaxed);
        if is_first || state.max_names < names.get() {
            state.max_names = names.get();
        }
    }

    /// Enables the index: it keeps the names that are reported from now on. A component that queries the index calls
    /// this.
    pub fn enable(&self) {
        self.is_enabled.store(true, Ordering::Relaxed);
    }

    /// Declares that a component will report names.
    pub fn add_source(&self) {
        self.has_source.store(true, Ordering::Relaxed);
    }

    /// Whether any component reports names. If not, the index stays empty.
    pub fn has_source(&self) -> bool {
        self.has_source.load(Ordering::Relaxed)
    }

    /// The version of the index. It increases whenever the names of a uid may have changed.
    pub fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// Waits until the version differs from this one.
    pub async fn changed_since(&self, version: u64) {
        let mut current = self.version.subscribe();
        // This never fails, since `self` holds the sender.
        let _ = current.wait_for(|current| *current != version).await;
    }

    /// Locks the index, so that several queries see one state. Writers wait for this lock, so the caller must drop the
    /// view soon, and must not lock the index again before that.
    pub fn view(&self) -> AliasView<'_> {
        AliasView::of(sync::read(&self.state))
    }

    /// Locks the index for changes, and declares the caller a source; `None` if the index is disabled.
    pub fn writer(&self) -> Option<AliasWriter<'_>> {
        if !self.is_enabled.load(Ordering::Relaxed) {
            return None;
        }
        self.add_source();
        let state = sync::write(&self.state);
        Some(AliasWriter::of(state, &self.version))
    }
}

#[cfg(test)]
mod tests;
