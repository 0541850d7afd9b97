//! Removes rows past their retention, in short transactions. Each step continues where the last one stopped.
//!
//! ```text
//!  Store::housekeep(now, retention): one step
//!      horizon.rs     raises the horizon first: from then on, older reads and reports are rejected
//!      commit_log.rs  removes old commits from the log
//!      stats.rs       sums old minutes of edge statistics to hours, removes old hours
//!      records.rs     removes records that were resolved long ago
//!      walk.rs        walks over all nodes, page by page
//!          limits.rs  the times before which rows are removed
//!          expiry.rs  finds the expired rows of a node (loaded by node_rows.rs)
//!          plan.rs    plans their removal together with the rows that only they reference
//!          removal.rs removes the planned rows in a transaction
//!      scopes.rs      removes scopes that no source scans any more
//!      compact        returns unused pages to the file system
//! ```
//!
//! One process at a time does housekeeping (lease.rs). If two processes do it nevertheless, each continues the walk
//! from the position that one of them stored last: some nodes are examined twice, and none is skipped.
//!
//! Housekeeping removes only rows that ended at least an hour before the horizon. A transaction that began before the
//! horizon was raised may still write reports from before the horizon, but none from more than an hour before it.

mod commit_log;
mod expiry;
mod horizon;
mod lease;
mod limits;
mod metrics;
mod node_rows;
mod plan;
mod records;
mod removal;
mod retention;
mod scopes;
mod stats;
mod walk;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Store;
use super::rows::{Backend, RowsError};
use crate::component::UnixNanos;
pub use horizon::Horizon;
pub(super) use horizon::{KeptReports, check_horizon, read_horizon};
pub use metrics::StoreMetrics;
pub use retention::Retention;
pub(super) use scopes::CurrentScopeSweep;

/// The time after which a step commits its writes.
const STEP: Duration = Duration::from_millis(25);

/// The maximum number of pages that a step gives back to the file system.
const PAGES_PER_STEP: usize = 200;

/// Only rows that ended at least this long before the horizon are removed.
pub(super) const MARGIN: Duration = Duration::from_secs(60 * 60);

/// The result of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HousekeepingProgress {
    /// Whether no task had work left.
    pub is_done: bool,
    /// The number of removed rows, of all tables.
    pub removed: u64,
}

/// Measures how long the transaction of a step has been open.
#[derive(Clone, Copy, Debug)]
struct StepTimer(Instant);

impl StepTimer {
    fn start() -> StepTimer {
        StepTimer(Instant::now())
    }

    fn has_elapsed(self) -> bool {
        self.0.elapsed() >= STEP
    }
}

/// The tasks of housekeeping. A step does the next one that has work.
#[derive(Clone, Copy, Debug)]
enum Task {
    Log,
    Minutes,
    Hours,
    Records,
    Nodes,
    Scopes,
    Compact,
}

const TASKS: [Task; 7] = [
    Task::Log,
    Task::Minutes,
    Task::Hours,
    Task::Records,
    Task::Nodes,
    Task::Scopes,
    Task::Compact,
];

impl<B: Backend> Store<B> {
    /// Does one step, whose transactions take about 25 ms each. Concurrent steps of other processes and interrupted
    /// steps do no harm.
    ///
    /// # Errors
    /// If the backend fails. The next step tries again.
    pub async fn housekeep(
        &self,
        now: UnixNanos,
        retention: &Retention,
    ) -> Result<HousekeepingProgress, RowsError> {
        let horizon = self.raise_horizon(now, retention).await?;
        let first = self.next_housekeeping_task.load(Ordering::Relaxed);
        for offset in 0..TASKS.len() {
            let task = (first + offset) % TASKS.len();
            // Set before the task runs, so that a task that fails does not block the others.
            self.next_housekeeping_task
                .store((task + 1) % TASKS.len(), Ordering::Relaxed);
            let removed = match TASKS[task] {
                Task::Log => self.trim_commit_log(now).await?,
                Task::Minutes => self.roll_up_minutes(&horizon).await?,
                Task::Hours => self.remove_hours(&horizon).await?,
                Task::Records => self.remove_old_records(&horizon).await?,
                Task::Nodes => self.walk_nodes(now, &horizon).await?,
                Task::Scopes => self.remove_retired_scopes(&horizon).await?,
                Task::Compact => {
                    let more = self.backend.compact(PAGES_PER_STEP).await?;
                    more.then_some(0)
                }
            };
            if let Some(removed) = removed {
                let is_done = false;
                return Ok(HousekeepingProgress { is_done, removed });
            }
        }
        Ok(HousekeepingProgress {
            is_done: true,
            removed: 0,
        })
    }
}
