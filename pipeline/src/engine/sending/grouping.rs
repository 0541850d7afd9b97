//! `sending_queue::batch`: queued batches of an exporter are merged.
//!
//! A consumer takes all queued batches, up to `max_size`. Rows whose senders wait are exported at once, since
//! a consumer is free. Rows whose senders were acknowledged before (`wait_for_result: false`) are held until
//! there are `min_size`, or for `flush_timeout`, or until a batch comes that cannot be merged with them. Rows
//! that no sender has sent are not in the queue, but in the outbox.

use tokio::time::{Instant, timeout_at};

use crate::Batch;
use crate::channel::{Queue, Queued};
use crate::engine::settings::{BatchSizer, QueueBatch};
use crate::held::Held;

/// The batches to export next, and the guards that hold the queue's room for the batches that were merged.
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
        let joins = |next: &Queued| {
            let joined = size.saturating_add(settings.size(next.batch()));
            self::kind(next.batch()) == kind
                && settings.max_size().is_none_or(|most| joined <= most)
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
            Some(flush) => timeout_at(flush, queue.wait()).await.unwrap_or(false),
            None => queue.wait().await,
        };
        if !has_next {
            break;
        }
    }
    let (batches, rooms): (Vec<Batch>, Vec<_>) = taken.into_iter().map(Queued::into_parts).unzip();
    let rows: usize = batches.iter().map(Batch::num_rows).sum();
    let mut held = Held::default();
    batches.into_iter().for_each(|batch| held.add(batch));
    let most = settings.max_size().filter(|most| *most < size);
    let most = most.map_or(usize::MAX, |most| (rows * most / size.max(1)).max(1));
    Some((held.take_all(most), rooms))
}

/// Batches of one kind may be merged.
fn kind(batch: &Batch) -> (crate::Signal, bool) {
    (batch.signal(), batch.delivery().is_awaited())
}

impl QueueBatch {
    fn size(&self, batch: &Batch) -> usize {
        match self.sizer {
            BatchSizer::Items => batch.num_rows(),
            BatchSizer::Bytes => batch.memory(),
        }
    }

    fn max_size(&self) -> Option<usize> {
        Some(self.max_size).filter(|most| *most > 0)
    }
}
