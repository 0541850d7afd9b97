//! Takes batches out of an exporter's queue, one after the other.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::attempt::{Panicked, Sending};
use crate::channel::Queue;
use crate::engine::crew::Failure;

/// Runs until the queue is closed and empty. Several consumers may share a queue; when the last is
/// gone, what is still in it is refused.
pub(in crate::engine) async fn consume(
    sending: Arc<Sending>,
    queue: Arc<Mutex<Queue>>,
) -> Result<(), Failure> {
    loop {
        let next = queue.lock().await.recv().await;
        let Some(queued) = next else {
            return Ok(());
        };
        let (batch, room) = queued.into_parts();
        let sent = sending.send(batch).await;
        drop(room);
        if let Err(Panicked(message)) = sent {
            return Err(Failure::Panicked {
                component: None,
                message,
            });
        }
    }
}
