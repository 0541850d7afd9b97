//! Retries, timeouts and deadlines of one exporter. The clock is paused: it jumps to the time of the next timer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ExporterSender;
use super::attempt::DEFAULT_SENDER_TIMEOUT;
use crate::channel::RETRY_AFTER;
use crate::delivery::{Refusal, Retry};
use crate::exporter_settings::{ExporterSettings, RetryOnFailure};
use crate::testing::{CapturedExports, CapturingExporter, ExportBehaviour, batch};
use crate::{Batch, Delivery, Outcome, Signal};

mod grouping;
mod joint;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// An exporter with a given behaviour, and the start of the test.
struct Case {
    sender: ExporterSender,
    captured: CapturedExports,
    began: Instant,
}

impl Case {
    /// The waits between attempts are 1 s, 2 s, 4 s and so on.
    fn new(first: impl IntoIterator<Item = ExportBehaviour>, then: ExportBehaviour) -> Case {
        Case::with(|exporter| exporter.first_attempts(first).later_attempts(then))
    }

    fn with(change: impl FnOnce(CapturingExporter) -> CapturingExporter) -> Case {
        let (exporter, captured) = CapturingExporter::new();
        let sender = ExporterSender {
            name: "exporters/x".to_owned(),
            exporter: Arc::new(change(exporter)),
            settings: ExporterSettings {
                timeout: 5 * SECOND,
                retry_on_failure: RetryOnFailure {
                    initial_interval: SECOND,
                    multiplier: 2.0,
                    randomization_factor: 0.0,
                    ..RetryOnFailure::default()
                },
                ..ExporterSettings::default()
            },
            counters: Arc::default(),
            permits: None,
            give_up: CancellationToken::new(),
        };
        Case {
            sender,
            captured,
            began: Instant::now(),
        }
    }

    fn retry(&mut self) -> &mut RetryOnFailure {
        &mut self.sender.settings.retry_on_failure
    }

    /// Sends one row whose sender waits until the deadline, and returns its outcome.
    async fn send(&self, deadline: Option<Instant>) -> Outcome {
        let (delivery, receipt) = Delivery::new(deadline);
        let batch = batch(Signal::Traces, &["a"]).with_delivery(delivery);
        assert!(self.sender.send_joint(vec![batch]).await.is_ok());
        receipt.await
    }

    async fn send_within(&self, patience: Duration) -> Outcome {
        self.send(Some(Instant::now() + patience)).await
    }

    async fn send_untracked(&self) {
        let batch = batch(Signal::Traces, &["a"]);
        assert!(self.sender.send_joint(vec![batch]).await.is_ok());
    }

    /// The time of each attempt, in seconds after the start.
    fn attempts(&self) -> Vec<u64> {
        let attempts = self.captured.attempted_at().into_iter();
        attempts
            .map(|at| at.duration_since(self.began).as_secs())
            .collect()
    }

    fn took(&self) -> Duration {
        self.began.elapsed()
    }

    fn sent(&self) -> u64 {
        self.sender.counters.sent.get(Signal::Traces)
    }

    fn failed(&self) -> u64 {
        self.sender.counters.send_failed.get(Signal::Traces)
    }
}

fn refused(reason: &str, retry: Retry) -> Outcome {
    Outcome::Refused(Refusal {
        component: "exporters/x".to_owned(),
        reason: reason.to_owned(),
        retry,
    })
}

fn down(times: usize) -> Vec<ExportBehaviour> {
    vec![ExportBehaviour::Retry(None); times]
}

const DOWN: &str = "the destination is down";

#[tokio::test(start_paused = true)]
async fn retryable_failure_is_retried_after_growing_waits() {
    let case = Case::new(down(3), ExportBehaviour::Accept);
    assert_eq!(case.send_within(HOUR).await, Outcome::Delivered);
    assert_eq!(case.attempts(), [0, 1, 3, 7]);
    assert_eq!(case.captured.uids(), ["a"]);
    assert_eq!((case.sent(), case.failed()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn retry_waits_as_long_as_the_destination_requests() {
    let asks = ExportBehaviour::Retry(Some(9 * SECOND));
    let case = Case::new([asks], ExportBehaviour::Accept);
    assert_eq!(case.send_within(HOUR).await, Outcome::Delivered);
    assert_eq!(case.attempts(), [0, 9]);
}

#[tokio::test(start_paused = true)]
async fn permanent_failure_is_not_retried() {
    let case = Case::new([], ExportBehaviour::Reject);
    let never = refused("the destination rejects these rows", Retry::Never);
    assert_eq!(case.send_within(HOUR).await, never);
    assert_eq!(case.attempts(), [0]);
    assert_eq!((case.sent(), case.failed()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn retries_end_at_the_senders_deadline_with_a_refusal_that_may_be_retried() {
    let case = Case::new([], ExportBehaviour::Retry(None));
    // The next attempt would be at 7 s, after the deadline, so the batch is refused without waiting.
    let expected = refused(DOWN, Retry::After(4 * SECOND));
    assert_eq!(case.send_within(5 * SECOND).await, expected);
    assert_eq!(case.attempts(), [0, 1, 3]);
    assert!(case.took() <= 5 * SECOND, "{:?}", case.took());
    assert_eq!(case.failed(), 1);
}

#[tokio::test(start_paused = true)]
async fn refusal_contains_the_wait_that_the_destination_requests() {
    let case = Case::new([], ExportBehaviour::Retry(Some(HOUR)));
    let expected = refused(DOWN, Retry::After(HOUR));
    assert_eq!(case.send_within(5 * SECOND).await, expected);
    assert_eq!(case.attempts(), [0]);
}

#[tokio::test(start_paused = true)]
async fn sender_without_a_deadline_gets_an_outcome_within_ten_seconds() {
    let case = Case::new([], ExportBehaviour::Retry(None));
    let expected = refused(DOWN, Retry::After(8 * SECOND));
    assert_eq!(case.send(None).await, expected);
    assert_eq!(case.attempts(), [0, 1, 3, 7]);
    assert!(case.took() <= DEFAULT_SENDER_TIMEOUT, "{:?}", case.took());
}

#[tokio::test(start_paused = true)]
async fn batch_whose_deadline_is_over_is_not_exported() {
    let case = Case::new([], ExportBehaviour::Accept);
    let expected = refused("waited too long in the queue", Retry::After(RETRY_AFTER));
    assert_eq!(case.send(Some(Instant::now())).await, expected);
    assert_eq!(case.captured.attempts(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_retries_the_first_failure_refuses_the_batch() {
    let mut case = Case::new([], ExportBehaviour::Retry(Some(3 * SECOND)));
    case.retry().enabled = false;
    let expected = refused(DOWN, Retry::After(3 * SECOND));
    assert_eq!(case.send_within(HOUR).await, expected);
    assert_eq!(case.attempts(), [0]);
    assert_eq!(case.took(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn retries_end_after_max_elapsed_time_before_the_senders_deadline() {
    let mut case = Case::new([], ExportBehaviour::Retry(None));
    case.retry().max_elapsed_time = 4 * SECOND;
    let expected = refused(DOWN, Retry::After(4 * SECOND));
    assert_eq!(case.send_within(HOUR).await, expected);
    assert_eq!(case.attempts(), [0, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn retries_end_after_max_elapsed_time_if_no_sender_waits() {
    let mut case = Case::new([], ExportBehaviour::Retry(None));
    case.retry().max_elapsed_time = 4 * SECOND;
    case.send_untracked().await;
    assert_eq!(case.attempts(), [0, 1, 3]);
    assert_eq!((case.sent(), case.failed()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn retries_do_not_end_if_no_sender_waits_and_max_elapsed_time_is_zero() {
    let mut case = Case::new(down(200), ExportBehaviour::Accept);
    case.retry().max_elapsed_time = Duration::ZERO;
    case.send_untracked().await;
    assert!(case.took() > HOUR, "{:?}", case.took());
    assert_eq!(case.captured.uids(), ["a"]);
    assert_eq!((case.sent(), case.failed()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn hanging_attempt_is_cancelled_at_its_timeout_and_retried() {
    let case = Case::new([ExportBehaviour::Hang], ExportBehaviour::Accept);
    assert_eq!(case.send_within(HOUR).await, Outcome::Delivered);
    assert_eq!(case.attempts(), [0, 6], "5 s of timeout and 1 s of waiting");
}

#[tokio::test(start_paused = true)]
async fn hanging_attempt_is_cancelled_at_the_senders_deadline() {
    let case = Case::new([], ExportBehaviour::Hang);
    let expected = refused("no answer within 2s", Retry::After(SECOND));
    assert_eq!(case.send_within(2 * SECOND).await, expected);
    assert_eq!(case.took(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn timeout_of_zero_is_no_timeout() {
    let mut case = Case::new([], ExportBehaviour::Hang);
    case.sender.settings.timeout = Duration::ZERO;
    let expected = refused("no answer within 2m", Retry::After(SECOND));
    assert_eq!(case.send_within(120 * SECOND).await, expected);
    assert_eq!(case.attempts(), [0]);
}

#[tokio::test(start_paused = true)]
async fn giving_up_cancels_an_attempt_and_refuses_the_batch_with_a_retry_delay() {
    let case = Case::new([], ExportBehaviour::Hang);
    let give_up = async {
        tokio::time::sleep(SECOND).await;
        case.sender.give_up.cancel();
    };
    let (outcome, ()) = tokio::join!(case.send_within(HOUR), give_up);
    let expected = refused("stopped before it was delivered", Retry::After(RETRY_AFTER));
    assert_eq!(outcome, expected);
    assert_eq!(case.took(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn giving_up_ends_a_wait_and_refuses_the_batch_with_the_last_failure() {
    let case = Case::new([], ExportBehaviour::Retry(Some(60 * SECOND)));
    let give_up = async {
        tokio::time::sleep(SECOND).await;
        case.sender.give_up.cancel();
    };
    let (outcome, ()) = tokio::join!(case.send_within(HOUR), give_up);
    let reason = format!("airdig stopped before it could retry: {DOWN}");
    assert_eq!(outcome, refused(&reason, Retry::After(RETRY_AFTER)));
    assert_eq!(case.took(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn batch_whose_task_is_aborted_is_refused() {
    let case = Case::new([], ExportBehaviour::Hang);
    let (delivery, receipt) = Delivery::new(None);
    let batch = batch(Signal::Traces, &["a"]).with_delivery(delivery);
    let sender = Arc::new(case.sender);
    let task = tokio::spawn({
        let sender = sender.clone();
        async move { sender.send_joint(vec![batch]).await.is_ok() }
    });
    tokio::time::sleep(SECOND).await;
    task.abort();
    let expected = refused("stopped before it was delivered", Retry::After(RETRY_AFTER));
    assert_eq!(receipt.await, expected);
}

#[tokio::test(start_paused = true)]
async fn attempts_continue_until_the_deadline_of_the_last_sender_of_a_merged_batch() {
    let case = Case::new(
        [ExportBehaviour::Retry(None), ExportBehaviour::Retry(None)],
        ExportBehaviour::Accept,
    );
    let of_sender = |uid: &str, patience: Duration| {
        let (delivery, receipt) = Delivery::new(Some(Instant::now() + patience));
        let batch = batch(Signal::Traces, &[uid]).with_delivery(delivery);
        (batch, receipt)
    };
    let (hurried, _receipt) = of_sender("a", SECOND / 2);
    let (patient, receipt) = of_sender("b", HOUR);
    let merged = Batch::concat(vec![hurried, patient]).unwrap();
    assert!(case.sender.send_joint(vec![merged]).await.is_ok());
    assert_eq!(receipt.await, Outcome::Delivered);
    assert_eq!(case.attempts(), [0, 1, 3]);
}
