//! Bounded queues of batches: where receivers meet pipelines and pipelines meet exporters.
//!
//! The bound is in bytes, charged when a batch is admitted and given back when its taker is done
//! with it. A batch that is lost in a queue is refused, never forgotten.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};

use crate::delivery::{Refusal, Retry};
use crate::{Batch, Signal, SignalSet};

/// How long a sender is asked to wait when a queue is full.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// No room; nothing was taken.
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
    /// What the sender of a request is told.
    pub fn refusal(&self) -> Refusal {
        let (SendError::Full { queue } | SendError::Closed { queue }) = self;
        Refusal {
            component: queue.to_string(),
            reason: self.to_string(),
            retry: Retry::After(RETRY_AFTER),
        }
    }
}

/// Makes a queue that holds at most `capacity` bytes; one batch larger than that passes alone.
pub fn channel(name: impl Into<Arc<str>>, accepts: SignalSet, capacity: usize) -> (Sender, Queue) {
    let capacity = u32::try_from(capacity).unwrap_or(u32::MAX).max(1);
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(capacity as usize));
    let sender = Sender {
        name: name.into(),
        accepts,
        capacity,
        room: room.clone(),
        sender,
    };
    (
        sender,
        Queue {
            receiver,
            room,
            capacity,
        },
    )
}

/// The way into a queue.
#[derive(Clone, Debug)]
pub struct Sender {
    name: Arc<str>,
    accepts: SignalSet,
    capacity: u32,
    room: Arc<Semaphore>,
    /// Unbounded in number: the bytes in it are bounded by `room`.
    sender: mpsc::UnboundedSender<Queued>,
}

impl Sender {
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn accepts(&self, signal: Signal) -> bool {
        self.accepts.contains(signal)
    }

    fn size(&self, batch: &Batch) -> u32 {
        // Even an empty batch takes some room, so that the number in the queue is bounded too.
        u32::try_from(batch.memory().max(512))
            .unwrap_or(u32::MAX)
            .min(self.capacity)
    }

    /// # Errors
    /// When there is no room now, or nobody takes any more.
    pub fn try_reserve(&self, batch: &Batch) -> Result<Reserved<'_>, SendError> {
        match self.room.clone().try_acquire_many_owned(self.size(batch)) {
            Ok(permit) => Ok(Reserved {
                sender: self,
                permit,
            }),
            Err(TryAcquireError::NoPermits) => Err(SendError::Full {
                queue: self.name.clone(),
            }),
            Err(TryAcquireError::Closed) => Err(SendError::Closed {
                queue: self.name.clone(),
            }),
        }
    }

    /// Waits for room.
    ///
    /// # Errors
    /// When nobody takes any more.
    pub async fn reserve(&self, batch: &Batch) -> Result<Reserved<'_>, SendError> {
        match self.room.clone().acquire_many_owned(self.size(batch)).await {
            Ok(permit) => Ok(Reserved {
                sender: self,
                permit,
            }),
            Err(_) => Err(SendError::Closed {
                queue: self.name.clone(),
            }),
        }
    }
}

/// Room for one batch.
#[derive(Debug)]
pub struct Reserved<'a> {
    sender: &'a Sender,
    permit: OwnedSemaphorePermit,
}

impl Reserved<'_> {
    /// # Errors
    /// When nobody takes any more; the batch is refused.
    pub fn send(self, batch: Batch) -> Result<(), SendError> {
        let queued = Queued {
            batch: Some(batch),
            _room: self.permit,
        };
        self.sender
            .sender
            .send(queued)
            .map_err(|_| SendError::Closed {
                queue: self.sender.name.clone(),
            })
    }
}

/// A batch on its way; refused if it is dropped before somebody took it out.
#[derive(Debug)]
pub struct Queued {
    batch: Option<Batch>,
    _room: OwnedSemaphorePermit,
}

impl Queued {
    pub fn batch(&self) -> &Batch {
        self.batch.as_ref().expect("taken only by value")
    }

    /// The batch, and its room, which is given back when the latter is dropped.
    pub fn into_parts(mut self) -> (Batch, impl Send + use<>) {
        let batch = self.batch.take().expect("taken only by value");
        (batch, self)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        if let Some(batch) = &self.batch {
            batch
                .delivery()
                .refuse(&Refusal::stopped("stopped before it was delivered"));
        }
    }
}

/// The way out of a queue.
#[derive(Debug)]
pub struct Queue {
    receiver: mpsc::UnboundedReceiver<Queued>,
    room: Arc<Semaphore>,
    capacity: u32,
}

impl Queue {
    /// The next batch; none once all senders are gone and the queue is empty.
    pub async fn recv(&mut self) -> Option<Queued> {
        self.receiver.recv().await
    }

    /// Bytes that wait or are being worked on.
    pub fn used(&self) -> usize {
        self.capacity as usize - self.room.available_permits()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.room.close();
    }
}

/// Where a receiver hands over what it made: one way into every pipeline that it feeds.
#[derive(Clone, Debug)]
pub struct Output {
    routes: Arc<[Sender]>,
}

impl Output {
    pub fn new(routes: Vec<Sender>) -> Output {
        Output {
            routes: routes.into(),
        }
    }

    /// Whether any pipeline takes this signal from here.
    pub fn wants(&self, signal: Signal) -> bool {
        self.routes.iter().any(|route| route.accepts(signal))
    }

    /// Hands the batch to all pipelines, or, where one has no room, to none.
    ///
    /// # Errors
    /// When a pipeline has no room now, or the process stops.
    pub fn try_send(&self, batch: &Batch) -> Result<(), SendError> {
        let reserved: Vec<Reserved<'_>> = self
            .takers(batch)
            .map(|route| route.try_reserve(batch))
            .collect::<Result<_, _>>()?;
        reserved
            .into_iter()
            .try_for_each(|room| room.send(batch.clone()))
    }

    /// The same, waiting for room: for receivers that pull and can slow down.
    ///
    /// # Errors
    /// When the process stops.
    pub async fn send(&self, batch: &Batch) -> Result<(), SendError> {
        // One after the other: with room in hand, waiting for more could starve another receiver,
        // but never for ever, since pipelines do not wait for receivers.
        for route in self.takers(batch) {
            route.reserve(batch).await?.send(batch.clone())?;
        }
        Ok(())
    }

    fn takers<'a>(&'a self, batch: &'a Batch) -> impl Iterator<Item = &'a Sender> {
        self.routes
            .iter()
            .filter(|route| route.accepts(batch.signal()))
    }
}
