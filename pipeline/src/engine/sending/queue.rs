//! The queue of an exporter and its consumers. The queue is bounded in bytes, and in the unit of its settings.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::attempt::ExporterSender;
use super::grouping;
use crate::channel::{Bound, Queue, QueuedBatch, Sender, bounded};
use crate::component::{Exporter, RowCounts};
use crate::engine::plan::{Limits, PlannedExporter};
use crate::engine::task_set::TaskFailure;
use crate::exporter_settings::{SendingQueue, Sizer};

/// Makes the queue of an exporter.
pub(in crate::engine) fn queue(planned: &PlannedExporter, limits: &Limits) -> (Sender, Queue) {
    let settings = &planned.settings.sending_queue;
    let bounds = [
        Bound::bytes(limits.exporter_bytes),
        if settings.enabled {
            Bound {
                capacity: settings.queue_size,
                measure: match settings.sizer {
                    Sizer::Requests => |_| 1,
                    Sizer::Items => |batch| batch.num_rows(),
                    Sizer::Bytes => |batch| batch.memory(),
                },
            }
        } else {
            // Without a queue, there is capacity only for the batches in flight.
            Bound {
                capacity: consumers(settings, planned.exporter.as_ref()),
                measure: |_| 1,
            }
        },
    ];
    bounded(
        format!("exporters/{}", planned.id),
        planned.accepts,
        &bounds,
    )
}

/// The number of batches that are exported concurrently.
pub(in crate::engine) fn consumers(settings: &SendingQueue, exporter: &dyn Exporter) -> usize {
    settings.num_consumers.min(exporter.concurrency()).max(1)
}

/// Exports queued batches, in their order, until the queue is closed and empty. Several consumers may share a queue.
/// When the last consumer ends, the batches that are still queued are refused.
pub(in crate::engine) async fn consume(
    sender: Arc<ExporterSender>,
    queue: Arc<Mutex<Queue>>,
) -> Result<(), TaskFailure> {
    loop {
        let sent = match &sender.settings.sending_queue.batch {
            None => {
                let taken = take(&mut *queue.lock().await, sender.exporter.as_ref()).await;
                let Some(queued) = taken else {
                    return Ok(());
                };
                let (batches, capacities): (Vec<_>, Vec<_>) =
                    queued.into_iter().map(QueuedBatch::into_parts).unzip();
                let sent = sender.send_joint(batches).await;
                drop(capacities);
                sent
            }
            Some(settings) => {
                let taken = grouping::take(&mut *queue.lock().await, settings).await;
                let Some((batches, capacities)) = taken else {
                    return Ok(());
                };
                let sent = sender.send_each(batches).await;
                drop(capacities);
                sent
            }
        };
        sent?;
    }
}

/// Waits for the next batch. Takes it, and the following batches that the exporter accepts in the same call.
async fn take(queue: &mut Queue, exporter: &dyn Exporter) -> Option<Vec<QueuedBatch>> {
    let first = queue.recv().await?;
    let mut rows = RowCounts::default();
    let accepts_others = exporter.can_join(&rows, first.batch());
    rows.add(first.batch());
    let mut taken = vec![first];
    while accepts_others
        && let Some(next) = queue.recv_if(|next| exporter.can_join(&rows, next.batch()))
    {
        rows.add(next.batch());
        taken.push(next);
    }
    Some(taken)
}
