//! Takes batches out of an exporter's queue, in their order.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::attempt::{Panicked, Sending};
use super::grouping;
use crate::channel::{Queue, Queued};
use crate::component::{Exporter, RowCounts};
use crate::engine::crew::TaskFailure;

/// Runs until the queue is closed and empty. Several consumers may share a queue; when the last consumer
/// ends, the batches that are still queued are refused.
pub(in crate::engine) async fn consume(
    sending: Arc<Sending>,
    queue: Arc<Mutex<Queue>>,
) -> Result<(), TaskFailure> {
    loop {
        let sent = match &sending.settings.sending_queue.batch {
            None => {
                let taken = take(&mut *queue.lock().await, sending.exporter.as_ref()).await;
                let Some(queued) = taken else {
                    return Ok(());
                };
                let (batches, rooms): (Vec<_>, Vec<_>) =
                    queued.into_iter().map(Queued::into_parts).unzip();
                let sent = sending.send_all(batches).await;
                drop(rooms);
                sent
            }
            Some(settings) => {
                let taken = grouping::take(&mut *queue.lock().await, settings).await;
                let Some((batches, rooms)) = taken else {
                    return Ok(());
                };
                let sent = sending.send_each(batches).await;
                drop(rooms);
                sent
            }
        };
        if let Err(Panicked(message)) = sent {
            return Err(TaskFailure::Panicked {
                component: None,
                message,
            });
        }
    }
}

/// The next batch, and the batches behind it that the exporter takes together with it.
async fn take(queue: &mut Queue, exporter: &dyn Exporter) -> Option<Vec<Queued>> {
    let first = queue.recv().await?;
    let mut rows = RowCounts::default();
    let joins = exporter.joins(&rows, first.batch());
    rows.add(first.batch());
    let mut taken = vec![first];
    while joins && let Some(next) = queue.recv_if(|next| exporter.joins(&rows, next.batch())) {
        rows.add(next.batch());
        taken.push(next);
    }
    Some(taken)
}
