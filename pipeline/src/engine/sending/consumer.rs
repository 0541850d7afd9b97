//! Takes batches out of an exporter's queue, in their order.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::attempt::{Panicked, Sending};
use crate::channel::{Queue, Queued};
use crate::engine::crew::Failure;

/// Runs until the queue is closed and empty. Several consumers may share a queue; when the last is
/// gone, what is still in it is refused.
pub(in crate::engine) async fn consume(
    sending: Arc<Sending>,
    queue: Arc<Mutex<Queue>>,
) -> Result<(), Failure> {
    let rows = sending.exporter.rows_together();
    loop {
        let Some(queued) = next(&mut *queue.lock().await, rows).await else {
            return Ok(());
        };
        let (batches, rooms): (Vec<_>, Vec<_>) = queued.into_iter().map(Queued::into_parts).unzip();
        let sent = sending.send_together(batches).await;
        drop(rooms);
        if let Err(Panicked(message)) = sent {
            return Err(Failure::Panicked {
                component: None,
                message,
            });
        }
    }
}

/// The next batch, and those that wait behind it until there are so many rows.
async fn next(queue: &mut Queue, most: usize) -> Option<Vec<Queued>> {
    let first = queue.recv().await?;
    let mut rows = first.batch().num_rows();
    let mut taken = vec![first];
    while rows < most {
        let Some(queued) = queue.try_recv() else {
            break;
        };
        rows += queued.batch().num_rows();
        taken.push(queued);
    }
    Some(taken)
}
