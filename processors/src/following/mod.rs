//! Follows the commits of other processes to a store, for a processor that holds a part of the store in memory.
//!
//! ```text
//!  GraphStore::commits ──▶ PendingReads: uids to read, ──▶ StoreReader: one read at a time ──▶ StoreUpdate
//!                          or the whole store                                                       │
//!  Processor::wake waits for the update, Processor::tick replaces the processor's copy of the uids ◀┘
//! ```
//!
//! An *own commit* is one that this process wrote. The follower does not read the uids of own commits, since the
//! processor has already applied their reports. There are two exceptions:
//!
//! - When the follower reads a uid, the store may lack reports that the processor has already applied. So for
//!   [`WATCH_PERIOD`](pending::WATCH_PERIOD) after the read, it reads the uid again when an own commit names it.
//! - If one scope misses a uid that another scope has, unchanged scans of other processes decide whether the uid
//!   exists. Such scans make no commit, so the follower also reads the uids that an own commit lists for this reason.
//!
//! If it is unknown which uids a commit changed (the commit is truncated, or the log or the receiver lost commits),
//! the follower reads the whole store again, page by page: a *full read*. Between two pages, the processor processes
//! batches, and the follower reads the uids that new commits name. Full reads take at most a tenth of the time.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use pipeline::graph_store::{Commit, GraphStore, StoreError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};
use tracing::info;

mod pending;

use crate::loading::ReadAttempts;
use pending::{PendingReads, ReadTask};

/// Reads uids from a store, each with the data that one processor holds of it.
#[async_trait]
pub(crate) trait StoreReader: Send + Sync + 'static {
    /// The data that the processor holds of some uids.
    type Content: Send + 'static;

    /// Reads the current content of these uids.
    async fn read_uids(&self, uids: &[String]) -> Result<Self::Content, StoreError>;

    /// Reads one page of all uids of the store: the page after the uid `after`, or the first page.
    async fn read_page(&self, after: Option<&str>) -> Result<ReadPage<Self::Content>, StoreError>;
}

/// A page of the uids of a store, with their content.
pub(crate) struct ReadPage<C> {
    pub(crate) uids: Vec<String>,
    pub(crate) content: C,
    /// The uid after which the next page begins; `None` on the last page.
    pub(crate) last: Option<String>,
}

/// Content that replaces everything that the processor holds of some uids.
#[derive(Debug)]
pub(crate) struct StoreUpdate<C> {
    pub(crate) uids: Vec<String>,
    pub(crate) content: C,
    /// Whether this update completes a full read. If so, the processor must call [`Follower::queue_missing`].
    pub(crate) completes_full_read: bool,
}

/// The uids that were read, and their content. For a page also [`ReadPage::last`].
type ReadResult<C> = (Vec<String>, C, Option<Option<String>>);

/// Turns the commits of one store into updates for one processor, as the [module](self) describes.
pub(crate) struct Follower<R: StoreReader> {
    /// The component id of the processor, for log messages.
    processor: String,
    /// The id of the exporter that provides the store, for log messages.
    store: String,
    reader: Arc<R>,
    commits: Receiver<Arc<Commit>>,
    /// Whether the store was closed, so that no commit follows.
    is_closed: bool,
    pending: PendingReads,
    /// The read in progress.
    reading: Option<BoxFuture<'static, ReadResult<R::Content>>>,
}

impl<R: StoreReader> std::fmt::Debug for Follower<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower(of {}, {:?})", self.store, self.pending)
    }
}

impl<R: StoreReader> Follower<R> {
    /// Follows the commits from now on. Call this before you load the store, so that no commit is missed. `processor`
    /// and `store_name` are for log messages.
    pub(crate) fn new(
        processor: &str,
        store_name: &str,
        store: &dyn GraphStore,
        reader: R,
    ) -> Follower<R> {
        Follower {
            processor: processor.to_owned(),
            store: store_name.to_owned(),
            reader: Arc::new(reader),
            commits: store.commits(),
            is_closed: false,
            pending: PendingReads::default(),
            reading: None,
        }
    }

    /// Queues the uids that commits change, without reading them. Never returns; poll it while you load the store.
    pub(crate) async fn queue_commits(&mut self) {
        loop {
            if self.is_closed {
                std::future::pending::<()>().await;
            }
            let received = self.commits.recv().await;
            self.queue_received(received);
        }
    }

    /// Waits for the next update. Cancel safe: if the future is dropped, no update is lost.
    pub(crate) async fn next(&mut self) -> StoreUpdate<R::Content> {
        loop {
            if self.reading.is_none() {
                let task = self.pending.take(Instant::now());
                self.reading = task.map(|task| self.start_read(task));
            }
            let full_read_at = self.pending.full_read_not_before();
            let full_read_at = full_read_at.filter(|_| self.reading.is_none());
            let reading = &mut self.reading;
            let read = async {
                match reading {
                    Some(reading) => reading.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                (uids, content, page) = read => {
                    self.reading = None;
                    let completes_full_read = page.is_some_and(|last| self.end_page(&uids, last));
                    return StoreUpdate { uids, content, completes_full_read };
                }
                received = self.commits.recv(), if !self.is_closed => self.queue_received(received),
                () = wait_until(full_read_at) => {}
            }
        }
    }

    /// Queues the uids in `held` that the last full read did not find. `held` has all uids that the processor holds.
    pub(crate) fn queue_missing(&mut self, held: impl Iterator<Item = Arc<str>>) {
        self.pending.add_missing(held);
    }

    /// Queues these uids.
    pub(crate) fn queue_uids(&mut self, uids: impl Iterator<Item = Arc<str>>) {
        uids.for_each(|uid| self.pending.add(uid));
    }

    fn queue_received(&mut self, received: Result<Arc<Commit>, RecvError>) {
        match received {
            Ok(commit) => self.pending.add_commit(&commit, Instant::now()),
            Err(RecvError::Lagged(_)) => self.pending.request_full_read(),
            Err(RecvError::Closed) => self.is_closed = true,
        }
    }

    /// Records that a page was read. Returns whether it was the last page of a full read.
    fn end_page(&mut self, uids: &[String], last: Option<String>) -> bool {
        let duration = self.pending.end_page(uids, last, Instant::now());
        if let Some(took) = duration {
            let (processor, store) = (&self.processor, &self.store);
            info!(%processor, %store, ?took, "read the whole store again");
        }
        duration.is_some()
    }

    /// Returns a future that reads until it succeeds.
    fn start_read(&self, task: ReadTask) -> BoxFuture<'static, ReadResult<R::Content>> {
        let (processor, store) = (self.processor.clone(), self.store.clone());
        let reader = Arc::clone(&self.reader);
        Box::pin(async move {
            let mut attempts = ReadAttempts::while_processing(&processor, &store);
            loop {
                let read = match &task {
                    ReadTask::Uids(uids) => {
                        let content = reader.read_uids(uids).await;
                        content.map(|content| (uids.clone(), content, None))
                    }
                    ReadTask::Page(after) => {
                        let page = reader.read_page(after.as_deref()).await;
                        page.map(|page| (page.uids, page.content, Some(page.last)))
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

/// Waits until `time`; forever if it is `None`.
async fn wait_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
