//! Loads the processors of a pipeline while its batches wait in the queue.

use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures::FutureExt;
use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::chain::Link;
use super::crew::TaskFailure;
use super::error::panic_message;
use crate::channel::{Queue, Queued};

/// How loading ended.
pub(super) enum Loading {
    /// All processors have loaded. Holds the first batch if it was taken out of the queue meanwhile.
    Done(Option<Queued>),
    /// The process stops, and there is no batch to process.
    Stopped,
}

/// Loads all processors concurrently, since one may wait for what another loads.
pub(super) async fn load(
    links: &mut [Link],
    queue: &mut Queue,
    give_up: &CancellationToken,
) -> Result<Loading, TaskFailure> {
    let each = links.iter_mut().map(|link| async {
        let loaded = AssertUnwindSafe(link.processor.load()).catch_unwind().await;
        loaded.map_err(|panic| TaskFailure::Panicked {
            component: Some(link.name.clone()),
            message: panic_message(panic.as_ref()),
        })
    });
    let mut loaded = pin!(try_join_all(each));
    // The first batch is taken out only to notice when the queue is closed and empty.
    let mut first = None;
    loop {
        tokio::select! {
            biased;
            loaded = &mut loaded => {
                loaded?;
                return Ok(Loading::Done(first));
            }
            () = give_up.cancelled() => return Ok(Loading::Stopped),
            queued = queue.recv(), if first.is_none() => match queued {
                None => return Ok(Loading::Stopped),
                queued => first = queued,
            }
        }
    }
}
