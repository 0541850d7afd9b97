//! Where a chain hands over what it made: one way to every exporter and connector after it.

use std::sync::Arc;

use tracing::{debug, error, warn};

use super::metrics::ExporterCounters;
use crate::channel::{SendError, Sender};
use crate::{Batch, Delivery};

/// The way to one exporter, connector or pipeline. Slow or full, it harms no other.
#[derive(Clone)]
pub(super) struct Exit {
    pub(super) sender: Sender,
    /// Wait for room rather than refuse.
    pub(super) block: bool,
    /// Those who wait are answered when the batch is queued, not when it is durable.
    pub(super) release: bool,
    /// What finds no room is left out.
    pub(super) optional: bool,
    /// Only of exporters.
    pub(super) counters: Option<Arc<ExporterCounters>>,
}

/// Hands a batch to all that accept it. Only after all others were served it waits for those
/// that are to be waited for.
pub(super) async fn send(exits: &[Exit], batch: &Batch) {
    if batch.num_rows() == 0 {
        return;
    }
    let takers = || {
        exits
            .iter()
            .filter(|exit| exit.sender.accepts(batch.signal()))
    };
    let mut full = Vec::new();
    for exit in takers() {
        match exit.sender.try_reserve(batch) {
            Ok(room) => exit.told(batch, room.send(exit.prepared(batch))),
            Err(SendError::Full { .. }) if exit.block => full.push(exit),
            Err(error) => exit.told(batch, Err(error)),
        }
    }
    for exit in full {
        let sent = match exit.sender.reserve(batch).await {
            Ok(room) => room.send(exit.prepared(batch)),
            Err(error) => Err(error),
        };
        exit.told(batch, sent);
    }
}

impl Exit {
    fn prepared(&self, batch: &Batch) -> Batch {
        if self.release {
            return batch.clone().with_delivery(Delivery::nobody());
        }
        batch.clone()
    }

    /// Refuses to this branch what could not be queued.
    fn told(&self, batch: &Batch, sent: Result<(), SendError>) {
        let Err(failed) = sent else {
            return;
        };
        let (signal, rows) = (batch.signal(), batch.num_rows());
        if self.optional {
            debug!(queue = %self.sender.name(), %signal, rows, reason = %failed, "left out");
            return;
        }
        if let Some(counters) = &self.counters {
            counters.enqueue_failed.add(signal, rows);
        }
        batch.delivery().refuse(&failed.refusal());
        let queue = self.sender.name();
        if batch.delivery().is_awaited() {
            warn!(%queue, %signal, rows, reason = %failed, "refused to the sender");
        } else {
            error!(%queue, %signal, rows, reason = %failed, "lost: nobody waits for it");
        }
    }
}
