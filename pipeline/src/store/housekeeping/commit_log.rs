//! Trims the log of commits: it keeps commits for an hour, and at most 100,000 of them.

use std::time::Duration;

use crate::component::UnixNanos;
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows, RowsError, WriteRows};

/// The name of the stored marks.
const STATE_NAME: &str = "log_marks";

const MAX_AGE: Duration = Duration::from_secs(60 * 60);
const MAX_COMMITS: u64 = 100_000;

/// The minimum time between two marks.
const MARK_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The maximum number of commits that a step removes.
const COMMITS_PER_STEP: usize = 1000;

/// A time in Unix nanoseconds, and the number of the last commit at that time.
type LogMark = (u64, u64);

impl<B: Backend> Store<B> {
    /// Removes old commits. Returns how many; `None` if there was nothing to do.
    pub(super) async fn trim_commit_log(&self, now: UnixNanos) -> Result<Option<u64>, RowsError> {
        let mut marks = read_marks(&mut self.backend.read().await?).await?;
        let last = self.backend.last_commit().await?;
        let is_due =
            |(time, number): &LogMark| UnixNanos(*time) + MARK_INTERVAL <= now && *number < last;
        let needs_mark = marks.last().map_or(last > 0, is_due);
        if needs_mark {
            marks.push((now.0, last));
        }
        let expired = marks
            .iter()
            .rposition(|(time, _)| UnixNanos(*time) + MAX_AGE <= now);
        let by_age = expired.map_or(0, |expired| {
            marks.drain(..=expired).next_back().map_or(0, |mark| mark.1)
        });
        let up_to = by_age.max(last.saturating_sub(MAX_COMMITS));
        let first = self.backend.commits(0, 1).await?;
        let has_old_commits = first.first().is_some_and(|(first, _)| *first <= up_to);
        if !needs_mark && !has_old_commits {
            return Ok(None);
        }
        let mut rows = self.backend.write().await?;
        let removed = rows.remove_commits(up_to, COMMITS_PER_STEP).await?;
        if removed == COMMITS_PER_STEP && by_age > 0 {
            // The next step removes the rest.
            marks.insert(0, (now.0.saturating_sub(MAX_AGE.as_nanos() as u64), by_age));
        }
        let stored = serde_json::to_vec(&marks).unwrap_or_default();
        rows.put_state(STATE_NAME, &stored).await?;
        rows.commit().await?;
        Ok(Some(removed as u64))
    }
}

async fn read_marks(rows: &mut impl ReadRows) -> Result<Vec<LogMark>, RowsError> {
    let stored = rows.state(STATE_NAME).await?;
    let marks = stored.and_then(|stored| serde_json::from_slice(&stored).ok());
    Ok(marks.unwrap_or_default())
}
