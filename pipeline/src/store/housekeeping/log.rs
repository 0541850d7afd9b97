//! The log of commits: kept for an hour, and at most 100,000 of them.

use std::time::Duration;

use super::super::Store;
use super::super::rows::{Backend, ReadRows, RowsError, WriteRows};
use crate::component::UnixNanos;

/// What is stored under this name: when the log had how many commits.
const NAME: &str = "log_marks";

const KEPT: Duration = Duration::from_secs(60 * 60);
const MOST: u64 = 100_000;

/// How often it is written down how long the log is.
const MARKED: Duration = Duration::from_secs(5 * 60);

/// Commits that are removed in a step.
const LIMIT: usize = 1000;

/// A time in nanoseconds, and the number of the last commit then.
type Mark = (u64, u64);

impl<B: Backend> Store<B> {
    /// How many commits were removed; none where nothing was to do.
    pub(super) async fn shorten_log(&self, now: UnixNanos) -> Result<Option<u64>, RowsError> {
        let mut marks = marks(&mut self.backend.read().await?).await?;
        let last = self.backend.last_commit().await?;
        let is_due =
            |(time, number): &Mark| UnixNanos(*time).after(MARKED) <= now && *number < last;
        let is_marked = !marks.last().map_or(last > 0, is_due);
        if !is_marked {
            marks.push((now.0, last));
        }
        let old = marks
            .iter()
            .rposition(|(time, _)| UnixNanos(*time).after(KEPT) <= now);
        let by_age = old.map_or(0, |old| {
            marks.drain(..=old).next_back().map_or(0, |mark| mark.1)
        });
        let up_to = by_age.max(last.saturating_sub(MOST));
        let first = self.backend.commits(0, 1).await?;
        let is_long = first.first().is_some_and(|(first, _)| *first <= up_to);
        if is_marked && !is_long {
            return Ok(None);
        }
        let mut rows = self.backend.write().await?;
        let removed = rows.remove_commits(up_to, LIMIT).await?;
        if removed == LIMIT && by_age > 0 {
            // The rest of them goes next.
            marks.insert(0, (now.0.saturating_sub(KEPT.as_nanos() as u64), by_age));
        }
        let stored = serde_json::to_vec(&marks).unwrap_or_default();
        rows.put_state(NAME, &stored).await?;
        rows.commit().await?;
        Ok(Some(removed as u64))
    }
}

async fn marks(rows: &mut impl ReadRows) -> Result<Vec<Mark>, RowsError> {
    let stored = rows.state(NAME).await?;
    let marks = stored.and_then(|stored| serde_json::from_slice(&stored).ok());
    Ok(marks.unwrap_or_default())
}
