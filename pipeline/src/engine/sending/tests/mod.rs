//! What an exporter's settings promise to a batch and to its sender. The clock is paused: it jumps
//! to what is due next.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Sending;
use super::attempt::SENDER_PATIENCE;
use crate::channel::RETRY_AFTER;
use crate::delivery::{Refusal, Retry};
use crate::engine::settings::{ExporterSettings, RetryOnFailure};
use crate::testing::{Behaviour, Captured, CapturingExporter, batch};
use crate::{Batch, Delivery, Outcome, Signal};

mod grouping;
mod together;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// An exporter that does as it is told, and the clock's beginning.
struct Case {
    sending: Sending,
    captured: Captured,
    began: Instant,
}

impl Case {
    /// Waits of 1 s, 2 s, 4 s and so on between attempts.
    fn new(first: impl IntoIterator<Item = Behaviour>, then: Behaviour) -> Case {
        Case::with(|exporter| exporter.first(first).then(then))
    }

    fn with(change: impl FnOnce(CapturingExporter) -> CapturingExporter) -> Case {
        let (exporter, captured) = CapturingExporter::new();
        let sending = Sending {
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
            turns: None,
            give_up: CancellationToken::new(),
        };
        Case {
            sending,
            captured,
            began: Instant::now(),
        }
    }

    fn retry(&mut self) -> &mut RetryOnFailure {
        &mut self.sending.settings.retry_on_failure
    }

    /// Sends one row whose sender waits until the deadline, and tells what the sender is told.
    async fn send(&self, deadline: Option<Instant>) -> Outcome {
        let (delivery, receipt) = Delivery::new(deadline);
        let batch = batch(Signal::Traces, &["a"]).with_delivery(delivery);
        assert!(self.sending.send_all(vec![batch]).await.is_ok());
        receipt.await
    }

    async fn send_within(&self, patience: Duration) -> Outcome {
        self.send(Some(Instant::now() + patience)).await
    }

    async fn send_for_nobody(&self) {
        let batch = batch(Signal::Traces, &["a"]);
        assert!(self.sending.send_all(vec![batch]).await.is_ok());
    }

    /// How long after the beginning each attempt was made, in seconds.
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
        self.sending.counters.sent.get(Signal::Traces)
    }

    fn failed(&self) -> u64 {
        self.sending.counters.send_failed.get(Signal::Traces)
    }
}

fn refused(reason: &str, retry: Retry) -> Outcome {
    Outcome::Refused(Refusal {
        component: "exporters/x".to_owned(),
        reason: reason.to_owned(),
        retry,
    })
}

fn down(times: usize) -> Vec<Behaviour> {
    vec![Behaviour::Retry(None); times]
}

const DOWN: &str = "the destination is down";

#[tokio::test(start_paused = true)]
async fn what_may_work_later_is_sent_again_after_growing_waits() {
    let case = Case::new(down(3), Behaviour::Take);
    assert_eq!(case.send_within(HOUR).await, Outcome::Delivered);
    assert_eq!(case.attempts(), [0, 1, 3, 7]);
    assert_eq!(case.captured.uids(), ["a"]);
    assert_eq!((case.sent(), case.failed()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_says_when_is_not_asked_earlier() {
    let asks = Behaviour::Retry(Some(9 * SECOND));
    let case = Case::new([asks], Behaviour::Take);
    assert_eq!(case.send_within(HOUR).await, Outcome::Delivered);
    assert_eq!(case.attempts(), [0, 9]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_sent_again() {
    let case = Case::new([], Behaviour::Refuse);
    let never = refused("the destination wants no such rows", Retry::Never);
    assert_eq!(case.send_within(HOUR).await, never);
    assert_eq!(case.attempts(), [0]);
    assert_eq!((case.sent(), case.failed()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn retries_end_at_the_senders_deadline_with_a_refusal_that_may_be_retried() {
    let case = Case::new([], Behaviour::Retry(None));
    // The next attempt would be at 7 s: the sender need not wait for what it will not see.
    let told = refused(DOWN, Retry::After(4 * SECOND));
    assert_eq!(case.send_within(5 * SECOND).await, told);
    assert_eq!(case.attempts(), [0, 1, 3]);
    assert!(case.took() <= 5 * SECOND, "{:?}", case.took());
    assert_eq!(case.failed(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_told_how_long_the_destination_wants_to_be_left_alone() {
    let case = Case::new([], Behaviour::Retry(Some(HOUR)));
    let told = refused(DOWN, Retry::After(HOUR));
    assert_eq!(case.send_within(5 * SECOND).await, told);
    assert_eq!(case.attempts(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_sender_without_a_deadline_is_answered_within_ten_seconds() {
    let case = Case::new([], Behaviour::Retry(None));
    let told = refused(DOWN, Retry::After(8 * SECOND));
    assert_eq!(case.send(None).await, told);
    assert_eq!(case.attempts(), [0, 1, 3, 7]);
    assert!(case.took() <= SENDER_PATIENCE, "{:?}", case.took());
}

#[tokio::test(start_paused = true)]
async fn what_its_sender_no_longer_waits_for_is_not_sent() {
    let case = Case::new([], Behaviour::Take);
    let told = refused("waited too long in the queue", Retry::After(RETRY_AFTER));
    assert_eq!(case.send(Some(Instant::now())).await, told);
    assert_eq!(case.captured.attempts(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_retries_the_first_failure_is_told_at_once() {
    let mut case = Case::new([], Behaviour::Retry(Some(3 * SECOND)));
    case.retry().enabled = false;
    let told = refused(DOWN, Retry::After(3 * SECOND));
    assert_eq!(case.send_within(HOUR).await, told);
    assert_eq!(case.attempts(), [0]);
    assert_eq!(case.took(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn retries_end_after_the_longest_time_though_the_sender_would_wait() {
    let mut case = Case::new([], Behaviour::Retry(None));
    case.retry().max_elapsed_time = 4 * SECOND;
    let told = refused(DOWN, Retry::After(4 * SECOND));
    assert_eq!(case.send_within(HOUR).await, told);
    assert_eq!(case.attempts(), [0, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn retries_end_after_the_longest_time_where_nobody_waits() {
    let mut case = Case::new([], Behaviour::Retry(None));
    case.retry().max_elapsed_time = 4 * SECOND;
    case.send_for_nobody().await;
    assert_eq!(case.attempts(), [0, 1, 3]);
    assert_eq!((case.sent(), case.failed()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_waits_and_there_is_no_longest_time_retries_go_on() {
    let mut case = Case::new(down(200), Behaviour::Take);
    case.retry().max_elapsed_time = Duration::ZERO;
    case.send_for_nobody().await;
    assert!(case.took() > HOUR, "{:?}", case.took());
    assert_eq!(case.captured.uids(), ["a"]);
    assert_eq!((case.sent(), case.failed()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_cut_at_its_timeout_and_made_again() {
    let case = Case::new([Behaviour::Hang], Behaviour::Take);
    assert_eq!(case.send_within(HOUR).await, Outcome::Delivered);
    assert_eq!(case.attempts(), [0, 6], "5 s of timeout and 1 s of waiting");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_cut_at_the_senders_deadline_too() {
    let case = Case::new([], Behaviour::Hang);
    let told = refused("no answer within 2s", Retry::After(SECOND));
    assert_eq!(case.send_within(2 * SECOND).await, told);
    assert_eq!(case.took(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_zero_is_none() {
    let mut case = Case::new([], Behaviour::Hang);
    case.sending.settings.timeout = Duration::ZERO;
    let told = refused("no answer within 2m", Retry::After(SECOND));
    assert_eq!(case.send_within(120 * SECOND).await, told);
    assert_eq!(case.attempts(), [0]);
}

#[tokio::test(start_paused = true)]
async fn giving_up_ends_an_attempt_and_tells_the_sender_to_come_again() {
    let case = Case::new([], Behaviour::Hang);
    let give_up = async {
        tokio::time::sleep(SECOND).await;
        case.sending.give_up.cancel();
    };
    let (outcome, ()) = tokio::join!(case.send_within(HOUR), give_up);
    let told = refused("stopped before it was delivered", Retry::After(RETRY_AFTER));
    assert_eq!(outcome, told);
    assert_eq!(case.took(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn giving_up_ends_a_wait_and_tells_what_went_wrong_last() {
    let case = Case::new([], Behaviour::Retry(Some(60 * SECOND)));
    let give_up = async {
        tokio::time::sleep(SECOND).await;
        case.sending.give_up.cancel();
    };
    let (outcome, ()) = tokio::join!(case.send_within(HOUR), give_up);
    let reason = format!("stopped before it could be sent again: {DOWN}");
    assert_eq!(outcome, refused(&reason, Retry::After(RETRY_AFTER)));
    assert_eq!(case.took(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_task_is_aborted_is_refused() {
    let case = Case::new([], Behaviour::Hang);
    let (delivery, receipt) = Delivery::new(None);
    let batch = batch(Signal::Traces, &["a"]).with_delivery(delivery);
    let sending = Arc::new(case.sending);
    let task = tokio::spawn({
        let sending = sending.clone();
        async move { sending.send_all(vec![batch]).await.is_ok() }
    });
    tokio::time::sleep(SECOND).await;
    task.abort();
    let told = refused("stopped before it was delivered", Retry::After(RETRY_AFTER));
    assert_eq!(receipt.await, told);
}

#[tokio::test(start_paused = true)]
async fn attempts_go_on_until_the_last_sender_of_a_merged_batch_has_gone() {
    let case = Case::new(
        [Behaviour::Retry(None), Behaviour::Retry(None)],
        Behaviour::Take,
    );
    let of_sender = |uid: &str, patience: Duration| {
        let (delivery, receipt) = Delivery::new(Some(Instant::now() + patience));
        let batch = batch(Signal::Traces, &[uid]).with_delivery(delivery);
        (batch, receipt)
    };
    let (hurried, _receipt) = of_sender("a", SECOND / 2);
    let (patient, receipt) = of_sender("b", HOUR);
    let merged = Batch::concat(vec![hurried, patient]).unwrap();
    assert!(case.sending.send_all(vec![merged]).await.is_ok());
    assert_eq!(receipt.await, Outcome::Delivered);
    assert_eq!(case.attempts(), [0, 1, 3]);
}
