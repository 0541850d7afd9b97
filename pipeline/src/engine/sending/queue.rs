//! The queue of an exporter: bounded in bytes, and in what its settings count.

use crate::channel::{Bound, Queue, Sender, bounded};
use crate::component::Exporter;
use crate::engine::plan::{Limits, PlannedExporter};
use crate::engine::settings::{SendingQueue, Sizer};

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
            // No queue: room only for the batches in flight.
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

/// How many batches are sent at the same time.
pub(in crate::engine) fn consumers(settings: &SendingQueue, exporter: &dyn Exporter) -> usize {
    settings.num_consumers.min(exporter.concurrency()).max(1)
}
