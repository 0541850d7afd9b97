//! Dedicated threads that check queries, so that checks do not delay receivers.
//!
//! They are threads of the operating system. The shutdown of the async runtime waits for its own blocking threads,
//! but not for these: a check that runs at shutdown ends with the process.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;

use pipeline::sync::lock;
use tokio::sync::oneshot;
use tracing::error;

/// The number of threads.
const THREADS: usize = 2;

/// The maximum number of queries in the queue.
pub(super) const QUEUE: usize = 128;

/// The stack size of a thread, in bytes. The parser needs most of it, for a query with the deepest allowed nesting.
const STACK: usize = 8 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// The threads and their queue.
#[derive(Debug)]
pub(super) struct CheckThreads {
    jobs: SyncSender<Job>,
}

/// The queue is full.
#[derive(Debug, thiserror::Error)]
#[error("the queue of {QUEUE} queries is full: send fewer queries at once")]
pub(super) struct QueueFull;

impl CheckThreads {
    /// Starts the threads. After the returned value is dropped, the threads finish the queue and end.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(super) fn start() -> io::Result<CheckThreads> {
        let (jobs, queue) = sync_channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..THREADS {
            let queue = queue.clone();
            let thread = Builder::new().name("graphql-check".to_owned());
            thread.stack_size(STACK).spawn(move || run_jobs(&queue))?;
        }
        Ok(CheckThreads { jobs })
    }

    /// Occupies all threads until the sender is dropped.
    #[cfg(test)]
    pub(super) fn block(&self) -> std::sync::mpsc::Sender<()> {
        let (release, released) = std::sync::mpsc::channel();
        let released = Arc::new(Mutex::new(released));
        let started = Arc::new(std::sync::Barrier::new(THREADS + 1));
        for _ in 0..THREADS {
            let (started, released) = (started.clone(), released.clone());
            let job: Job = Box::new(move || {
                started.wait();
                let _: Result<(), _> = released.lock().unwrap().recv();
            });
            self.jobs.send(job).unwrap();
        }
        started.wait();
        release
    }

    /// Queues `check` for a thread. The receiver gets the result, or an error if `check` panics. If the receiver is
    /// dropped before `check` starts, `check` is skipped.
    ///
    /// # Errors
    /// If the queue is full.
    pub(super) fn run<T: Send + 'static>(
        &self,
        check: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, QueueFull> {
        let (sender, receiver) = oneshot::channel();
        let job = move || {
            if !sender.is_closed() {
                // The receiver is gone if the query has timed out.
                let _ = sender.send(check());
            }
        };
        match self.jobs.try_send(Box::new(job)) {
            Ok(()) => Ok(receiver),
            Err(TrySendError::Full(_)) => Err(QueueFull),
            Err(TrySendError::Disconnected(_)) => {
                unreachable!("the threads run while the sender exists")
            }
        }
    }
}

fn run_jobs(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = lock(queue).recv();
        let Ok(job) = next else {
            return;
        };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            error!("the check of a GraphQL query panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::runtime::Runtime;

    use super::{CheckThreads, QUEUE, THREADS};

    #[test]
    fn shutdown_of_the_runtime_does_not_wait_for_a_check() {
        let runtime = Runtime::new().unwrap();
        let threads = CheckThreads::start().unwrap();
        let (release, blocked) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let check = runtime.block_on(async {
            threads.run(move || {
                begin.send(()).unwrap();
                blocked.recv()
            })
        });
        begun.recv().unwrap();
        drop(runtime);
        drop(release);
        check.unwrap().blocking_recv().unwrap().unwrap_err();
    }

    #[test]
    fn a_full_queue_rejects_checks_and_an_abandoned_check_is_skipped() {
        let threads = CheckThreads::start().unwrap();
        let unblock = threads.block();
        let (ran, runs) = mpsc::channel();
        let check = |number: usize| {
            let ran = ran.clone();
            threads.run(move || ran.send(number).unwrap())
        };
        let checks: Vec<_> = (0..QUEUE).map(|number| check(number).unwrap()).collect();
        assert_eq!(
            check(QUEUE).unwrap_err().to_string(),
            "the queue of 128 queries is full: send fewer queries at once"
        );
        let last = checks.into_iter().last().unwrap();
        drop(unblock);
        last.blocking_recv().unwrap();
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [QUEUE - 1]);
    }

    #[test]
    fn a_panic_in_a_check_fails_that_check_only() {
        let threads = CheckThreads::start().unwrap();
        for _ in 0..=THREADS {
            let check = threads.run(|| panic!("in a test")).unwrap();
            let result: Result<(), _> = check.blocking_recv();
            result.unwrap_err();
        }
        assert_eq!(threads.run(|| 1).unwrap().blocking_recv(), Ok(1));
    }
}
