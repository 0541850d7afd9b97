//! Where a chain hands over what it made: one way to every exporter and connector after it.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tracing::{debug, error, warn};

use super::metrics::ExporterCounters;
use super::outbox::Outbox;
use crate::channel::{Reserved, SendError, Sender};
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
    /// How many batches are taken at the same time.
    pub(super) takers: usize,
    /// The permits of its exports, which its outbox needs as well; none where there is no limit.
    pub(super) turns: Option<Arc<Semaphore>>,
    /// Where rows go for which no sender waits; only of exporters.
    pub(super) outbox: Option<Outbox>,
    /// Only of exporters.
    pub(super) counters: Option<Arc<ExporterCounters>>,
}

/// A batch that has its place in a queue.
struct Placed<'e> {
    exit: &'e Exit,
    room: Reserved<'e>,
    batch: &'e Batch,
}

/// Hands batches to all that accept them, in their order. It reserves room for all of them before it queues the
/// first, so that an exporter that takes batches together usually finds all of one request. Only after all
/// others were served it waits for those that are to be waited for.
pub(super) async fn send_all(exits: &[Exit], batches: &[Batch]) {
    let mut placed = Vec::with_capacity(batches.len());
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let takers = exits
            .iter()
            .filter(|exit| exit.sender.accepts(batch.signal()));
        let mut full = Vec::new();
        for exit in takers {
            if let Some(outbox) = &exit.outbox
                && !batch.delivery().is_awaited()
            {
                outbox.put(batch.clone());
                continue;
            }
            match exit.sender.try_reserve(batch) {
                Ok(room) => placed.push(Placed { exit, room, batch }),
                Err(SendError::Full { .. }) if exit.waits_for(batch) => full.push(exit),
                Err(error) => exit.told(batch, Err(error)),
            }
        }
        if full.is_empty() {
            continue;
        }
        // The exporter must get the reserved batches before it can make room for this one.
        placed.drain(..).for_each(Placed::send);
        for exit in full {
            match exit.sender.reserve(batch).await {
                Ok(room) => Placed { exit, room, batch }.send(),
                Err(error) => exit.told(batch, Err(error)),
            }
        }
    }
    placed.into_iter().for_each(Placed::send);
}

/// Waits until each exit that senders wait for takes a batch at once; where they wait for none, until each
/// that must take it does.
pub(super) async fn all_idle(exits: &[Exit]) {
    let needed = || exits.iter().filter(|exit| !exit.optional);
    let awaited = needed().any(|exit| !exit.release);
    let busy = || needed().filter(|exit| !(awaited && exit.release));
    // One that became idle may be busy again when the last has.
    while let Some(exit) = busy().find(|exit| !exit.is_idle()) {
        exit.sender.gauge().less_than(exit.takers).await;
        if let Some(turns) = &exit.turns {
            // It goes back at once.
            let _ = turns.acquire().await;
        }
    }
}

impl Placed<'_> {
    fn send(self) {
        let Placed { exit, room, batch } = self;
        exit.told(batch, room.send(exit.prepared(batch)));
    }
}

impl Exit {
    fn is_idle(&self) -> bool {
        let has_turn = self
            .turns
            .as_ref()
            .is_none_or(|it| it.available_permits() > 0);
        has_turn && self.sender.gauge().batches() < self.takers
    }

    /// Whether the chain waits for room: where the settings say so, and with rows for a connector that no sender
    /// can send again.
    fn waits_for(&self, batch: &Batch) -> bool {
        let is_lost = self.outbox.is_none() && !batch.delivery().is_awaited();
        self.block || (is_lost && !self.optional)
    }

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

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, timeout};

    use super::*;
    use crate::channel::{Bound, Queue, bounded};
    use crate::testing::batch;
    use crate::{Outcome, Signal, SignalSet};

    /// A queue of so many batches, and the exit that leads to it.
    fn exit(capacity: usize) -> (Exit, Queue) {
        let bounds = [
            Bound::bytes(1 << 20),
            Bound {
                capacity,
                measure: |_| 1,
            },
        ];
        let (sender, queue) = bounded("exporters/x", SignalSet::ALL, &bounds);
        let exit = Exit {
            sender,
            block: true,
            release: false,
            optional: false,
            takers: 1,
            turns: None,
            outbox: None,
            counters: None,
        };
        (exit, queue)
    }

    fn batches() -> [Batch; 3] {
        ["a", "b", "c"].map(|uid| batch(Signal::Traces, &[uid]))
    }

    fn waiting(queue: &mut Queue) -> Vec<String> {
        let waiting = std::iter::from_fn(|| queue.recv_if(|_| true));
        let uids = waiting.map(|queued| queued.batch().uid().value(0).to_owned());
        uids.collect()
    }

    #[tokio::test]
    async fn batches_keep_their_order_at_each_exit() {
        let ((one, mut of_one), (other, mut of_other)) = (exit(3), exit(3));
        send_all(&[one, other], &batches()).await;
        assert_eq!(waiting(&mut of_one), ["a", "b", "c"]);
        assert_eq!(waiting(&mut of_other), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn a_batch_that_waits_for_room_holds_up_no_batch_before_it_and_no_other_exit() {
        let ((small, mut of_small), (large, mut of_large)) = (exit(2), exit(9));
        let (exits, batches) = ([small, large], batches());
        let sending = send_all(&exits, &batches);
        tokio::pin!(sending);
        let early = timeout(Duration::from_millis(20), &mut sending).await;
        assert!(early.is_err(), "there is no room for the third");
        assert_eq!(waiting(&mut of_small), ["a", "b"]);
        assert_eq!(waiting(&mut of_large), ["a", "b", "c"]);
        sending.await;
        assert_eq!(waiting(&mut of_small), ["c"]);
    }

    #[tokio::test]
    async fn an_exit_that_does_not_wait_refuses_what_has_no_room() {
        let (mut exit, mut queue) = exit(2);
        exit.block = false;
        let batches = batches().map(|batch| {
            let (delivery, receipt) = Delivery::new(None);
            (batch.with_delivery(delivery), receipt)
        });
        let [(a, _), (b, _), (c, refused)] = batches;
        send_all(&[exit], &[a, b, c]).await;
        assert_eq!(waiting(&mut queue), ["a", "b"]);
        assert!(matches!(refused.await, Outcome::Refused(_)));
    }

    #[tokio::test]
    async fn a_batch_that_is_larger_than_the_queue_passes_alone() {
        let bounds = [Bound::bytes(1)];
        let (sender, mut queue) = bounded("exporters/x", SignalSet::ALL, &bounds);
        let (exit, _) = exit(1);
        let exits = [Exit { sender, ..exit }];
        let batches = batches();
        let sending = send_all(&exits, &batches);
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
