//! Routes of a chain: each sends the output of the chain to one exporter, connector or receiver.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tracing::{debug, error, warn};

use super::metrics::ExporterCounters;
use super::outbox::Outbox;
use crate::channel::{Reservation, SendError, Sender};
use crate::{Batch, Delivery};

/// The way to one exporter, connector or receiver. A full route delays the other routes only if the chain waits for it
/// (see `Route::waits_for`).
#[derive(Clone)]
pub(super) struct Route {
    pub(super) sender: Sender,
    /// `sending_queue::block_on_overflow`: when the queue is full, the chain waits instead of refusing the batch.
    pub(super) block: bool,
    /// A batch is acknowledged when it is queued, not when it is durable.
    pub(super) ack_when_queued: bool,
    /// When the queue is full, batches are dropped without a refusal.
    pub(super) optional: bool,
    /// The number of batches that are consumed concurrently.
    pub(super) consumers: usize,
    /// Limits concurrent exports of the queue and the outbox together; `None` if there is no limit.
    pub(super) permits: Option<Arc<Semaphore>>,
    /// Holds the rows for which no sender waits; `None` if the route does not lead to an exporter.
    pub(super) outbox: Option<Outbox>,
    /// The counters of the exporter; `None` if the route does not lead to an exporter.
    pub(super) counters: Option<Arc<ExporterCounters>>,
}

/// A batch for which capacity in a queue is reserved.
struct ReservedBatch<'r> {
    route: &'r Route,
    reservation: Reservation<'r>,
    batch: &'r Batch,
}

/// Sends each batch to all routes that accept its signal, in order. Reserves capacity for all batches before it queues
/// the first one. So an exporter that supports joint exports usually gets all batches of one request. Waits for a full
/// route only after all other routes have the batch.
pub(super) async fn send_all(routes: &[Route], batches: &[Batch]) {
    let mut reserved = Vec::with_capacity(batches.len());
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let accepting = routes
            .iter()
            .filter(|route| route.sender.accepts(batch.signal()));
        let mut full = Vec::new();
        for route in accepting {
            if let Some(outbox) = &route.outbox
                && !batch.delivery().is_awaited()
            {
                outbox.put(batch.clone());
                continue;
            }
            match route.sender.try_reserve(batch) {
                Ok(reservation) => reserved.push(ReservedBatch {
                    route,
                    reservation,
                    batch,
                }),
                Err(SendError::Full { .. }) if route.waits_for(batch) => full.push(route),
                Err(error) => route.refuse(batch, &error),
            }
        }
        if full.is_empty() {
            continue;
        }
        // The exporter must get the reserved batches first: it has no capacity for this one before it finishes some.
        reserved.drain(..).for_each(ReservedBatch::send);
        for route in full {
            match route.sender.reserve(batch).await {
                Ok(reservation) => ReservedBatch {
                    route,
                    reservation,
                    batch,
                }
                .send(),
                Err(error) => route.refuse(batch, &error),
            }
        }
    }
    reserved.into_iter().for_each(ReservedBatch::send);
}

/// Waits until each route has a free consumer. Ignores optional routes. Also ignores routes that acknowledge a batch
/// when it is queued, unless all required routes do that.
pub(super) async fn wait_all_idle(routes: &[Route]) {
    let required = || routes.iter().filter(|route| !route.optional);
    let is_any_awaited = required().any(|route| !route.ack_when_queued);
    let counted = || required().filter(|route| !(is_any_awaited && route.ack_when_queued));
    // A route that became idle may be busy again when the last one becomes idle.
    while let Some(route) = counted().find(|route| !route.is_idle()) {
        route.sender.gauge().wait_below(route.consumers).await;
        if let Some(permits) = &route.permits {
            // This only waits for a permit and does not keep it.
            let _ = permits.acquire().await;
        }
    }
}

impl ReservedBatch<'_> {
    fn send(self) {
        let ReservedBatch {
            route,
            reservation,
            batch,
        } = self;
        if let Err(error) = reservation.send(route.for_queue(batch)) {
            route.refuse(batch, &error);
        }
    }
}

impl Route {
    /// Whether a consumer is free, and a permit if exports are limited.
    fn is_idle(&self) -> bool {
        let has_permit = self
            .permits
            .as_ref()
            .is_none_or(|permits| permits.available_permits() > 0);
        has_permit && self.sender.gauge().batches() < self.consumers
    }

    /// Whether the chain waits when the queue is full: if `block_on_overflow` is set, or if the rows go to a connector
    /// and no sender can send them again.
    fn waits_for(&self, batch: &Batch) -> bool {
        let would_be_lost = self.outbox.is_none() && !batch.delivery().is_awaited();
        self.block || (would_be_lost && !self.optional)
    }

    /// The batch to queue. If the route acknowledges batches when they are queued, no sender waits for it any more.
    fn for_queue(&self, batch: &Batch) -> Batch {
        if self.ack_when_queued {
            return batch.clone().with_delivery(Delivery::untracked());
        }
        batch.clone()
    }

    /// Refuses a batch that could not be queued.
    fn refuse(&self, batch: &Batch, error: &SendError) {
        let (signal, rows) = (batch.signal(), batch.num_rows());
        if self.optional {
            debug!(queue = %self.sender.name(), %signal, rows, reason = %error, "batch dropped");
            return;
        }
        if let Some(counters) = &self.counters {
            counters.enqueue_failed.add(signal, rows);
        }
        batch.delivery().refuse(&error.refusal());
        let queue = self.sender.name();
        if batch.delivery().is_awaited() {
            warn!(%queue, %signal, rows, reason = %error, "batch refused");
        } else {
            error!(%queue, %signal, rows, reason = %error, "rows lost: no sender can send them again");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, timeout};

    use super::*;
    use crate::channel::{Bound, Queue, bounded};
    use crate::testing::batch;
    use crate::{Outcome, Signal, SignalSet};

    /// A route to a queue of `capacity` batches, and that queue.
    fn route(capacity: usize) -> (Route, Queue) {
        let bounds = [
            Bound::bytes(1 << 20),
            Bound {
                capacity,
                measure: |_| 1,
            },
        ];
        let (sender, queue) = bounded("exporters/x", SignalSet::ALL, &bounds);
        let route = Route {
            sender,
            block: true,
            ack_when_queued: false,
            optional: false,
            consumers: 1,
            permits: None,
            outbox: None,
            counters: None,
        };
        (route, queue)
    }

    fn batches() -> [Batch; 3] {
        ["a", "b", "c"].map(|uid| batch(Signal::Traces, &[uid]))
    }

    fn queued_uids(queue: &mut Queue) -> Vec<String> {
        let queued = std::iter::from_fn(|| queue.recv_if(|_| true));
        let uids = queued.map(|queued| queued.batch().uid().value(0).to_owned());
        uids.collect()
    }

    #[tokio::test]
    async fn batches_keep_their_order_on_each_route() {
        let ((one, mut of_one), (other, mut of_other)) = (route(3), route(3));
        send_all(&[one, other], &batches()).await;
        assert_eq!(queued_uids(&mut of_one), ["a", "b", "c"]);
        assert_eq!(queued_uids(&mut of_other), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn batch_that_waits_for_capacity_delays_neither_earlier_batches_nor_other_routes() {
        let ((small, mut of_small), (large, mut of_large)) = (route(2), route(9));
        let (routes, batches) = ([small, large], batches());
        let sending = send_all(&routes, &batches);
        tokio::pin!(sending);
        let early = timeout(Duration::from_millis(20), &mut sending).await;
        assert!(early.is_err(), "there is no capacity for the third batch");
        assert_eq!(queued_uids(&mut of_small), ["a", "b"]);
        assert_eq!(queued_uids(&mut of_large), ["a", "b", "c"]);
        sending.await;
        assert_eq!(queued_uids(&mut of_small), ["c"]);
    }

    #[tokio::test]
    async fn route_that_does_not_block_refuses_a_batch_when_it_is_full() {
        let (mut route, mut queue) = route(2);
        route.block = false;
        let batches = batches().map(|batch| {
            let (delivery, receipt) = Delivery::new(None);
            (batch.with_delivery(delivery), receipt)
        });
        let [(a, _), (b, _), (c, refused)] = batches;
        send_all(&[route], &[a, b, c]).await;
        assert_eq!(queued_uids(&mut queue), ["a", "b"]);
        assert!(matches!(refused.await, Outcome::Refused(_)));
    }

    #[tokio::test]
    async fn batch_that_is_larger_than_the_queue_passes_alone() {
        let bounds = [Bound::bytes(1)];
        let (sender, mut queue) = bounded("exporters/x", SignalSet::ALL, &bounds);
        let (route, _) = route(1);
        let routes = [Route { sender, ..route }];
        let batches = batches();
        let sending = send_all(&routes, &batches);
        let taking = async {
            let mut uids = Vec::new();
            for _ in 0..3 {
                let queued = queue.recv().await.unwrap();
                uids.push(queued.batch().uid().value(0).to_owned());
            }
            uids
        };
        let ((), uids) = tokio::join!(sending, taking);
        assert_eq!(uids, ["a", "b", "c"]);
    }
}
