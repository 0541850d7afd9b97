//! Queued batches of an exporter that supports joint exports.

use futures::future::join_all;
use tokio::sync::Mutex;

use super::*;
use crate::SignalSet;
use crate::channel::{Queue, channel};
use crate::delivery::Receipt;
use crate::engine::sending::consume;

/// Queued batches of one row each. Each batch has a sender of its own.
struct QueuedBatches {
    sender: Arc<ExporterSender>,
    queue: Arc<Mutex<Queue>>,
    receipts: Vec<Receipt>,
}

impl QueuedBatches {
    fn new(case: Case, uids: &[&str]) -> QueuedBatches {
        let (sender, queue) = channel("exporters/x", SignalSet::ALL, 1 << 20);
        let mut receipts = Vec::new();
        for uid in uids {
            let (delivery, receipt) = Delivery::new(Some(Instant::now() + HOUR));
            let batch = batch(Signal::Traces, &[uid]).with_delivery(delivery);
            let reservation = sender.try_reserve(&batch).unwrap();
            reservation.send(batch.clone()).unwrap();
            receipts.push(receipt);
        }
        QueuedBatches {
            sender: Arc::new(case.sender),
            queue: Arc::new(Mutex::new(queue)),
            receipts,
        }
    }

    /// Exports all batches, and returns the outcome of each.
    async fn consume(self) -> (Vec<Outcome>, Arc<ExporterSender>) {
        let consumed = consume(self.sender.clone(), self.queue).await;
        assert!(consumed.is_ok());
        (join_all(self.receipts).await, self.sender)
    }
}

#[tokio::test(start_paused = true)]
async fn joint_export_takes_queued_batches_up_to_the_row_limit() {
    let case = Case::with(|exporter| exporter.max_joint_rows(2));
    let captured = case.captured.clone();
    let (outcomes, exporter_sender) = QueuedBatches::new(case, &["a", "b", "c"]).consume().await;
    assert_eq!(
        outcomes,
        [Outcome::Delivered, Outcome::Delivered, Outcome::Delivered]
    );
    assert_eq!(captured.uids(), ["a", "b", "c"]);
    assert_eq!(captured.attempts(), 2);
    assert_eq!(exporter_sender.counters.sent.get(Signal::Traces), 3);
}

#[tokio::test(start_paused = true)]
async fn batches_of_a_failed_joint_export_are_exported_alone() {
    let first = [
        ExportBehaviour::Reject,
        ExportBehaviour::Accept,
        ExportBehaviour::Reject,
    ];
    let case = Case::with(|exporter| exporter.max_joint_rows(9).first_attempts(first));
    let captured = case.captured.clone();
    let (outcomes, exporter_sender) = QueuedBatches::new(case, &["a", "b", "c"]).consume().await;
    let refused = refused("the destination rejects these rows", Retry::Never);
    assert_eq!(outcomes, [Outcome::Delivered, refused, Outcome::Delivered]);
    assert_eq!(captured.uids(), ["a", "c"]);
    let counters = &exporter_sender.counters;
    let (sent, failed) = (&counters.sent, &counters.send_failed);
    assert_eq!(
        (sent.get(Signal::Traces), failed.get(Signal::Traces)),
        (2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn batches_whose_task_is_aborted_after_a_failed_joint_export_are_all_refused() {
    let case = Case::with(|exporter| {
        let exporter = exporter
            .max_joint_rows(9)
            .first_attempts([ExportBehaviour::Reject]);
        exporter.later_attempts(ExportBehaviour::Hang)
    });
    let waiting = QueuedBatches::new(case, &["a", "b"]);
    let task = tokio::spawn(consume(waiting.sender, waiting.queue));
    tokio::time::sleep(SECOND).await;
    task.abort();
    let stopped = refused("stopped before it was delivered", Retry::After(RETRY_AFTER));
    let outcomes = join_all(waiting.receipts).await;
    assert_eq!(outcomes, [stopped.clone(), stopped]);
}

#[tokio::test(start_paused = true)]
async fn batches_of_a_hanging_joint_attempt_are_refused_when_the_engine_gives_up() {
    let case = Case::with(|exporter| {
        exporter
            .max_joint_rows(9)
            .later_attempts(ExportBehaviour::Hang)
    });
    let give_up = case.sender.give_up.clone();
    let stop = async {
        tokio::time::sleep(SECOND).await;
        give_up.cancel();
    };
    let ((outcomes, _), ()) = tokio::join!(QueuedBatches::new(case, &["a", "b"]).consume(), stop);
    let stopped = refused("stopped before it was delivered", Retry::After(RETRY_AFTER));
    assert_eq!(outcomes, [stopped.clone(), stopped]);
}

#[tokio::test(start_paused = true)]
async fn batch_whose_deadline_is_over_takes_no_part_in_the_joint_export() {
    let case = Case::with(|exporter| exporter.max_joint_rows(9));
    let (expired, receipt) = Delivery::new(Some(Instant::now()));
    let late = batch(Signal::Traces, &["late"]).with_delivery(expired);
    let all = vec![
        late,
        batch(Signal::Traces, &["b"]),
        batch(Signal::Traces, &["c"]),
    ];
    assert!(case.sender.send_joint(all).await.is_ok());
    let late = refused("waited too long in the queue", Retry::After(RETRY_AFTER));
    assert_eq!(receipt.await, late);
    assert_eq!(case.captured.uids(), ["b", "c"]);
    assert_eq!(case.captured.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn near_deadline_of_one_sender_does_not_prevent_the_joint_export() {
    let case = Case::with(|exporter| {
        exporter
            .max_joint_rows(9)
            .later_attempts(ExportBehaviour::AcceptAfter(SECOND))
    });
    let (hasty, _receipt) = Delivery::new(Some(Instant::now() + SECOND / 100));
    let hasty = batch(Signal::Traces, &["hasty"]).with_delivery(hasty);
    let (patient, receipt) = Delivery::new(Some(Instant::now() + HOUR));
    let patient = batch(Signal::Traces, &["patient"]).with_delivery(patient);
    assert!(case.sender.send_joint(vec![hasty, patient]).await.is_ok());
    assert_eq!(receipt.await, Outcome::Delivered);
    assert_eq!(case.captured.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn batch_that_is_too_large_to_join_is_exported_in_the_next_attempt() {
    let case = Case::with(|exporter| exporter.max_joint_rows(3));
    let captured = case.captured.clone();
    let (sender, queue) = channel("exporters/x", SignalSet::ALL, 1 << 20);
    for uids in [&["a"][..], &["b", "c", "d"], &["e"]] {
        let batch = batch(Signal::Traces, uids);
        let reservation = sender.try_reserve(&batch).unwrap();
        reservation.send(batch.clone()).unwrap();
    }
    drop(sender);
    let queue = Arc::new(Mutex::new(queue));
    assert!(consume(Arc::new(case.sender), queue).await.is_ok());
    assert_eq!(captured.uids(), ["a", "b", "c", "d", "e"]);
    assert_eq!(captured.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn batches_whose_exporter_panics_are_all_refused() {
    let case = Case::with(|exporter| {
        exporter
            .max_joint_rows(9)
            .later_attempts(ExportBehaviour::Panic)
    });
    let waiting = QueuedBatches::new(case, &["a", "b"]);
    assert!(consume(waiting.sender, waiting.queue).await.is_err());
    let panicked = refused("the exporter panicked", Retry::After(RETRY_AFTER));
    let outcomes = join_all(waiting.receipts).await;
    assert_eq!(outcomes, [panicked.clone(), panicked]);
}
