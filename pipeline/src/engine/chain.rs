//! Runs the processors of a pipeline as one chain of calls, on its own thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_all;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::crew::TaskFailure;
use super::error::{EngineError, panic_message};
use super::exit::{Route, all_idle, send_all};
use super::loading::{self, Loading};
use super::metrics::ProcessorCounters;
use crate::Batch;
use crate::channel::{Queue, Queued};
use crate::component::{Chain as Causes, Processor, UnixNanos};
use crate::delivery::{Refusal, Retry};

/// The shortest time between ticks: an interval of 0 must not turn into a busy loop.
const SHORTEST_TICK: Duration = Duration::from_millis(1);

/// One processor in its pipeline.
pub(super) struct Link {
    /// `processors/graph`, as refusals name it.
    pub(super) component: String,
    /// `processors/graph of pipeline unified`.
    pub(super) name: String,
    pub(super) processor: Box<dyn Processor>,
    pub(super) counters: Arc<ProcessorCounters>,
}

pub(super) struct Chain {
    /// `pipelines/unified` or `connectors/x`.
    pub(super) name: String,
    pub(super) links: Vec<Link>,
    pub(super) routes: Vec<Route>,
    /// Cancelled when a stop has taken too long.
    pub(super) give_up: CancellationToken,
}

/// When each link is due for its next tick; none where it needs no tick.
struct Timers(Vec<Option<Instant>>);

/// Starts the thread of a chain; the future resolves when the thread has ended.
pub(super) fn spawn(
    chain: Chain,
    queue: Queue,
) -> Result<impl Future<Output = Result<(), TaskFailure>> + Send + 'static, EngineError> {
    let name = chain.name.clone();
    let runtime = Handle::current();
    let (ended, end) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            let run = || runtime.block_on(chain.run(queue));
            let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
                Err(TaskFailure::Panicked {
                    component: None,
                    message: panic_message(panic.as_ref()),
                })
            });
            // An error means that the engine has not waited for this thread.
            let _ = ended.send(result);
        })
        .map_err(|source| EngineError::Thread {
            component: name,
            source,
        })?;
    Ok(async move {
        let result = end.await.unwrap_or(Ok(()));
        // The thread has sent its result, so the join does not block.
        let _ = thread.join();
        result
    })
}

impl Chain {
    /// Loads the processors, then runs until the queue is closed and empty, or until `give_up` is cancelled
    /// and the queue is empty. Then each processor returns what it still holds.
    async fn run(self, mut queue: Queue) -> Result<(), TaskFailure> {
        let Chain {
            mut links,
            routes,
            give_up,
            ..
        } = self;
        let mut first = match loading::load(&mut links, &mut queue, &give_up).await? {
            Loading::Done(first) => first,
            Loading::Stopped => return Ok(()),
        };
        let mut timers = Timers(vec![None; links.len()]);
        let mut links = Links::new(links);
        loop {
            timers.update(&links);
            let releasable = links.releasable();
            tokio::select! {
                // Ticks first: a queue that is never empty must not starve them.
                biased;
                () = wait_until(timers.next()) => {
                    for index in timers.take_due(Instant::now()) {
                        let made = links.call(move |links| links.tick(index))?;
                        send_all(&routes, &made).await;
                    }
                }
                // Wakes come before batches, too: a processor wakes at most once for each read.
                index = links.woken() => {
                    let made = links.call(move |links| links.tick(index))?;
                    send_all(&routes, &made).await;
                }
                queued = next(&mut first, &mut queue) => {
                    let Some(queued) = queued else { break };
                    let (batch, room) = queued.into_parts();
                    let made = links.call(move |links| links.process(0, vec![batch]))?;
                    send_all(&routes, &made).await;
                    drop(room);
                }
                // The queue is empty here.
                () = all_idle(&routes), if releasable.is_some() => {
                    let index = releasable.unwrap_or_default();
                    let made = links.call(move |links| links.release(index))?;
                    send_all(&routes, &made).await;
                }
                // Last: queued batches still go to the exporters, which refuse them.
                () = give_up.cancelled() => break,
            }
        }
        for index in 0..links.len() {
            let made = links.call(move |links| links.finish(index))?;
            send_all(&routes, &made).await;
        }
        Ok(())
    }
}

/// The batch that was taken out of the queue while processors loaded, else the next one of the queue.
async fn next(first: &mut Option<Queued>, queue: &mut Queue) -> Option<Queued> {
    match first.take() {
        Some(first) => Some(first),
        None => queue.recv().await,
    }
}

impl Timers {
    /// Asks each processor when it needs its next tick. The time counts from now, after its last call: a tick
    /// that takes longer than its interval must leave time for batches.
    fn update(&mut self, links: &Links) {
        let (now, wall) = (Instant::now(), UnixNanos::now());
        for (due, link) in self.0.iter_mut().zip(links.links.iter().flatten()) {
            let within = link.processor.tick_within(wall);
            // A time that an `Instant` cannot hold means never.
            let next = within.and_then(|within| now.checked_add(within.max(SHORTEST_TICK)));
            *due = next.map(|next| due.map_or(next, |due| due.min(next)));
        }
    }

    fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// The links that are due; their timers are cleared.
    fn take_due(&mut self, now: Instant) -> Vec<usize> {
        let due = self.0.iter_mut().enumerate().filter_map(|(index, due)| {
            due.take_if(|due| *due <= now)?;
            Some(index)
        });
        due.collect()
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The links, and which of them runs now.
struct Links {
    /// None only during a call, and after a panic.
    links: Option<Vec<Link>>,
    names: Vec<String>,
    current: Arc<AtomicUsize>,
}

impl Links {
    fn new(links: Vec<Link>) -> Links {
        Links {
            names: links.iter().map(|link| link.name.clone()).collect(),
            links: Some(links),
            current: Arc::default(),
        }
    }

    fn len(&self) -> usize {
        self.names.len()
    }

    /// The last link that can release rows: they pass the fewest other links.
    fn releasable(&self) -> Option<usize> {
        let now = UnixNanos::now();
        let links = self.links.as_deref().unwrap_or_default();
        let mut links = links.iter();
        links.rposition(|link| link.processor.can_release(now))
    }

    /// Waits until a link wakes, and returns its index.
    async fn woken(&mut self) -> usize {
        let links = self.links.iter_mut().flatten().enumerate();
        let each = links.map(|(index, link)| link.processor.wake().map(move |()| index));
        let each: Vec<_> = each.collect();
        match each.is_empty() {
            true => std::future::pending().await,
            false => select_all(each).await.0,
        }
    }

    /// Calls the links. A panic drops all links while it unwinds, and with them the batches that they hold,
    /// so each of these batches is refused to its sender.
    fn call(
        &mut self,
        work: impl FnOnce(&mut LinksInCall) -> Vec<Batch>,
    ) -> Result<Vec<Batch>, TaskFailure> {
        let links = self.links.take().unwrap_or_default();
        let mut in_call = LinksInCall {
            links,
            current: self.current.clone(),
        };
        let worked = catch_unwind(AssertUnwindSafe(move || {
            let made = work(&mut in_call);
            (in_call.links, made)
        }));
        match worked {
            Ok((links, made)) => {
                self.links = Some(links);
                Ok(made)
            }
            Err(panic) => Err(TaskFailure::Panicked {
                component: self
                    .names
                    .get(self.current.load(Ordering::Relaxed))
                    .cloned(),
                message: panic_message(panic.as_ref()),
            }),
        }
    }
}

struct LinksInCall {
    links: Vec<Link>,
    current: Arc<AtomicUsize>,
}

impl LinksInCall {
    /// Passes batches through the links from `first` on.
    fn process(&mut self, first: usize, mut batches: Vec<Batch>) -> Vec<Batch> {
        let now = UnixNanos::now();
        for index in first..self.links.len() {
            self.current.store(index, Ordering::Relaxed);
            let mut made = Vec::with_capacity(batches.len());
            for batch in batches {
                made.extend(self.links[index].process(batch, now));
            }
            batches = made;
        }
        batches
    }

    fn tick(&mut self, index: usize) -> Vec<Batch> {
        self.current.store(index, Ordering::Relaxed);
        let made = self.links[index].processor.tick(UnixNanos::now());
        self.links[index].count_made(&made);
        self.process(index + 1, made)
    }

    fn release(&mut self, index: usize) -> Vec<Batch> {
        self.current.store(index, Ordering::Relaxed);
        let made = self.links[index].processor.release(UnixNanos::now());
        self.links[index].count_made(&made);
        self.process(index + 1, made)
    }

    fn finish(&mut self, index: usize) -> Vec<Batch> {
        self.current.store(index, Ordering::Relaxed);
        let made = self.links[index].processor.finish(UnixNanos::now());
        self.links[index].count_made(&made);
        self.process(index + 1, made)
    }
}

impl Link {
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Vec<Batch> {
        let (signal, rows) = (batch.signal(), batch.num_rows());
        let delivery = batch.delivery().clone();
        self.counters
            .incoming
            .fetch_add(rows as u64, Ordering::Relaxed);
        let error = match self.processor.process(batch, now) {
            Ok(made) => {
                self.count_made(&made);
                return made;
            }
            Err(error) => error,
        };
        let refused = &self.counters.refused;
        refused.fetch_add(rows as u64, Ordering::Relaxed);
        warn!(processor = %self.name, %signal, rows, error = %Causes(&error), "batch refused");
        delivery.refuse(&Refusal {
            component: self.component.clone(),
            reason: error.to_string(),
            retry: Retry::Never,
        });
        Vec::new()
    }

    fn count_made(&self, made: &[Batch]) {
        let rows: usize = made.iter().map(Batch::num_rows).sum();
        self.counters
            .outgoing
            .fetch_add(rows as u64, Ordering::Relaxed);
    }
}
