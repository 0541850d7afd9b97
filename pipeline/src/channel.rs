//! Bounded queues of batches, between receivers and pipelines and between pipelines and exporters.
//!
//! A queue is bounded in bytes, and may have a second bound. A batch counts against each bound from the time when it is
//! queued until the consumer has finished it. If a batch is dropped before a consumer takes it, it is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};

use crate::counters::ReceiverCounters;
use crate::delivery::{Refusal, Retry};
use crate::{Batch, Signal, SignalSet};

/// The retry delay that a sender gets when a queue is full.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A batch was not queued.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The sender may send again after [`RETRY_AFTER`].
    #[error("the queue of {queue} is full")]
    Full { queue: Arc<str> },
    /// The consumer has stopped, since the process stops.
    #[error("{queue} has stopped")]
    Closed { queue: Arc<str> },
}

impl SendError {
    /// The refusal that the sender of the request gets.
    pub fn refusal(&self) -> Refusal {
        let (SendError::Full { queue } | SendError::Closed { queue }) = self;
        Refusal {
            component: queue.to_string(),
            reason: self.to_string(),
            retry: Retry::After(RETRY_AFTER),
        }
    }
}

/// The capacity of a queue, and how a batch is measured against it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) capacity: usize,
    pub(crate) measure: fn(&Batch) -> usize,
}

impl Bound {
    pub(crate) fn bytes(capacity: usize) -> Bound {
        Bound {
            capacity,
            // An empty batch has a size, too, so that the number of queued batches is bounded.
            measure: |batch| batch.memory().max(512),
        }
    }
}

/// Makes a queue that holds at most `capacity` bytes. A batch larger than that passes when the queue is empty.
pub fn channel(name: impl Into<Arc<str>>, accepts: SignalSet, capacity: usize) -> (Sender, Queue) {
    bounded(name, accepts, &[Bound::bytes(capacity)])
}

/// Makes a queue with several bounds, the first of them in bytes.
pub(crate) fn bounded(
    name: impl Into<Arc<str>>,
    accepts: SignalSet,
    bounds: &[Bound],
) -> (Sender, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let gauge = Gauge {
        bounds: bounds.iter().map(BoundCapacity::new).collect(),
        batches: Arc::default(),
        done: Arc::default(),
    };
    let sender = Sender {
        name: name.into(),
        accepts,
        gauge: gauge.clone(),
        sender,
    };
    let queue = Queue {
        receiver,
        next: None,
        gauge,
    };
    (sender, queue)
}

/// The free capacity of one bound.
#[derive(Debug)]
struct BoundCapacity {
    free: Arc<Semaphore>,
    capacity: u32,
    measure: fn(&Batch) -> usize,
}

impl BoundCapacity {
    fn new(bound: &Bound) -> BoundCapacity {
        let capacity = u32::try_from(bound.capacity).unwrap_or(u32::MAX).max(1);
        BoundCapacity {
            free: Arc::new(Semaphore::new(capacity as usize)),
            capacity,
            measure: bound.measure,
        }
    }

    fn size(&self, batch: &Batch) -> u32 {
        u32::try_from((self.measure)(batch))
            .unwrap_or(u32::MAX)
            .min(self.capacity)
    }

    fn try_take(&self, batch: &Batch) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.free.clone().try_acquire_many_owned(self.size(batch))
    }

    async fn take(&self, batch: &Batch) -> Result<OwnedSemaphorePermit, AcquireError> {
        let size = self.size(batch);
        self.free.clone().acquire_many_owned(size).await
    }
}

/// Measures how full a queue is. It does not keep the queue open.
#[derive(Clone, Debug)]
pub(crate) struct Gauge {
    bounds: Arc<[BoundCapacity]>,
    batches: Arc<AtomicUsize>,
    /// Notified when a batch is finished.
    done: Arc<Notify>,
}

impl Gauge {
    /// Bytes that are queued or in flight.
    pub(crate) fn bytes(&self) -> usize {
        self.used(&self.bounds[0])
    }

    /// How much of the last bound the queued and in-flight batches occupy, and the capacity of that bound.
    pub(crate) fn fill(&self) -> (usize, usize) {
        let last = &self.bounds[self.bounds.len() - 1];
        (self.used(last), last.capacity as usize)
    }

    /// Batches that are queued or in flight.
    pub(crate) fn batches(&self) -> usize {
        self.batches.load(Ordering::SeqCst)
    }

    /// Waits until fewer than `batches` batches are queued or in flight.
    pub(crate) async fn wait_below(&self, batches: usize) {
        loop {
            let mut done = std::pin::pin!(self.done.notified());
            // From here on, the future receives every notification.
            done.as_mut().enable();
            if self.batches() < batches {
                return;
            }
            done.await;
        }
    }

    fn used(&self, bound: &BoundCapacity) -> usize {
        bound.capacity as usize - bound.free.available_permits()
    }
}

/// The sending side of a queue.
#[derive(Clone, Debug)]
pub struct Sender {
    name: Arc<str>,
    accepts: SignalSet,
    gauge: Gauge,
    /// An unbounded channel, since the bounds of `gauge` limit the queue.
    sender: mpsc::UnboundedSender<QueuedBatch>,
}

impl Sender {
    /// The name of the consumer: `exporters/sqlite`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether the consumer accepts this signal.
    pub fn accepts(&self, signal: Signal) -> bool {
        self.accepts.contains(signal)
    }

    pub(crate) fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// Reserves capacity for a batch. It does not wait.
    ///
    /// # Errors
    /// When the queue is full, or its consumer has stopped.
    pub fn try_reserve(&self, batch: &Batch) -> Result<Reservation<'_>, SendError> {
        let bounds = self.gauge.bounds.iter();
        let permits: Result<Vec<_>, _> = bounds.map(|bound| bound.try_take(batch)).collect();
        match permits {
            Ok(permits) => Ok(Reservation {
                sender: self,
                permits,
            }),
            Err(TryAcquireError::NoPermits) => Err(SendError::Full {
                queue: self.name.clone(),
            }),
            Err(TryAcquireError::Closed) => Err(self.closed()),
        }
    }

    /// Reserves capacity for a batch, and waits until there is enough.
    ///
    /// # Errors
    /// When the consumer of the queue has stopped.
    pub async fn reserve(&self, batch: &Batch) -> Result<Reservation<'_>, SendError> {
        let mut permits = Vec::with_capacity(self.gauge.bounds.len());
        // All senders reserve the bounds in the same order, so that two waiting senders cannot deadlock.
        for bound in self.gauge.bounds.iter() {
            permits.push(bound.take(batch).await.map_err(|_| self.closed())?);
        }
        Ok(Reservation {
            sender: self,
            permits,
        })
    }

    fn closed(&self) -> SendError {
        SendError::Closed {
            queue: self.name.clone(),
        }
    }
}

/// Capacity that is reserved for one batch.
#[derive(Debug)]
pub struct Reservation<'a> {
    sender: &'a Sender,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Reservation<'_> {
    /// Queues the batch.
    ///
    /// # Errors
    /// When the consumer of the queue has stopped. The batch is then refused.
    pub fn send(self, batch: Batch) -> Result<(), SendError> {
        let gauge = &self.sender.gauge;
        gauge.batches.fetch_add(1, Ordering::SeqCst);
        let queued = QueuedBatch {
            batch: Some(batch),
            batches: gauge.batches.clone(),
            done: gauge.done.clone(),
            permits: self.permits,
        };
        self.sender
            .sender
            .send(queued)
            .map_err(|_| self.sender.closed())
    }
}

/// A batch in a queue. Dropping it refuses the batch, unless [`QueuedBatch::into_parts`] took the batch out.
#[derive(Debug)]
pub struct QueuedBatch {
    batch: Option<Batch>,
    batches: Arc<AtomicUsize>,
    done: Arc<Notify>,
    permits: Vec<OwnedSemaphorePermit>,
}

impl QueuedBatch {
    /// The batch itself.
    pub fn batch(&self) -> &Batch {
        self.batch.as_ref().expect("taken only by value")
    }

    /// Returns the batch, and a guard that frees its capacity in the queue when it is dropped.
    pub fn into_parts(mut self) -> (Batch, impl Send + use<>) {
        let batch = self.batch.take().expect("taken only by value");
        (batch, self)
    }
}

impl Drop for QueuedBatch {
    fn drop(&mut self) {
        // First, so that the capacity is free when the notification below arrives.
        self.permits.clear();
        self.batches.fetch_sub(1, Ordering::SeqCst);
        self.done.notify_waiters();
        if let Some(batch) = &self.batch {
            batch
                .delivery()
                .refuse(&Refusal::stopped("stopped before it was delivered"));
        }
    }
}

/// The receiving side of a queue.
#[derive(Debug)]
pub struct Queue {
    receiver: mpsc::UnboundedReceiver<QueuedBatch>,
    /// The next batch, if it was taken out of `receiver` already.
    next: Option<QueuedBatch>,
    gauge: Gauge,
}

impl Queue {
    /// Waits for the next batch; `None` once all senders are dropped and the queue is empty.
    pub async fn recv(&mut self) -> Option<QueuedBatch> {
        match self.next.take() {
            Some(next) => Some(next),
            None => self.receiver.recv().await,
        }
    }

    /// The next batch, if one is queued and `accept` returns true for it.
    pub(crate) fn recv_if(
        &mut self,
        accept: impl FnOnce(&QueuedBatch) -> bool,
    ) -> Option<QueuedBatch> {
        let next = match self.next.take() {
            Some(next) => next,
            None => self.receiver.try_recv().ok()?,
        };
        if accept(&next) {
            return Some(next);
        }
        self.next = Some(next);
        None
    }

    /// Waits until a batch is queued. Returns false if the queue is closed and empty.
    pub(crate) async fn wait_for_batch(&mut self) -> bool {
        if self.next.is_none() {
            self.next = self.receiver.recv().await;
        }
        self.next.is_some()
    }

    /// Whether `next` holds a batch: one that [`Queue::recv_if`] did not accept, or one that [`Queue::wait_for_batch`]
    /// received.
    pub(crate) fn has_next(&self) -> bool {
        self.next.is_some()
    }

    /// Bytes that are queued or in flight.
    pub fn used_bytes(&self) -> usize {
        self.gauge.bytes()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        for bound in self.gauge.bounds.iter() {
            bound.free.close();
        }
    }
}

/// The output of a receiver: sends batches to the pipelines of the receiver.
#[derive(Clone, Debug)]
pub struct Output {
    pipelines: Arc<[Sender]>,
    counters: Arc<ReceiverCounters>,
}

impl Output {
    /// An output whose counters are not exported, for tests.
    pub fn new(pipelines: Vec<Sender>) -> Output {
        Output::counted(pipelines, Arc::default())
    }

    pub(crate) fn counted(pipelines: Vec<Sender>, counters: Arc<ReceiverCounters>) -> Output {
        Output {
            pipelines: pipelines.into(),
            counters,
        }
    }

    /// Whether a pipeline of the receiver accepts this signal.
    pub fn accepts(&self, signal: Signal) -> bool {
        self.pipelines
            .iter()
            .any(|pipeline| pipeline.accepts(signal))
    }

    /// Counts a request that the receiver refused, by reason. It counts no items, since their number may be unknown.
    /// [`Output::try_send`] counts the items that it refuses.
    pub fn count_refused_request(&self, signal: Signal, reason: &'static str) {
        self.counters.count_refused_request(signal, reason);
    }

    /// Sends the batch to all pipelines that accept its signal, or to none of them if one of their queues is full.
    ///
    /// # Errors
    /// When the queue of a pipeline is full, or the process stops.
    pub fn try_send(&self, batch: &Batch) -> Result<(), SendError> {
        let reserved: Result<Vec<Reservation<'_>>, SendError> = self
            .accepting(batch)
            .map(|pipeline| pipeline.try_reserve(batch))
            .collect();
        let sent = reserved.and_then(|reserved| {
            reserved
                .into_iter()
                .try_for_each(|reservation| reservation.send(batch.clone()))
        });
        self.count(batch, sent)
    }

    /// Sends the batch to all pipelines that accept its signal, and waits while a queue is full. For receivers that
    /// pull their data and so can slow down.
    ///
    /// # Errors
    /// When the process stops.
    pub async fn send(&self, batch: &Batch) -> Result<(), SendError> {
        let sent = self.send_to_each(batch).await;
        self.count(batch, sent)
    }

    async fn send_to_each(&self, batch: &Batch) -> Result<(), SendError> {
        // One pipeline after the other: a receiver that waited with capacity reserved elsewhere could starve another
        // receiver. The wait ends, since pipelines do not wait for receivers.
        for pipeline in self.accepting(batch) {
            pipeline.reserve(batch).await?.send(batch.clone())?;
        }
        Ok(())
    }

    fn count(&self, batch: &Batch, sent: Result<(), SendError>) -> Result<(), SendError> {
        let counter = match sent {
            Ok(()) => &self.counters.accepted,
            Err(_) => &self.counters.refused,
        };
        counter.add(batch.signal(), batch.num_rows());
        sent
    }

    fn accepting<'a>(&'a self, batch: &'a Batch) -> impl Iterator<Item = &'a Sender> {
        self.pipelines
            .iter()
            .filter(|pipeline| pipeline.accepts(batch.signal()))
    }
}
