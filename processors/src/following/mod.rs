//! Follows what other processes write to a store, for a processor that holds a part of it in memory.
//!
//! ```text
//!  GraphStore::commits ──▶ Pending: which uids to read ──▶ Reads, one part at a time ──▶ Update
//!                           or the whole store                                            │
//!  Processor::wake waits for the update, Processor::tick puts it in the place of what is held
//! ```
//!
//! The own commits of the store are not read: what they wrote passed through this process. But what
//! was read of a uid may lack reports that passed and were not written yet. So own commits that name a
//! uid are read as well for [`KEPT`](pending::KEPT) after the uid was read. And where one scope misses a
//! uid that another has, it depends on the unchanged scans of other processes whether the uid exists:
//! these make no commit, so such uids are read whichever process wrote the commit.
//!
//! Where it is not known what a commit changed (it is truncated, or the log or the receiver lost some),
//! the whole store is read again, page by page between batches, which go on meanwhile. What other
//! commits name comes first. That takes a tenth of the time at most.

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
use pending::{Pending, Task};

/// How a processor reads what it holds.
#[async_trait]
pub(crate) trait Reads: Send + Sync + 'static {
    type Part: Send + 'static;

    /// All that the store has of these uids now.
    async fn of(&self, uids: &[String]) -> Result<Self::Part, StoreError>;

    /// The page of the whole store that follows a uid.
    async fn page(&self, after: Option<&str>) -> Result<Page<Self::Part>, StoreError>;
}

pub(crate) struct Page<P> {
    /// What it is about.
    pub(crate) uids: Vec<String>,
    pub(crate) part: P,
    /// The uid to go on after; none at the end.
    pub(crate) last: Option<String>,
}

/// What takes the place of all that is held of some uids.
#[derive(Debug)]
pub(crate) struct Update<P> {
    pub(crate) uids: Vec<String>,
    pub(crate) part: P,
    /// Whether the whole store has been read: then [`Follower::look_again`] is to be called.
    pub(crate) is_end: bool,
}

/// A part that was read, of a page with the uid to go on after.
type Done<P> = (Vec<String>, P, Option<Option<String>>);

/// See the [module](self).
pub(crate) struct Follower<R: Reads> {
    processor: String,
    store: String,
    reads: Arc<R>,
    commits: Receiver<Arc<Commit>>,
    /// The store is gone.
    is_closed: bool,
    pending: Pending,
    reading: Option<BoxFuture<'static, Done<R::Part>>>,
}

impl<R: Reads> std::fmt::Debug for Follower<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower(of {}, {:?})", self.store, self.pending)
    }
}

impl<R: Reads> Follower<R> {
    /// Follows the commits from now on: to be called before the store is loaded.
    pub(crate) fn new(processor: &str, store: &str, of: &dyn GraphStore, reads: R) -> Follower<R> {
        Follower {
            processor: processor.to_owned(),
            store: store.to_owned(),
            reads: Arc::new(reads),
            commits: of.commits(),
            is_closed: false,
            pending: Pending::default(),
            reading: None,
        }
    }

    /// Takes note of commits. It never returns; to be polled while the store is loaded.
    pub(crate) async fn collect(&mut self) {
        loop {
            if self.is_closed {
                std::future::pending::<()>().await;
            }
            let received = self.commits.recv().await;
            self.note(received);
        }
    }

    /// Waits for the next update. Nothing is lost where it is dropped.
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

    /// Reads what is held and was not in the store when all of it was read.
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
            info!(%processor, %store, ?took, "read the store again");
        }
        end.is_some()
    }

    fn read(&self, task: Task) -> BoxFuture<'static, Done<R::Part>> {
        let (processor, store) = (self.processor.clone(), self.store.clone());
        let reads = Arc::clone(&self.reads);
        Box::pin(async move {
            let mut attempts = Attempts::beside_batches(&processor, &store);
            loop {
                let read = match &task {
                    Task::Uids(uids) => reads.of(uids).await.map(|part| (uids.clone(), part, None)),
                    Task::Page(after) => {
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
