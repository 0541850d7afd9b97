//! The graph store: the logic of writes, reads and retention, over any [`Backend`] that keeps rows.
//!
//! ```text
//!  ReportBatch ──write/──▶ rows of a Backend ──read/──▶ GraphStore
//!                               ▲      │
//!             housekeeping/  ───┘      └── log of commits ──subscribers.rs──▶ subscribers of all processes
//!             check/
//! ```
//!
//! `rows/` has the traits of a backend, and `memory/` a backend for tests.

use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

mod batches;
mod check;
mod housekeeping;
mod inspection;
mod leases;
mod log_entry;
pub mod memory;
mod read;
mod release;
pub mod rows;
mod search_texts;
mod snapshot;
mod subscribers;
mod word_map;
mod write;

pub use batches::WriteOutcome;
pub use check::{CheckDifference, CheckReport, CheckedTable};
use housekeeping::CurrentScopeSweep;
pub use housekeeping::{Horizon, HousekeepingProgress, Retention, StoreMetrics};
pub use inspection::NodeInspection;
pub use release::{ReleaseError, ReleasedScope};
use rows::Backend;
use subscribers::Subscribers;
pub use write::DroppedReports;

/// A graph store that keeps the graph in the rows of one backend. Several processes can each have a `Store` over the
/// same rows.
#[derive(Debug)]
pub struct Store<B> {
    backend: B,
    settings: StoreSettings,
    subscribers: Subscribers,
    /// A random number that identifies this store. Each of its commits carries the number, so the store recognizes them
    /// in the log of commits.
    writer_id: u64,
    /// The index of the housekeeping task that the next step begins with.
    next_housekeeping_task: AtomicUsize,
    scope_sweep: CurrentScopeSweep,
    /// When this store last acquired or renewed the housekeeping lease, in Unix nanoseconds; 0 if it does not hold it.
    housekeeping_lease_renewed: AtomicU64,
}

/// Settings that the reads of a store depend on.
#[derive(Clone, Copy, Debug)]
pub struct StoreSettings {
    /// How long an observed edge, and a node that no scan or event ever reported, stays current after its last
    /// sighting. Zero means for ever.
    pub observed_edge_ttl: Duration,
}

impl<B: Backend> Store<B> {
    /// Makes a store over the rows of a backend.
    pub fn new(backend: B, settings: StoreSettings) -> Store<B> {
        Store {
            backend,
            settings,
            subscribers: Subscribers::new(),
            writer_id: rand::random_range(1..=u64::MAX),
            next_housekeeping_task: AtomicUsize::new(0),
            scope_sweep: CurrentScopeSweep::default(),
            housekeeping_lease_renewed: AtomicU64::new(0),
        }
    }

    /// The backend that keeps the rows.
    pub fn backend(&self) -> &B {
        &self.backend
    }
}

#[cfg(test)]
mod tests;
