//! Batches that waited for one another, at an exporter that takes them together.

use tokio::sync::Mutex;

use super::*;
use crate::SignalSet;
use crate::channel::channel;
use crate::engine::sending::consume;

/// What became of rows, one of each sender, that all wait before the exporter is called.
async fn send_waiting(case: Case, uids: &[&str]) -> (Vec<Outcome>, Arc<Sending>) {
    let (sender, queue) = channel("exporters/x", SignalSet::ALL, 1 << 20);
    let mut receipts = Vec::new();
    for uid in uids {
        let (delivery, receipt) = Delivery::new(Some(Instant::now() + HOUR));
        let batch = batch(Signal::Traces, &[uid]).with_delivery(delivery);
        let room = sender.try_reserve(&batch).unwrap();
        room.send(batch.clone()).unwrap();
        receipts.push(receipt);
    }
    drop(sender);
    let sending = Arc::new(case.sending);
    let queue = Arc::new(Mutex::new(queue));
    let consumed = consume(sending.clone(), queue).await;
    assert!(consumed.is_ok());
    (futures::future::join_all(receipts).await, sending)
}

#[tokio::test(start_paused = true)]
async fn batches_that_wait_are_exported_together_until_there_are_enough_rows() {
    let case = Case::with(|exporter| exporter.together(2));
    let captured = case.captured.clone();
    let (outcomes, sending) = send_waiting(case, &["a", "b", "c"]).await;
    assert_eq!(
        outcomes,
        [Outcome::Delivered, Outcome::Delivered, Outcome::Delivered]
    );
    assert_eq!(captured.uids(), ["a", "b", "c"]);
    assert_eq!(captured.attempts(), 2);
    assert_eq!(sending.counters.sent.get(Signal::Traces), 3);
}

#[tokio::test(start_paused = true)]
async fn of_batches_that_fail_together_each_is_exported_alone() {
    let first = [Behaviour::Refuse, Behaviour::Take, Behaviour::Refuse];
    let case = Case::with(|exporter| exporter.together(9).first(first));
    let captured = case.captured.clone();
    let (outcomes, sending) = send_waiting(case, &["a", "b", "c"]).await;
    let refused = refused("the destination wants no such rows", Retry::Never);
    assert_eq!(outcomes, [Outcome::Delivered, refused, Outcome::Delivered]);
    assert_eq!(captured.uids(), ["a", "c"]);
    let counters = &sending.counters;
    let (sent, failed) = (&counters.sent, &counters.send_failed);
    assert_eq!(
        (sent.get(Signal::Traces), failed.get(Signal::Traces)),
        (2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn batches_that_hang_together_are_refused_when_the_exporter_stops() {
    let case = Case::with(|exporter| exporter.together(9).then(Behaviour::Hang));
    let give_up = case.sending.give_up.clone();
    let stop = async {
        tokio::time::sleep(SECOND).await;
        give_up.cancel();
    };
    let ((outcomes, _), ()) = tokio::join!(send_waiting(case, &["a", "b"]), stop);
    let stopped = refused("stopped before it was delivered", Retry::After(RETRY_AFTER));
    assert_eq!(outcomes, [stopped.clone(), stopped]);
}
