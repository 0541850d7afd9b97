//! Sends one batch: retries until it is durable or rejected permanently. Retries end at the deadline of the last sender
//! and after `max_elapsed_time`, whichever is earlier.

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
use crate::channel::RETRY_AFTER;
use crate::component::{ErrorChain, ExportError, Exporter};
use crate::delivery::{Refusal, Retry};
use crate::engine::metrics::ExporterCounters;
use crate::engine::task_set::TaskFailure;
use crate::error_cause::panic_message;
use crate::exporter_settings::ExporterSettings;

/// How long the engine retries for a sender without a deadline.
pub(super) const DEFAULT_SENDER_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends batches to one exporter. The consumers of its queue and the task of its outbox share it.
pub(in crate::engine) struct ExporterSender {
    /// The class and id of the exporter, such as `exporters/sqlite`, for logs and refusals.
    pub(in crate::engine) name: String,
    pub(in crate::engine) exporter: Arc<dyn Exporter>,
    pub(in crate::engine) settings: ExporterSettings,
    pub(in crate::engine) counters: Arc<ExporterCounters>,
    /// One permit for each concurrent export of the queue and the outbox; `None` if there is no limit.
    pub(in crate::engine) permits: Option<Arc<Semaphore>>,
    /// Cancelled at the shutdown deadline: the engine then cancels its attempts and refuses the batches that it holds.
    pub(in crate::engine) give_up: CancellationToken,
}

/// Why a batch was not sent.
struct SendFailure {
    /// The reason in the refusal that the sender gets.
    reason: String,
    /// The reason with its causes. Only the log gets it, since causes may contain secrets; `reason` contains none (see
    /// [`ExportError`]).
    detail: String,
    /// Whether and when the sender may retry.
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

    /// airdig stops. `last` is the reason and detail of the last failed attempt.
    fn stopping(last: Option<(String, String)>) -> SendFailure {
        let (reason, detail) = match last {
            Some((reason, detail)) => (
                format!("airdig stopped before it could retry: {reason}"),
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

impl ExporterSender {
    /// Wraps a batch so that it is refused if the task is aborted.
    pub(super) fn hold(&self, batch: Batch) -> HeldBatch<'_> {
        HeldBatch {
            batch,
            name: &self.name,
            is_released: false,
        }
    }

    /// Sends the batch with retries. If that fails, refuses it.
    pub(super) async fn send(&self, held: HeldBatch<'_>) -> Result<(), ExporterPanic> {
        let sent = self.send_with_retries(&held.batch).await;
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
            warn!(exporter = %self.name, %signal, rows, reason, cause, "batch refused");
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

    /// Makes attempts until one succeeds or retries end.
    async fn send_with_retries(
        &self,
        batch: &Batch,
    ) -> Result<Result<(), SendFailure>, ExporterPanic> {
        let retry = &self.settings.retry_on_failure;
        let until = self.retry_deadline(batch);
        let mut backoff = Backoff::new(retry);
        // The reason and detail of the last failure.
        let mut last: Option<(String, String)> = None;
        let mut wait = RETRY_AFTER;
        // After its deadline, a sender sends the rows again, so an export after the deadline would duplicate them.
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

    /// The time at which retries end: the deadline of the last sender, or the end of `max_elapsed_time`, whichever is
    /// earlier. `None` if no sender waits and `max_elapsed_time` is 0.
    pub(super) fn retry_deadline(&self, batch: &Batch) -> Option<Instant> {
        let now = Instant::now();
        let max_elapsed = self.settings.retry_on_failure.max_elapsed_time;
        // A time beyond the range of `Instant` means no limit, as 0 does.
        let settings_deadline = (!max_elapsed.is_zero())
            .then(|| now.checked_add(max_elapsed))
            .flatten();
        let delivery = batch.delivery();
        let sender_deadline = delivery
            .is_awaited()
            .then(|| delivery.last_deadline(now + DEFAULT_SENDER_TIMEOUT));
        settings_deadline.into_iter().chain(sender_deadline).min()
    }

    /// Waits for a permit and makes one attempt. Both end at `until`; the attempt also ends after the exporter's
    /// timeout.
    pub(super) async fn attempt(
        &self,
        export: impl Future<Output = Result<(), ExportError>>,
        until: Option<Instant>,
    ) -> Result<Result<(), ExportError>, ExporterPanic> {
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
                _ => return Ok(Err(timed_out("no free export slot", began.elapsed()))),
            },
        };
        let _in_flight = InFlight::new(&self.counters.in_flight);
        let export = AssertUnwindSafe(export).catch_unwind();
        let time_left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // A timeout of 0 means no timeout, as in the Collector.
        let export_timeout = Some(self.settings.timeout).filter(|timeout| !timeout.is_zero());
        let exported = match export_timeout.into_iter().chain(time_left).min() {
            None => export.await,
            Some(longest) => match timeout(longest, export).await {
                Ok(exported) => exported,
                Err(_) => return Ok(Err(timed_out("no answer", longest))),
            },
        };
        exported.map_err(|panic| ExporterPanic(panic_message(panic.as_ref())))
    }
}

/// The error of an attempt that waited for `missing` during this time.
fn timed_out(missing: &str, waited: Duration) -> ExportError {
    let waited = Duration::from_millis(waited.as_millis() as u64);
    let waited = humantime::format_duration(waited);
    ExportError::Retryable {
        reason: format!("{missing} within {waited}"),
        after: None,
        source: None,
    }
}

/// A batch that is refused if it is dropped before it is released. That happens when its task is aborted.
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
