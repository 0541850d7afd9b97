//! Bounded queues of batches, between receivers and pipelines and between pipelines and exporters.
//!
//! A queue is bounded in bytes, and may have a second bound. A batch takes its size of each bound when it is
//! queued, and returns it when the consumer has finished the batch. A batch that is dropped in a queue is
//! refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};

use crate::counters::ReceiverCounters;
use crate::delivery::{Refusal, Retry};
use crate::{Batch, Signal, SignalSet};

/// The retry delay that a sender gets when a queue is full.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The batch was not queued.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Send again after [`RETRY_AFTER`].
    #[error("the queue of {queue} is full")]
    Full { queue: Arc<str> },
    /// The process is stopping.
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
            // Even an empty batch has a size, so that the number of batches in the queue is bounded too.
            measure: |batch| batch.memory().max(512),
        }
    }
}

/// Makes a queue that holds at most `capacity` bytes; one batch larger than that passes alone.
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
        rooms: bounds.iter().map(Room::new).collect(),
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

#[derive(Debug)]
struct Room {
    free: Arc<Semaphore>,
    capacity: u32,
    measure: fn(&Batch) -> usize,
}

impl Room {
    fn new(bound: &Bound) -> Room {
        let capacity = u32::try_from(bound.capacity).unwrap_or(u32::MAX).max(1);
        Room {
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

/// Reads how full a queue is. It does not keep the queue open.
#[derive(Clone, Debug)]
pub(crate) struct Gauge {
    rooms: Arc<[Room]>,
    batches: Arc<AtomicUsize>,
    /// Notified when a batch is finished.
    done: Arc<Notify>,
}

impl Gauge {
    /// Bytes that are queued or in flight.
    pub(crate) fn bytes(&self) -> usize {
        self.used(&self.rooms[0])
    }

    /// The size of what is queued or in flight, as the last bound measures it, and the capacity of that
    /// bound.
    pub(crate) fn fill(&self) -> (usize, usize) {
        let last = &self.rooms[self.rooms.len() - 1];
        (self.used(last), last.capacity as usize)
    }

    /// Batches that are queued or in flight.
    pub(crate) fn batches(&self) -> usize {
        self.batches.load(Ordering::SeqCst)
    }

    /// Waits until fewer than this many batches are queued or in flight.
    pub(crate) async fn less_than(&self, batches: usize) {
        loop {
            let mut done = std::pin::pin!(self.done.notified());
            // From here on no notification is missed.
            done.as_mut().enable();
            if self.batches() < batches {
                return;
            }
            done.await;
        }
    }

    fn used(&self, room: &Room) -> usize {
        room.capacity as usize - room.free.available_permits()
    }
}

/// The sending side of a queue.
#[derive(Clone, Debug)]
pub struct Sender {
    name: Arc<str>,
    accepts: SignalSet,
    gauge: Gauge,
    /// Unbounded in the number of batches: `gauge.rooms` bound the queue.
    sender: mpsc::UnboundedSender<Queued>,
}

impl Sender {
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn accepts(&self, signal: Signal) -> bool {
        self.accepts.contains(signal)
    }

    pub(crate) fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// # Errors
    /// When the queue is full, or its consumer has stopped.
    pub fn try_reserve(&self, batch: &Batch) -> Result<Reserved<'_>, SendError> {
        let rooms = self.gauge.rooms.iter();
        let permits: Result<Vec<_>, _> = rooms.map(|room| room.try_take(batch)).collect();
        match permits {
            Ok(permits) => Ok(Reserved {
                sender: self,
                permits,
            }),
            Err(TryAcquireError::NoPermits) => Err(SendError::Full {
                queue: self.name.clone(),
            }),
            Err(TryAcquireError::Closed) => Err(self.closed()),
        }
    }

    /// Waits for room.
    ///
    /// # Errors
    /// When the consumer of the queue has stopped.
    pub async fn reserve(&self, batch: &Batch) -> Result<Reserved<'_>, SendError> {
        let mut permits = Vec::with_capacity(self.gauge.rooms.len());
        // Always in the same order, so that two senders that wait cannot deadlock.
        for room in self.gauge.rooms.iter() {
            permits.push(room.take(batch).await.map_err(|_| self.closed())?);
        }
        Ok(Reserved {
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

/// Room for one batch.
#[derive(Debug)]
pub struct Reserved<'a> {
    sender: &'a Sender,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Reserved<'_> {
    /// # Errors
    /// When the consumer of the queue has stopped; the batch is refused.
    pub fn send(self, batch: Batch) -> Result<(), SendError> {
        let gauge = &self.sender.gauge;
        gauge.batches.fetch_add(1, Ordering::SeqCst);
        let queued = Queued {
            batch: Some(batch),
            batches: gauge.batches.clone(),
            done: gauge.done.clone(),
            room: self.permits,
        };
        self.sender
            .sender
            .send(queued)
            .map_err(|_| self.sender.closed())
    }
}

/// A batch in a queue. It is refused if it is dropped before a consumer took it out.
#[derive(Debug)]
pub struct Queued {
    batch: Option<Batch>,
    batches: Arc<AtomicUsize>,
    done: Arc<Notify>,
    room: Vec<OwnedSemaphorePermit>,
}

impl Queued {
    pub fn batch(&self) -> &Batch {
        self.batch.as_ref().expect("taken only by value")
    }

    /// The batch, and a guard that returns its room to the queue when it is dropped.
    pub fn into_parts(mut self) -> (Batch, impl Send + use<>) {
        let batch = self.batch.take().expect("taken only by value");
        (batch, self)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        // First, so that senders find room when the lines below wake them.
        self.room.clear();
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
    receiver: mpsc::UnboundedReceiver<Queued>,
    /// The next batch, where it was taken out of the receiver already.
    next: Option<Queued>,
    gauge: Gauge,
}

impl Queue {
    /// The next batch; none once all senders are gone and the queue is empty.
    pub async fn recv(&mut self) -> Option<Queued> {
        match self.next.take() {
            Some(next) => Some(next),
            None => self.receiver.recv().await,
        }
    }

    /// The next batch, if one is queued and `is_wanted` accepts it.
    pub(crate) fn recv_if(&mut self, is_wanted: impl FnOnce(&Queued) -> bool) -> Option<Queued> {
        let next = match self.next.take() {
            Some(next) => next,
            None => self.receiver.try_recv().ok()?,
        };
        if is_wanted(&next) {
            return Some(next);
        }
        self.next = Some(next);
        None
    }

    /// Waits until a batch is queued. Returns false if the queue is closed and empty.
    pub(crate) async fn wait(&mut self) -> bool {
        if self.next.is_none() {
            self.next = self.receiver.recv().await;
        }
        self.next.is_some()
    }

    /// Whether the next batch was taken out of the receiver but not wanted.
    pub(crate) fn has_next(&self) -> bool {
        self.next.is_some()
    }

    /// Bytes that are queued or in flight.
    pub fn used(&self) -> usize {
        self.gauge.bytes()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        for room in self.gauge.rooms.iter() {
            room.free.close();
        }
    }
}

/// The output of a receiver: sends batches to every pipeline that the receiver feeds.
#[derive(Clone, Debug)]
pub struct Output {
    routes: Arc<[Sender]>,
    counters: Arc<ReceiverCounters>,
}

impl Output {
    /// An output whose counters are not exported, for tests.
    pub fn new(routes: Vec<Sender>) -> Output {
        Output::counted(routes, Arc::default())
    }

    pub(crate) fn counted(routes: Vec<Sender>, counters: Arc<ReceiverCounters>) -> Output {
        Output {
            routes: routes.into(),
            counters,
        }
    }

    /// Whether any pipeline accepts this signal from the receiver.
    pub fn wants(&self, signal: Signal) -> bool {
        self.routes.iter().any(|route| route.accepts(signal))
    }

    /// Counts a request that was refused, for whatever reason; its number of items may be unknown. (Items
    /// that [`Output::try_send`] refuses are counted there, too.)
    pub fn request_refused(&self, signal: Signal, reason: &'static str) {
        self.counters.request_refused(signal, reason);
    }

    /// Sends the batch to all pipelines, or to none if the queue of one is full.
    ///
    /// # Errors
    /// When the queue of a pipeline is full, or the process stops.
    pub fn try_send(&self, batch: &Batch) -> Result<(), SendError> {
        let reserved: Result<Vec<Reserved<'_>>, SendError> = self
            .accepting(batch)
            .map(|route| route.try_reserve(batch))
            .collect();
        let sent = reserved.and_then(|reserved| {
            reserved
                .into_iter()
                .try_for_each(|room| room.send(batch.clone()))
        });
        self.count(batch, sent)
    }

    /// Sends the batch to all pipelines and waits for room: for receivers that pull and can slow down.
    ///
    /// # Errors
    /// When the process stops.
    pub async fn send(&self, batch: &Batch) -> Result<(), SendError> {
        let sent = self.send_to_each(batch).await;
        self.count(batch, sent)
    }

    async fn send_to_each(&self, batch: &Batch) -> Result<(), SendError> {
        // One after the other: to hold reserved room while waiting for more could starve another receiver.
        // The wait ends, since pipelines do not wait for receivers.
        for route in self.accepting(batch) {
            route.reserve(batch).await?.send(batch.clone())?;
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
        self.routes
            .iter()
            .filter(|route| route.accepts(batch.signal()))
    }
}
