//! Removes what is older than it is to be kept, in short transactions that go on where the last one
//! stopped.
//!
//! ```text
//!  Store::housekeep(now, retention): one step
//!      horizon.rs   raises the horizon first: older reads and reports are rejected from then on
//!      log.rs       old commits of the log
//!      stats.rs     old minutes of edge statistics become hours, old hours go
//!      records.rs   records that were resolved long ago
//!      walk.rs      all nodes, page by page: aged.rs finds what of a node goes, plan.rs what goes with
//!                   it, forget.rs removes both
//!      scopes.rs    scopes that no source scans any more
//!      compact      pages that no row uses go back to the file system
//! ```
//!
//! One process at a time keeps house (turn.rs). Where two do nevertheless, each goes on from a place of the
//! walk that one of them has reached: nodes are looked at twice, and none is left out.
//!
//! What is removed ended an hour before the horizon or earlier, so that no transaction that began
//! before the horizon was raised can write below it.

mod aged;
mod figures;
mod forget;
mod horizon;
mod log;
mod node;
mod plan;
mod records;
mod retention;
mod scopes;
mod stats;
mod turn;
mod walk;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Store;
use super::rows::{Backend, RowsError};
use crate::component::UnixNanos;
pub use figures::StoreFigures;
pub use horizon::Horizon;
pub(super) use horizon::{Evidence, check as check_horizon, read as read_horizon};
pub use retention::Retention;
pub(super) use scopes::Rounds;

/// How long a step may write before it commits.
const STEP: Duration = Duration::from_millis(25);

/// Pages that are given back in a step.
const PAGES: usize = 200;

/// How far below the horizon evidence is removed.
pub(super) const MARGIN: Duration = Duration::from_secs(60 * 60);

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Nothing was left to do.
    pub is_done: bool,
    /// Rows that were removed, of all tables.
    pub removed: u64,
}

/// How long the transaction of a step has been open.
#[derive(Clone, Copy, Debug)]
struct Pace(Instant);

impl Pace {
    fn start() -> Pace {
        Pace(Instant::now())
    }

    fn is_over(self) -> bool {
        self.0.elapsed() >= STEP
    }
}

/// The parts of housekeeping, which take turns.
#[derive(Clone, Copy, Debug)]
enum Part {
    Log,
    Minutes,
    Hours,
    Records,
    Nodes,
    Scopes,
    Compact,
}

const PARTS: [Part; 7] = [
    Part::Log,
    Part::Minutes,
    Part::Hours,
    Part::Records,
    Part::Nodes,
    Part::Scopes,
    Part::Compact,
];

impl<B: Backend> Store<B> {
    /// Does one bounded step: it holds the writer for some ten milliseconds. Steps that other processes
    /// do meanwhile, or that were cut off, do no harm.
    ///
    /// # Errors
    /// When the backend fails. The next step tries again.
    pub async fn housekeep(
        &self,
        now: UnixNanos,
        retention: &Retention,
    ) -> Result<Progress, RowsError> {
        let horizon = self.raise_horizon(now, retention).await?;
        let first = self.next_part.load(Ordering::Relaxed);
        for turn in 0..PARTS.len() {
            let part = (first + turn) % PARTS.len();
            // Also after one that fails: it must not keep the others from their turn.
            self.next_part
                .store((part + 1) % PARTS.len(), Ordering::Relaxed);
            let removed = match PARTS[part] {
                Part::Log => self.shorten_log(now).await?,
                Part::Minutes => self.roll_up_minutes(&horizon).await?,
                Part::Hours => self.remove_hours(&horizon).await?,
                Part::Records => self.remove_old_records(&horizon).await?,
                Part::Nodes => self.walk_nodes(now, &horizon).await?,
                Part::Scopes => self.remove_scopes(&horizon).await?,
                Part::Compact => {
                    let more = self.backend.compact(PAGES).await?;
                    more.then_some(0)
                }
            };
            if let Some(removed) = removed {
                let is_done = false;
                return Ok(Progress { is_done, removed });
            }
        }
        Ok(Progress {
            is_done: true,
            removed: 0,
        })
    }
}
