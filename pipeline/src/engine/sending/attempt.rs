//! Sends one batch: retries until it is durable or rejected permanently, or until the last of its senders' deadlines.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::backoff::Backoff;
use crate::Batch;
use crate::cause::panic_message;
use crate::channel::RETRY_AFTER;
use crate::component::{ErrorChain, ExportError, Exporter};
use crate::delivery::{Refusal, Retry};
use crate::engine::metrics::ExporterCounters;
use crate::engine::task_set::TaskFailure;
use crate::exporter_settings::ExporterSettings;

/// The time that a sender without a deadline waits.
pub(super) const SENDER_PATIENCE: Duration = Duration::from_secs(10);

/// One exporter with its settings and counters.
pub(in crate::engine) struct Sending {
    /// `exporters/sqlite`.
    pub(in crate::engine) name: String,
    pub(in crate::engine) exporter: Arc<dyn Exporter>,
    pub(in crate::engine) settings: ExporterSettings,
    pub(in crate::engine) counters: Arc<ExporterCounters>,
    /// Limits the concurrent exports; none if there is no limit.
    pub(in crate::engine) permits: Option<Arc<Semaphore>>,
    /// Cancelled at the deadline of the stop: batches that are still held are refused.
    pub(in crate::engine) give_up: CancellationToken,
}

/// Why a batch was not sent.
struct SendFailure {
    /// The reason in the refusal that the sender gets.
    reason: String,
    /// The reason with its causes, for the log only, since a sender must not read some causes.
    detail: String,
    retry: Retry,
}

impl SendFailure {
    fn after(wait: Duration, reason: String, detail: String) -> SendFailure {
        SendFailure {
            reason,
            detail,
            retry: Retry::After(wait),
        }
    }

    fn stopping(last: Option<(String, String)>) -> SendFailure {
        let (reason, detail) = match last {
            Some((reason, detail)) => (
                format!("stopped before it could be sent again: {reason}"),
                detail,
            ),
            None => ("stopped before it was delivered".to_owned(), String::new()),
        };
        SendFailure::after(RETRY_AFTER, reason, detail)
    }
}

/// The exporter panicked with this message.
pub(super) struct ExporterPanic(String);

impl From<ExporterPanic> for TaskFailure {
    fn from(panic: ExporterPanic) -> TaskFailure {
        TaskFailure::Panicked {
            component: None,
            message: panic.0,
        }
    }
}

impl Sending {
    /// Wraps a batch so that it is refused if the task is aborted.
    pub(super) fn hold(&self, batch: Batch) -> HeldBatch<'_> {
        HeldBatch {
            batch,
            name: &self.name,
            is_released: false,
        }
    }

    /// Sends the batch with retries, or refuses it to its senders.
    pub(super) async fn send(&self, held: HeldBatch<'_>) -> Result<(), ExporterPanic> {
        let sent = self.attempts(&held.batch).await;
        let batch = held.release();
        let (signal, rows) = (batch.signal(), batch.num_rows());
        let failure = match sent {
            Ok(Ok(())) => {
                self.counters.sent.add(signal, rows);
                return Ok(());
            }
            Ok(Err(failure)) => failure,
            Err(panic) => {
                self.refuse_panicked(&batch);
                return Err(panic);
            }
        };
        self.refuse(&batch, &failure.reason, failure.retry);
        let (reason, cause) = (failure.reason, failure.detail);
        if batch.delivery().is_awaited() {
            warn!(exporter = %self.name, %signal, rows, reason, cause, "batch refused to its sender");
        } else {
            error!(exporter = %self.name, %signal, rows, reason, cause, "rows lost: no sender can send them again");
        }
        Ok(())
    }

    /// Refuses a batch because the exporter panicked.
    pub(super) fn refuse_panicked(&self, batch: &Batch) {
        self.refuse(batch, "the exporter panicked", Retry::After(RETRY_AFTER));
    }

    fn refuse(&self, batch: &Batch, reason: &str, retry: Retry) {
        let rows = batch.num_rows();
        self.counters.send_failed.add(batch.signal(), rows);
        batch.delivery().refuse(&Refusal {
            component: self.name.clone(),
            reason: reason.to_owned(),
            retry,
        });
    }

    async fn attempts(&self, batch: &Batch) -> Result<Result<(), SendFailure>, ExporterPanic> {
        let retry = &self.settings.retry_on_failure;
        let until = self.retry_deadline(batch);
        let mut backoff = Backoff::new(retry);
        // The reason and detail of the last failure.
        let mut last: Option<(String, String)> = None;
        let mut wait = RETRY_AFTER;
        // A sender sends again after its deadline, so an export after it would export the rows twice.
        while until.is_none_or(|until| Instant::now() < until) {
            let attempt = tokio::select! {
                biased;
                () = self.give_up.cancelled() => return Ok(Err(SendFailure::stopping(last))),
                attempt = self.attempt(self.exporter.export(batch), until) => attempt?,
            };
            let Err(error) = attempt else {
                return Ok(Ok(()));
            };
            let (reason, detail) = (error.to_string(), ErrorChain(&error).to_string());
            let after = match error {
                ExportError::Retryable { after, .. } => after,
                ExportError::Permanent { .. } => {
                    let retry = Retry::Never;
                    return Ok(Err(SendFailure {
                        reason,
                        detail,
                        retry,
                    }));
                }
            };
            if !retry.enabled {
                let wait = after.unwrap_or(RETRY_AFTER);
                return Ok(Err(SendFailure::after(wait, reason, detail)));
            }
            wait = backoff.next(after);
            if until.is_some_and(|until| Instant::now() + wait >= until) {
                return Ok(Err(SendFailure::after(wait, reason, detail)));
            }
            info!(exporter = %self.name, cause = detail, wait = ?wait, "export failed, will retry");
            last = Some((reason, detail));
            tokio::select! {
                () = self.give_up.cancelled() => return Ok(Err(SendFailure::stopping(last))),
                () = sleep(wait) => {}
            }
        }
        let waited = || ("waited too long in the queue".to_owned(), String::new());
        let (reason, detail) = last.unwrap_or_else(waited);
        Ok(Err(SendFailure::after(wait, reason, detail)))
    }

    /// The time at which retries end: the last deadline of the senders, or after `max_elapsed_time`, whichever is
    /// earlier. None if no sender waits and `max_elapsed_time` is 0.
    pub(super) fn retry_deadline(&self, batch: &Batch) -> Option<Instant> {
        let now = Instant::now();
        let longest = self.settings.retry_on_failure.max_elapsed_time;
        // A time beyond the range of `Instant` means no limit, as 0 does.
        let settings = (!longest.is_zero())
            .then(|| now.checked_add(longest))
            .flatten();
        let delivery = batch.delivery();
        let sender = delivery
            .is_awaited()
            .then(|| delivery.last_deadline(now + SENDER_PATIENCE));
        settings.into_iter().chain(sender).min()
    }

    /// Waits for a permit and makes one attempt, until the timeout or `until`.
    pub(super) async fn attempt(
        &self,
        export: impl Future<Output = Result<(), ExportError>>,
        until: Option<Instant>,
    ) -> Result<Result<(), ExportError>, ExporterPanic> {
        let no_answer = |longest: Duration| {
            let longest = Duration::from_millis(longest.as_millis() as u64);
            let reason = format!("no answer within {}", humantime::format_duration(longest));
            ExportError::Retryable {
                reason,
                after: None,
                source: None,
            }
        };
        let permit = async {
            match &self.permits {
                None => None,
                Some(permits) => Some(permits.acquire().await),
            }
        };
        let began = Instant::now();
        let _permit = match until {
            None => permit.await,
            Some(until) => match timeout_at(until, permit).await {
                Ok(permit) if Instant::now() < until => permit,
                _ => return Ok(Err(no_answer(began.elapsed()))),
            },
        };
        let _in_flight = InFlight::new(&self.counters.in_flight);
        let export = AssertUnwindSafe(export).catch_unwind();
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // A timeout of 0 means no timeout, as in the Collector.
        let configured = Some(self.settings.timeout).filter(|timeout| !timeout.is_zero());
        let exported = match configured.into_iter().chain(left).min() {
            None => export.await,
            Some(longest) => match timeout(longest, export).await {
                Ok(exported) => exported,
                Err(_) => return Ok(Err(no_answer(longest))),
            },
        };
        exported.map_err(|panic| ExporterPanic(panic_message(panic.as_ref())))
    }
}

/// A batch that is refused if it is dropped before it was released, which happens when its task is aborted.
pub(super) struct HeldBatch<'a> {
    pub(super) batch: Batch,
    name: &'a str,
    is_released: bool,
}

impl HeldBatch<'_> {
    /// Returns the batch, which the caller must now acknowledge or refuse.
    pub(super) fn release(mut self) -> Batch {
        self.is_released = true;
        self.batch.clone()
    }
}

impl Drop for HeldBatch<'_> {
    fn drop(&mut self) {
        if !self.is_released {
            self.batch.delivery().refuse(&Refusal {
                component: self.name.to_owned(),
                ..Refusal::stopped("stopped before it was delivered")
            });
        }
    }
}

/// Counts an export as in flight until it is dropped.
struct InFlight<'a>(&'a AtomicU64);

impl InFlight<'_> {
    fn new(count: &AtomicU64) -> InFlight<'_> {
        count.fetch_add(1, Ordering::Relaxed);
        InFlight(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
