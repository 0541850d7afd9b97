//! Follows what other processes write to a store, for a processor that holds a part of it in memory.
//!
//! ```text
//!  GraphStore::commits ──▶ PendingReads: which uids to read ──▶ Reads, one part at a time ──▶ Update
//!                          or the whole store                                                   │
//!  Processor::wake waits for the update, Processor::tick replaces what the processor holds   ◀──┘
//! ```
//!
//! The store's own commits are not read, since their reports passed through this process. There are two
//! exceptions:
//!
//! - When a uid is read, reports that passed may not have been written yet. So for
//!   [`WATCH_PERIOD`](pending::WATCH_PERIOD) after a uid was read, own commits that name it are read, too.
//! - If one scope misses a uid that another scope has, unchanged scans of other processes decide whether the
//!   uid exists. Such scans make no commit, so these uids are read whichever process wrote the commit.
//!
//! If it is unknown what a commit changed (the commit is truncated, or the log or the receiver lost
//! commits), the whole store is read again, page by page. Batches are processed between two pages, uids that
//! other commits name are read first, and reading takes a tenth of the time at most.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use pipeline::graph_store::{Commit, GraphStore, StoreError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};
use tracing::info;

mod pending;

use crate::loading::Attempts;
use pending::{PendingReads, ReadTask};

/// Reads the part of the store that a processor holds.
#[async_trait]
pub(crate) trait Reads: Send + Sync + 'static {
    type Part: Send + 'static;

    /// Reads what the store has of these uids now.
    async fn of(&self, uids: &[String]) -> Result<Self::Part, StoreError>;

    /// Reads the page of the whole store that follows a uid.
    async fn page(&self, after: Option<&str>) -> Result<Page<Self::Part>, StoreError>;
}

pub(crate) struct Page<P> {
    /// The uids on the page.
    pub(crate) uids: Vec<String>,
    pub(crate) part: P,
    /// The uid after which the next page begins; none on the last page.
    pub(crate) last: Option<String>,
}

/// What replaces all that the processor holds of these uids.
#[derive(Debug)]
pub(crate) struct Update<P> {
    pub(crate) uids: Vec<String>,
    pub(crate) part: P,
    /// Whether this completes a read of the whole store: then the processor must call
    /// [`Follower::look_again`].
    pub(crate) is_end: bool,
}

/// The uids and the part that were read; for a page, also the uid after which the next page begins.
type ReadResult<P> = (Vec<String>, P, Option<Option<String>>);

/// See the [module](self).
pub(crate) struct Follower<R: Reads> {
    processor: String,
    store: String,
    reads: Arc<R>,
    commits: Receiver<Arc<Commit>>,
    /// Whether the store was closed, so that no commit follows.
    is_closed: bool,
    pending: PendingReads,
    reading: Option<BoxFuture<'static, ReadResult<R::Part>>>,
}

impl<R: Reads> std::fmt::Debug for Follower<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower(of {}, {:?})", self.store, self.pending)
    }
}

impl<R: Reads> Follower<R> {
    /// Follows the commits from now on. Must be called before the store is loaded.
    pub(crate) fn new(processor: &str, store: &str, of: &dyn GraphStore, reads: R) -> Follower<R> {
        Follower {
            processor: processor.to_owned(),
            store: store.to_owned(),
            reads: Arc::new(reads),
            commits: of.commits(),
            is_closed: false,
            pending: PendingReads::default(),
            reading: None,
        }
    }

    /// Notes which uids commits change. Never returns; must be polled while the store is loaded.
    pub(crate) async fn collect(&mut self) {
        loop {
            if self.is_closed {
                std::future::pending::<()>().await;
            }
            let received = self.commits.recv().await;
            self.note(received);
        }
    }

    /// Waits for the next update. Cancel safe: if the future is dropped, no update is lost.
    pub(crate) async fn next(&mut self) -> Update<R::Part> {
        loop {
            if self.reading.is_none() {
                let task = self.pending.take(Instant::now());
                self.reading = task.map(|task| self.read(task));
            }
            let later = self.pending.not_before();
            let later = later.filter(|_| self.reading.is_none());
            let reading = &mut self.reading;
            let read = async {
                match reading {
                    Some(reading) => reading.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                (uids, part, page) = read => {
                    self.reading = None;
                    let is_end = page.is_some_and(|last| self.end_page(&uids, last));
                    return Update { uids, part, is_end };
                }
                received = self.commits.recv(), if !self.is_closed => self.note(received),
                () = wait_until(later) => {}
            }
        }
    }

    /// Reads the held uids that the read of the whole store did not find.
    pub(crate) fn look_again(&mut self, held: impl Iterator<Item = Arc<str>>) {
        self.pending.add_unseen(held);
    }

    /// Reads these uids, too.
    pub(crate) fn look_at(&mut self, uids: impl Iterator<Item = Arc<str>>) {
        uids.for_each(|uid| self.pending.add(uid));
    }

    fn note(&mut self, received: Result<Arc<Commit>, RecvError>) {
        match received {
            Ok(commit) => self.pending.note(&commit, Instant::now()),
            Err(RecvError::Lagged(_)) => self.pending.read_all(),
            Err(RecvError::Closed) => self.is_closed = true,
        }
    }

    fn end_page(&mut self, uids: &[String], last: Option<String>) -> bool {
        let end = self.pending.end_page(uids, last, Instant::now());
        if let Some(took) = end {
            let (processor, store) = (&self.processor, &self.store);
            info!(%processor, %store, ?took, "read the whole store again");
        }
        end.is_some()
    }

    fn read(&self, task: ReadTask) -> BoxFuture<'static, ReadResult<R::Part>> {
        let (processor, store) = (self.processor.clone(), self.store.clone());
        let reads = Arc::clone(&self.reads);
        Box::pin(async move {
            let mut attempts = Attempts::while_processing(&processor, &store);
            loop {
                let read = match &task {
                    ReadTask::Uids(uids) => {
                        reads.of(uids).await.map(|part| (uids.clone(), part, None))
                    }
                    ReadTask::Page(after) => {
                        let page = reads.page(after.as_deref()).await;
                        page.map(|page| (page.uids, page.part, Some(page.last)))
                    }
                };
                match read {
                    Ok(done) => {
                        attempts.succeeded();
                        return done;
                    }
                    Err(error) => attempts.failed(&error).await,
                }
            }
        })
    }
}

async fn wait_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
