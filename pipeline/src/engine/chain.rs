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

use super::error::EngineError;
use super::link::Link;
use super::loading::{self, LoadOutcome};
use super::route::{Route, send_all, wait_all_idle};
use super::task_set::TaskFailure;
use crate::Batch;
use crate::channel::{Queue, QueuedBatch};
use crate::component::UnixNanos;

/// The shortest time between ticks, so that an interval of 0 does not make a busy loop.
const MIN_TICK: Duration = Duration::from_millis(1);

/// The processors of one pipeline or connector, and where their output goes.
pub(super) struct ProcessorChain {
    /// `pipelines/unified` or `connectors/x`.
    pub(super) name: String,
    /// The processors, in their order.
    pub(super) links: Vec<Link>,
    pub(super) routes: Vec<Route>,
    /// Cancelled at the shutdown deadline.
    pub(super) give_up: CancellationToken,
}

/// The time of each link's next tick; `None` if the link requests no tick.
struct TickTimers(Vec<Option<Instant>>);

/// Starts the thread of a chain. The future resolves when the thread has ended.
pub(super) fn spawn(
    chain: ProcessorChain,
    queue: Queue,
) -> Result<impl Future<Output = Result<(), TaskFailure>> + Send + 'static, EngineError> {
    let name = chain.name.clone();
    let runtime = Handle::current();
    let (ended, end) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            let run = || runtime.block_on(chain.run(queue));
            let result = catch_unwind(AssertUnwindSafe(run))
                .unwrap_or_else(|panic| Err(TaskFailure::panicked(None, panic.as_ref())));
            // An error means that the engine no longer waits for this thread.
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

impl ProcessorChain {
    /// Loads the processors, then runs until the queue is closed and empty. If `give_up` is cancelled, it does not wait
    /// until the queue is closed. At the end, each processor emits the rows that it still holds.
    async fn run(self, mut queue: Queue) -> Result<(), TaskFailure> {
        let ProcessorChain {
            mut links,
            routes,
            give_up,
            ..
        } = self;
        let mut first = match loading::load(&mut links, &mut queue, &give_up).await? {
            LoadOutcome::Loaded(first) => first,
            LoadOutcome::Stopped => return Ok(()),
        };
        let mut timers = TickTimers(vec![None; links.len()]);
        let mut links = ChainLinks::new(links);
        loop {
            timers.update(&links);
            let releasable = links.releasable();
            tokio::select! {
                // Ticks come first, so that a queue that is never empty does not starve them.
                biased;
                () = wait_until(timers.next()) => {
                    for index in timers.take_due(Instant::now()) {
                        let output = links.call(move |links| links.tick(index))?;
                        send_all(&routes, &output).await;
                    }
                }
                // Wakes come before batches. They cannot starve batches, since a processor wakes at most once for each
                // read of the store.
                index = links.woken() => {
                    let output = links.call(move |links| links.tick(index))?;
                    send_all(&routes, &output).await;
                }
                queued = next(&mut first, &mut queue) => {
                    let Some(queued) = queued else { break };
                    let (batch, capacity) = queued.into_parts();
                    let output = links.call(move |links| links.process(0, vec![batch]))?;
                    send_all(&routes, &output).await;
                    drop(capacity);
                }
                // The queue is empty here.
                () = wait_all_idle(&routes), if releasable.is_some() => {
                    let index = releasable.unwrap_or_default();
                    let output = links.call(move |links| links.release(index))?;
                    send_all(&routes, &output).await;
                }
                // This branch comes last, so that the batches in the queue still reach the exporters, which refuse
                // them.
                () = give_up.cancelled() => break,
            }
        }
        for index in 0..links.len() {
            let output = links.call(move |links| links.finish(index))?;
            send_all(&routes, &output).await;
        }
        Ok(())
    }
}

/// Returns the batch that was taken out of the queue while processors loaded. If there is none, waits for the next
/// batch of the queue.
async fn next(first: &mut Option<QueuedBatch>, queue: &mut Queue) -> Option<QueuedBatch> {
    match first.take() {
        Some(first) => Some(first),
        None => queue.recv().await,
    }
}

impl TickTimers {
    /// Updates the time of each processor's next tick. A new interval begins after the tick, not before it, so that a
    /// tick that takes longer than its interval does not starve batches.
    fn update(&mut self, links: &ChainLinks) {
        let (now, wall) = (Instant::now(), UnixNanos::now());
        for (due, link) in self.0.iter_mut().zip(links.links.iter().flatten()) {
            let within = link.processor.tick_within(wall);
            // A time beyond the range of `Instant` means never.
            let next = within.and_then(|within| now.checked_add(within.max(MIN_TICK)));
            // A tick that is already scheduled is never postponed, so a stream of batches cannot starve it.
            *due = next.map(|next| due.map_or(next, |due| due.min(next)));
        }
    }

    fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Returns the indices of the links that are due, and clears their timers.
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

/// The links of a chain. A call keeps the index of the running link, so that a panic can be attributed to this link.
struct ChainLinks {
    /// `None` only during a call and after a panic.
    links: Option<Vec<Link>>,
    names: Vec<String>,
    current: Arc<AtomicUsize>,
}

impl ChainLinks {
    fn new(links: Vec<Link>) -> ChainLinks {
        ChainLinks {
            names: links.iter().map(|link| link.name.clone()).collect(),
            links: Some(links),
            current: Arc::default(),
        }
    }

    fn len(&self) -> usize {
        self.names.len()
    }

    /// The index of the last link that can release rows: the rows of that link pass through the fewest other links.
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

    /// Runs `work` on the links. If it panics, all links are dropped, and the batches that they hold are refused.
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
            let output = work(&mut in_call);
            (in_call.links, output)
        }));
        match worked {
            Ok((links, output)) => {
                self.links = Some(links);
                Ok(output)
            }
            Err(panic) => {
                let current = self.current.load(Ordering::Relaxed);
                let component = self.names.get(current).cloned();
                Err(TaskFailure::panicked(component, panic.as_ref()))
            }
        }
    }
}

/// The links during a call.
struct LinksInCall {
    links: Vec<Link>,
    current: Arc<AtomicUsize>,
}

impl LinksInCall {
    /// Passes batches through the links from index `first` on.
    fn process(&mut self, first: usize, mut batches: Vec<Batch>) -> Vec<Batch> {
        let now = UnixNanos::now();
        for index in first..self.links.len() {
            self.current.store(index, Ordering::Relaxed);
            let mut output = Vec::with_capacity(batches.len());
            for batch in batches {
                output.extend(self.links[index].process(batch, now));
            }
            batches = output;
        }
        batches
    }

    fn tick(&mut self, index: usize) -> Vec<Batch> {
        self.current.store(index, Ordering::Relaxed);
        let output = self.links[index].processor.tick(UnixNanos::now());
        self.links[index].count_outgoing(&output);
        self.process(index + 1, output)
    }

    fn release(&mut self, index: usize) -> Vec<Batch> {
        self.current.store(index, Ordering::Relaxed);
        let output = self.links[index].processor.release(UnixNanos::now());
        self.links[index].count_outgoing(&output);
        self.process(index + 1, output)
    }

    fn finish(&mut self, index: usize) -> Vec<Batch> {
        self.current.store(index, Ordering::Relaxed);
        let output = self.links[index].processor.finish(UnixNanos::now());
        self.links[index].count_outgoing(&output);
        self.process(index + 1, output)
    }
}
