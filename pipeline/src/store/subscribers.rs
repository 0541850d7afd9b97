//! Sends the commits of all processes to the subscribers of this store, in the order of their sequence numbers.
//!
//! ```text
//!  write ──▶ publish: a commit of this store, if it is the next one ──┐
//!                                                                     ├──▶ subscribers
//!  follow ──▶ polls the log of commits after the last one sent ───────┘
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, broadcast};

use super::Store;
use super::rows::{Backend, RowsError};
use crate::graph_store::Commit;

/// How many commits a subscriber can lag behind before it loses the oldest.
const CAPACITY: usize = 256;

/// How often `follow` polls the log while there are subscribers. Commits of other processes must arrive within a
/// second; a poll costs an idle process half a millisecond.
const POLL_INTERVAL: Duration = Duration::from_millis(400);

/// When the first subscriber subscribes, `follow` also sends this many of the newest commits in the log: other
/// processes may have written them after the subscription and before the first poll.
const CATCH_UP: u64 = 64;

/// How many commits one read of the log returns at most.
const PAGE_SIZE: usize = if cfg!(test) { 3 } else { 64 };

/// The subscribers of one store, and how far the log was sent to them.
#[derive(Debug)]
pub(super) struct Subscribers {
    sender: broadcast::Sender<Arc<Commit>>,
    /// Wakes `follow` when there is a new subscriber.
    subscribed: Notify,
    position: Mutex<LogPosition>,
}

/// How far the log of commits was sent to the subscribers.
#[derive(Debug, Default)]
struct LogPosition {
    /// The sequence number of the last commit that was sent, or skipped while there were no subscribers.
    last_sent: u64,
    /// Whether the subscribers get every commit after `last_sent`; false while there are no subscribers.
    is_followed: bool,
}

impl Subscribers {
    pub(super) fn new() -> Subscribers {
        Subscribers {
            sender: broadcast::Sender::new(CAPACITY),
            subscribed: Notify::new(),
            position: Mutex::new(LogPosition::default()),
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Commit>> {
        let receiver = self.sender.subscribe();
        self.subscribed.notify_one();
        receiver
    }

    fn has_any(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    fn send(&self, commit: Arc<Commit>) {
        // An error means that there are no subscribers.
        let _ = self.sender.send(commit);
    }
}

impl<B: Backend> Store<B> {
    /// Sends the commits of other processes to the subscribers, within a second. It sleeps while there are no
    /// subscribers. It logs and retries errors, and never returns: the caller runs it as a task beside the store.
    pub async fn follow(&self) {
        loop {
            if !self.subscribers.has_any() {
                self.subscribers.subscribed.notified().await;
            }
            if let Err(error) = self.send_new_commits().await {
                tracing::warn!(
                    error = %crate::error_cause::ErrorChain(&error),
                    "cannot read the log of commits, retrying"
                );
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Sends all commits of the log that were not sent yet.
    async fn send_new_commits(&self) -> Result<(), RowsError> {
        let last = self.backend.last_commit().await?;
        let mut position = self.subscribers.position.lock().await;
        self.send_up_to(&mut position, last).await
    }

    /// Sends a commit of this store without delay if it is the next one after the last commit sent and no other task is
    /// sending. Otherwise `follow` sends it, since a writer never waits for the log or for a lock.
    pub(super) fn publish(&self, commit: &Commit) {
        let Ok(mut position) = self.subscribers.position.try_lock() else {
            return;
        };
        if !self.subscribers.has_any() {
            position.last_sent = position.last_sent.max(commit.sequence);
            position.is_followed = false;
        } else if commit.sequence == position.last_sent + 1 {
            position.last_sent = commit.sequence;
            position.is_followed = true;
            self.subscribers.send(Arc::new(commit.clone()));
        }
    }

    /// Sends the commits after `position`, up to the sequence number `last`.
    async fn send_up_to(&self, position: &mut LogPosition, last: u64) -> Result<(), RowsError> {
        if !self.subscribers.has_any() {
            position.last_sent = position.last_sent.max(last);
            position.is_followed = false;
            return Ok(());
        }
        if !position.is_followed {
            position.last_sent = position.last_sent.max(last.saturating_sub(CATCH_UP));
            position.is_followed = true;
        }
        while position.last_sent < last {
            let page = self.backend.commits(position.last_sent, PAGE_SIZE).await?;
            if page.is_empty() {
                // Housekeeping removed them all.
                self.send_gap(position, last);
            }
            for (sequence, body) in page {
                // Subscribers treat an entry that this version cannot decode as a truncated commit.
                let commit = super::log_entry::decode(&body);
                let commit = commit.unwrap_or_else(|| Commit {
                    truncated: true,
                    ..Commit::default()
                });
                let missed = sequence - position.last_sent - 1;
                position.last_sent = sequence;
                self.subscribers.send(Arc::new(Commit {
                    sequence,
                    missed,
                    is_own: commit.writer == self.writer_id,
                    ..commit
                }));
            }
        }
        Ok(())
    }

    /// Sends an empty commit that counts all commits up to `last` as missed.
    fn send_gap(&self, position: &mut LogPosition, last: u64) {
        let missed = last - position.last_sent;
        position.last_sent = last;
        self.subscribers.send(Arc::new(Commit {
            sequence: last,
            missed,
            ..Commit::default()
        }));
    }
}
