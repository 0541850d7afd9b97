//! `sending_queue::batch`: merges queued batches of an exporter.
//!
//! A consumer takes as many queued batches as it can merge, up to `max_size`. If their senders wait, it exports them
//! without delay. With `wait_for_result: false` the senders were acknowledged when the batches were queued. Then the
//! consumer holds the batches until they reach `min_size`, until `flush_timeout` is over, or until a batch arrives that
//! cannot be merged with them. Rows that never had a sender are in the outbox, not in the queue.

use tokio::time::{Instant, timeout_at};

use crate::Batch;
use crate::batch_buffer::BatchBuffer;
use crate::channel::{Queue, QueuedBatch};
use crate::exporter_settings::{BatchSizer, QueueBatch};

/// Waits for the batches to export next. Returns the merged batches, and guards that free the capacity of the taken
/// batches in the queue. Returns `None` when the queue is closed and empty.
pub(super) async fn take(
    queue: &mut Queue,
    settings: &QueueBatch,
) -> Option<(Vec<Batch>, Vec<impl Send + use<>>)> {
    let first = queue.recv().await?;
    let flush = Instant::now().checked_add(settings.flush_timeout);
    let key = merge_key(first.batch());
    let (_, is_awaited) = key;
    let mut size = settings.size(first.batch());
    let mut taken = vec![first];
    loop {
        let can_join = |next: &QueuedBatch| {
            let joined = size.saturating_add(settings.size(next.batch()));
            merge_key(next.batch()) == key
                && settings.max_size().is_none_or(|limit| joined <= limit)
        };
        if let Some(next) = queue.recv_if(can_join) {
            size = size.saturating_add(settings.size(next.batch()));
            taken.push(next);
            continue;
        }
        if is_awaited || size >= settings.min_size || queue.has_next() {
            break;
        }
        let has_next = match flush {
            Some(flush) => timeout_at(flush, queue.wait_for_batch())
                .await
                .unwrap_or(false),
            None => queue.wait_for_batch().await,
        };
        if !has_next {
            break;
        }
    }
    let (batches, capacities): (Vec<Batch>, Vec<_>) =
        taken.into_iter().map(QueuedBatch::into_parts).unzip();
    let rows: usize = batches.iter().map(Batch::num_rows).sum();
    let mut held = BatchBuffer::default();
    batches.into_iter().for_each(|batch| held.add(batch));
    let max_size = settings.max_size().filter(|limit| *limit < size);
    let max_rows = max_size.map_or(usize::MAX, |limit| (rows * limit / size.max(1)).max(1));
    Some((held.take_all(max_rows), capacities))
}

/// The signal of a batch, and whether a sender waits for it. Only batches with the same key may be merged.
fn merge_key(batch: &Batch) -> (crate::Signal, bool) {
    (batch.signal(), batch.delivery().is_awaited())
}

impl QueueBatch {
    /// The size of a batch in units of `sizer`.
    fn size(&self, batch: &Batch) -> usize {
        match self.sizer {
            BatchSizer::Items => batch.num_rows(),
            BatchSizer::Bytes => batch.memory(),
        }
    }

    /// The maximum size of a batch; `None` if there is no maximum.
    fn max_size(&self) -> Option<usize> {
        Some(self.max_size).filter(|limit| *limit > 0)
    }
}
