//! Sends the commits of all processes to the subscribers, in the order of their numbers.
//!
//! ```text
//!  write ── its own commit ──▶ publish ──┐
//!                                        ├─▶ the log, from the last one sent ──▶ subscribers
//!  follow ── polls while there are any ──┘
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, broadcast};

use super::Store;
use super::rows::{Backend, RowsError};
use crate::graph_store::Commit;

/// Commits that a subscriber may be behind.
const CAPACITY: usize = 256;

/// How often the log is looked at while there are subscribers.
const POLL: Duration = Duration::from_millis(300);

/// Commits before the newest that the first subscriber gets as well: they may have been written while it
/// was noticed.
const BEFORE: u64 = 64;

/// Commits that are read at a time.
const PAGE: usize = if cfg!(test) { 3 } else { 64 };

#[derive(Debug)]
pub(super) struct Subscribers {
    sender: broadcast::Sender<Arc<Commit>>,
    /// A subscriber came.
    subscribed: Notify,
    place: Mutex<Place>,
}

/// Up to where the log was sent.
#[derive(Debug, Default)]
struct Place {
    sent: u64,
    /// Whether every commit after `sent` is still to be sent; false while there are no subscribers.
    is_followed: bool,
}

impl Subscribers {
    pub(super) fn new() -> Subscribers {
        Subscribers {
            sender: broadcast::Sender::new(CAPACITY),
            subscribed: Notify::new(),
            place: Mutex::new(Place::default()),
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Commit>> {
        let receiver = self.sender.subscribe();
        self.subscribed.notify_one();
        receiver
    }

    fn are_there(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    fn send(&self, commit: Arc<Commit>) {
        // An error means that there are no subscribers.
        let _ = self.sender.send(commit);
    }
}

impl<B: Backend> Store<B> {
    /// Sends what other processes write to the subscribers of `commits`, within a second. Without
    /// subscribers it does nothing. It never returns; to be polled beside the store, as a task.
    pub async fn follow(&self) {
        loop {
            if !self.subscribers.are_there() {
                self.subscribers.subscribed.notified().await;
            }
            if let Err(error) = self.send_log().await {
                tracing::warn!(
                    error = %crate::cause::Chain(&error),
                    "cannot read the log of commits, trying again"
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Sends all of the log that was not sent yet.
    async fn send_log(&self) -> Result<(), RowsError> {
        let last = self.backend.last_commit().await?;
        let mut place = self.subscribers.place.lock().await;
        self.send_up_to(&mut place, last).await
    }

    /// Sends an own commit at once where it is the next one. Else `follow` sends it: a writer waits neither
    /// for a reader nor for the log.
    pub(super) fn publish(&self, commit: &Commit) {
        let Ok(mut place) = self.subscribers.place.try_lock() else {
            return;
        };
        if !self.subscribers.are_there() {
            place.sent = place.sent.max(commit.sequence);
            place.is_followed = false;
        } else if commit.sequence == place.sent + 1 {
            place.sent = commit.sequence;
            place.is_followed = true;
            self.subscribers.send(Arc::new(commit.clone()));
        }
    }

    async fn send_up_to(&self, place: &mut Place, last: u64) -> Result<(), RowsError> {
        if !self.subscribers.are_there() {
            place.sent = place.sent.max(last);
            place.is_followed = false;
            return Ok(());
        }
        if !place.is_followed {
            place.sent = place.sent.max(last.saturating_sub(BEFORE));
            place.is_followed = true;
        }
        while place.sent < last {
            let page = self.backend.commits(place.sent, PAGE).await?;
            if page.is_empty() {
                // Housekeeping removed all of them.
                self.send_missed(place, last);
            }
            for (sequence, body) in page {
                // One that this version cannot read is as good as missed.
                let commit = super::log_entry::decode(&body);
                let commit = commit.unwrap_or_else(|| Commit {
                    truncated: true,
                    ..Commit::default()
                });
                let missed = sequence - place.sent - 1;
                place.sent = sequence;
                self.subscribers.send(Arc::new(Commit {
                    sequence,
                    missed,
                    is_own: commit.writer == self.writer,
                    ..commit
                }));
            }
        }
        Ok(())
    }

    fn send_missed(&self, place: &mut Place, last: u64) {
        let missed = last - place.sent;
        place.sent = last;
        self.subscribers.send(Arc::new(Commit {
            sequence: last,
            missed,
            ..Commit::default()
        }));
    }
}
