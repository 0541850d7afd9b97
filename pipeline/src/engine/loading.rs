//! Loads the processors of a pipeline while its batches wait in the queue.

use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures::FutureExt;
use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::link::Link;
use super::task_set::TaskFailure;
use crate::channel::{Queue, QueuedBatch};

/// How loading ended.
pub(super) enum LoadOutcome {
    /// All processors have loaded. Contains the first batch of the queue, if one arrived meanwhile.
    Loaded(Option<QueuedBatch>),
    /// The queue was closed and empty, or the stop has reached its deadline. In the latter case, dropping the queue
    /// refuses its batches.
    Stopped,
}

/// Loads all processors concurrently, since one may wait for data that another loads.
pub(super) async fn load(
    links: &mut [Link],
    queue: &mut Queue,
    give_up: &CancellationToken,
) -> Result<LoadOutcome, TaskFailure> {
    let each = links.iter_mut().map(|link| async {
        let loaded = AssertUnwindSafe(link.processor.load()).catch_unwind().await;
        loaded.map_err(|panic| TaskFailure::panicked(Some(link.name.clone()), panic.as_ref()))
    });
    let mut loaded = pin!(try_join_all(each));
    // The first batch is taken out only to detect when the queue is closed and empty.
    let mut first = None;
    loop {
        tokio::select! {
            biased;
            loaded = &mut loaded => {
                loaded?;
                return Ok(LoadOutcome::Loaded(first));
            }
            () = give_up.cancelled() => return Ok(LoadOutcome::Stopped),
            queued = queue.recv(), if first.is_none() => match queued {
                None => return Ok(LoadOutcome::Stopped),
                queued => first = queued,
            }
        }
    }
}
