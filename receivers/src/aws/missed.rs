//! What a scope missed although another one has it: the store names it, and it is looked at at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use pipeline::graph_store::{Commit, GraphStore};
use pipeline::uid;
use tokio::sync::broadcast::error::RecvError;

use super::scanner::Scanner;
use super::sink::Sink;

/// Uids that are kept in mind, so that none is looked at twice within an interval.
const MOST: usize = 10_000;

/// When uids were looked at, by their hashes.
#[derive(Debug, Default)]
struct Recent(HashMap<u64, Instant>);

impl Recent {
    /// Those that were not looked at within this time; from now on they were.
    fn take(&mut self, uids: &[String], within: Duration, now: Instant) -> Vec<String> {
        self.0
            .retain(|_, looked| now.duration_since(*looked) < within);
        let mut new = Vec::new();
        for uid in uids {
            let hash = uid::hash(uid);
            if self.0.len() < MOST && !self.0.contains_key(&hash) {
                self.0.insert(hash, now);
                new.push(uid.clone());
            }
        }
        new
    }
}

impl Scanner {
    /// Looks at what the store names, each uid once within an interval: what comes of it may be a miss
    /// again.
    pub(super) async fn follow_misses(&self, store: &dyn GraphStore, sink: &dyn Sink) {
        let mut commits = store.commits();
        let mut recent = Recent::default();
        loop {
            match commits.recv().await {
                Ok(commit) => {
                    let Commit { to_refresh, .. } = commit.as_ref();
                    let new = recent.take(to_refresh, self.config.interval, Instant::now());
                    self.refresh_uids(new.iter().map(String::as_str), sink)
                        .await;
                }
                // The next scans see what was left out.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{MOST, Recent};

    #[test]
    fn a_uid_is_looked_at_once_within_an_interval() {
        let mut recent = Recent::default();
        let (began, minute) = (Instant::now(), Duration::from_secs(60));
        let uids = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(recent.take(&uids, minute, began), ["a", "b"]);
        assert_eq!(recent.take(&uids[..1], minute, began + minute / 2), [""; 0]);
        assert_eq!(recent.take(&uids[..1], minute, began + minute), ["a"]);
        let many: Vec<String> = (0..MOST + 5).map(|uid| uid.to_string()).collect();
        assert!(recent.take(&many, minute, began + minute * 2).len() <= MOST);
    }
}
