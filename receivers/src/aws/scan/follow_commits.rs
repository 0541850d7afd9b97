//! Follows the commits of the store, and refreshes the uids that one scope lacks while another scope has them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use pipeline::graph_store::{Commit, GraphStore};
use pipeline::uid;
use tokio::sync::broadcast::error::RecvError;

use super::scanner::Scanner;
use crate::aws::emit::RowSink;

/// The maximum number of remembered uids. At this number, no other uid is refreshed until the interval of a remembered
/// one has passed.
const MAX_REMEMBERED: usize = 10_000;

/// The times at which uids were refreshed, by the hashes of the uids.
#[derive(Debug, Default)]
struct RecentRefreshes(HashMap<u64, Instant>);

impl RecentRefreshes {
    /// Returns the uids that were not refreshed within this duration, and records them as refreshed now. Skips the uids
    /// for which there is no space.
    fn take_due(&mut self, uids: &[String], within: Duration, now: Instant) -> Vec<String> {
        self.0
            .retain(|_, refreshed| now.duration_since(*refreshed) < within);
        let mut due = Vec::new();
        for uid in uids {
            let hash = uid::hash(uid);
            if self.0.len() < MAX_REMEMBERED && !self.0.contains_key(&hash) {
                self.0.insert(hash, now);
                due.push(uid.clone());
            }
        }
        due
    }
}

impl Scanner {
    /// Refreshes the uids in [`Commit::to_refresh`]. The rows of a refresh may cause another commit that lists the uid,
    /// so each uid is refreshed at most once per interval. Returns when the store stops publishing commits.
    pub(in crate::aws) async fn follow_commits(&self, store: &dyn GraphStore, sink: &dyn RowSink) {
        let mut commits = store.commits();
        let mut recent = RecentRefreshes::default();
        loop {
            match commits.recv().await {
                Ok(commit) => {
                    let Commit { to_refresh, .. } = commit.as_ref();
                    let due = recent.take_due(to_refresh, self.config.interval, Instant::now());
                    self.refresh_uids(due.iter().map(String::as_str), sink)
                        .await;
                }
                // The next scans observe the uids of the skipped commits.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{MAX_REMEMBERED, RecentRefreshes};

    #[test]
    fn uid_is_refreshed_once_within_an_interval() {
        let mut recent = RecentRefreshes::default();
        let (began, minute) = (Instant::now(), Duration::from_secs(60));
        let uids = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(recent.take_due(&uids, minute, began), ["a", "b"]);
        let soon = began + minute / 2;
        assert_eq!(recent.take_due(&uids[..1], minute, soon), [""; 0]);
        assert_eq!(recent.take_due(&uids[..1], minute, began + minute), ["a"]);
        let many: Vec<String> = (0..MAX_REMEMBERED + 5).map(|uid| uid.to_string()).collect();
        assert!(recent.take_due(&many, minute, began + minute * 2).len() <= MAX_REMEMBERED);
    }
}
