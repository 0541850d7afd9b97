//! `sending_queue::batch`: merges queued batches of an exporter.
//!
//! A consumer takes all queued batches, up to `max_size`. It exports rows whose senders wait at once, since it is free.
//! It holds rows whose senders were acknowledged when they were queued (`wait_for_result: false`) until there are
//! `min_size`, or for `flush_timeout`, or until a batch comes that cannot be merged with them. Rows for which no sender
//! waits are not in the queue, but in the outbox.

use tokio::time::{Instant, timeout_at};

use crate::Batch;
use crate::batch_buffer::BatchBuffer;
use crate::channel::{Queue, QueuedBatch};
use crate::exporter_settings::{BatchSizer, QueueBatch};

/// Waits for the batches to export next. Returns the merged batches, and guards that free the capacity of the taken
/// batches in the queue.
pub(super) async fn take(
    queue: &mut Queue,
    settings: &QueueBatch,
) -> Option<(Vec<Batch>, Vec<impl Send + use<>>)> {
    let first = queue.recv().await?;
    let flush = Instant::now().checked_add(settings.flush_timeout);
    let kind = kind(first.batch());
    let (_, is_awaited) = kind;
    let mut size = settings.size(first.batch());
    let mut taken = vec![first];
    loop {
        let joins = |next: &QueuedBatch| {
            let joined = size.saturating_add(settings.size(next.batch()));
            self::kind(next.batch()) == kind
                && settings.max_size().is_none_or(|limit| joined <= limit)
        };
        if let Some(next) = queue.recv_if(joins) {
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

/// The kind of a batch. Only batches of one kind may be merged.
fn kind(batch: &Batch) -> (crate::Signal, bool) {
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

    /// The maximum size of a batch; none if there is no maximum.
    fn max_size(&self) -> Option<usize> {
        Some(self.max_size).filter(|limit| *limit > 0)
    }
}
