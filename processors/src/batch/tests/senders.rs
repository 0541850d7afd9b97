//! Tests of the acknowledgements that senders of held rows wait for.

use std::time::Duration;

use pipeline::component::Processor;
use pipeline::delivery::Retry;
use pipeline::{Batch, Delivery, Outcome, Receipt, Refusal, Signal};
use tokio::time::Instant;

use super::support::{at, batch_of, processor, sizes};

#[tokio::test]
async fn sender_waits_for_the_batch_with_its_rows() {
    let mut processor = processor(&["send_batch_size=2"]);
    let (one, mut first) = Delivery::new(None);
    let (two, mut second) = Delivery::new(None);
    let row = |delivery| batch_of(Signal::Logs, "a", 1).with_delivery(delivery);
    assert!(processor.process(row(one), at(0)).unwrap().is_empty());
    assert!(futures::poll!(&mut first).is_pending());
    let output = processor.process(row(two), at(0)).unwrap();
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending());
    drop(output);
    assert_eq!(first.await, Outcome::Delivered);
    assert_eq!(second.await, Outcome::Delivered);
}

#[tokio::test]
async fn refusal_reaches_all_senders_of_a_merged_batch() {
    let mut processor = processor(&["send_batch_size=2"]);
    let refusal = Refusal {
        component: "exporters/x".into(),
        reason: "full".into(),
        retry: Retry::Never,
    };
    let mut receipts = Vec::new();
    let mut output = Vec::new();
    for _ in 0..2 {
        let (delivery, receipt) = Delivery::new(None);
        receipts.push(receipt);
        let batch_of_sender = batch_of(Signal::Logs, "a", 1).with_delivery(delivery);
        output.extend(processor.process(batch_of_sender, at(0)).unwrap());
    }
    output[0].delivery().refuse(&refusal);
    drop(output);
    for receipt in receipts {
        assert_eq!(receipt.await, Outcome::Refused(refusal.clone()));
    }
}

#[tokio::test]
async fn sender_of_a_split_batch_waits_for_all_parts() {
    let mut processor = processor(&["send_batch_size=2", "send_batch_max_size=2"]);
    let (delivery, mut receipt) = Delivery::new(None);
    let batch_of_sender = batch_of(Signal::Logs, "a", 3).with_delivery(delivery);
    let output = processor.process(batch_of_sender, at(0)).unwrap();
    assert_eq!(sizes(&output), [2]);
    drop(output);
    assert!(futures::poll!(&mut receipt).is_pending());
    drop(processor.finish(at(0)));
    assert_eq!(receipt.await, Outcome::Delivered);
}

#[tokio::test(start_paused = true)]
async fn short_deadline_releases_rows_before_the_timeout() {
    let mut processor = processor(&["timeout=10s"]);
    let (without_deadline, _receipt) = awaited_batch(Signal::Logs, "a", 1);
    assert!(
        processor
            .process(without_deadline, at(0))
            .unwrap()
            .is_empty()
    );
    let (delivery, receipt) = Delivery::new(Some(Instant::now() + Duration::from_secs(2)));
    let with_deadline = batch_of(Signal::Logs, "b", 1).with_delivery(delivery);
    assert!(processor.process(with_deadline, at(0)).unwrap().is_empty());
    assert!(processor.tick(at(999)).is_empty());
    // Half of the time to the deadline is left for the components downstream.
    let output = processor.tick(at(1000));
    assert_eq!(sizes(&output), [2]);
    drop(output);
    assert_eq!(receipt.await, Outcome::Delivered);
}

#[tokio::test(start_paused = true)]
async fn batch_at_its_deadline_is_not_held() {
    let mut processor = processor(&["timeout=10s"]);
    let (delivery, _receipt) = Delivery::new(Some(Instant::now()));
    let late = batch_of(Signal::Logs, "a", 1).with_delivery(delivery);
    assert_eq!(sizes(&processor.process(late, at(0)).unwrap()), [1]);
}

#[tokio::test]
async fn batch_without_rows_is_not_held() {
    let mut processor = processor(&[]);
    let (delivery, receipt) = Delivery::new(None);
    let empty = batch_of(Signal::Logs, "a", 0).with_delivery(delivery);
    drop(processor.process(empty, at(0)).unwrap());
    assert_eq!(receipt.await, Outcome::Delivered);
}

/// A batch for which a sender waits, and the receipt of the sender.
fn awaited_batch(signal: Signal, name: &str, count: usize) -> (Batch, Receipt) {
    let (delivery, receipt) = Delivery::new(None);
    (
        batch_of(signal, name, count).with_delivery(delivery),
        receipt,
    )
}

#[test]
fn rows_with_senders_can_be_released_when_downstream_is_idle() {
    let mut processor = processor(&["timeout=10s"]);
    assert!(!processor.can_release(at(0)), "nothing is held");
    let (logs, _first) = awaited_batch(Signal::Logs, "a", 2);
    let (more, _second) = awaited_batch(Signal::Logs, "b", 1);
    let (spans, _third) = awaited_batch(Signal::Traces, "c", 1);
    for batch_of_sender in [logs, more, spans] {
        assert!(
            processor
                .process(batch_of_sender, at(0))
                .unwrap()
                .is_empty()
        );
    }
    assert!(processor.can_release(at(0)));
    let mut released = sizes(&processor.release(at(0)));
    released.sort_unstable();
    assert_eq!(released, [1, 3]);
    assert!(!processor.can_release(at(0)));
    assert_eq!(processor.tick_within(at(0)), None);
}

#[test]
fn rows_without_a_sender_are_released_only_by_timeout_and_size() {
    let mut processor = processor(&["timeout=10s", "send_batch_size=4"]);
    assert!(
        processor
            .process(batch_of(Signal::Logs, "a", 3), at(0))
            .unwrap()
            .is_empty()
    );
    assert!(!processor.can_release(at(9_999)));
    let (awaited, _receipt) = awaited_batch(Signal::Logs, "b", 3);
    assert!(
        processor.process(awaited, at(0)).unwrap().is_empty(),
        "rows with and without senders are counted separately"
    );
    assert_eq!(sizes(&processor.release(at(0))), [3]);
    assert_eq!(sizes(&processor.tick(at(10_000))), [3]);
}

#[test]
fn rows_with_and_without_a_sender_are_never_in_one_batch() {
    let mut processor = processor(&["send_batch_size=2"]);
    let (awaited, _receipt) = awaited_batch(Signal::Logs, "b", 1);
    assert!(
        processor
            .process(batch_of(Signal::Logs, "a", 1), at(0))
            .unwrap()
            .is_empty()
    );
    assert!(processor.process(awaited, at(0)).unwrap().is_empty());
    let output = processor.finish(at(0));
    let awaited = output.iter().map(|batch| batch.delivery().is_awaited());
    let awaited: Vec<bool> = awaited.collect();
    assert_eq!(awaited, [false, true]);
}

#[test]
fn rows_are_not_released_before_linger_has_passed() {
    let mut processor = processor(&["timeout=10s", "linger=50ms"]);
    let (awaited, _receipt) = awaited_batch(Signal::Logs, "b", 1);
    assert!(processor.process(awaited, at(0)).unwrap().is_empty());
    assert!(!processor.can_release(at(49)));
    assert_eq!(
        processor.tick_within(at(10)),
        Some(Duration::from_millis(40))
    );
    assert!(processor.tick(at(50)).is_empty());
    assert_eq!(
        processor.tick_within(at(50)),
        Some(Duration::from_millis(9950))
    );
    assert!(processor.can_release(at(50)));
    assert_eq!(sizes(&processor.release(at(50))), [1]);
}

#[tokio::test]
async fn rejected_rows_are_reported_to_their_sender() {
    let mut processor = processor(&["send_batch_size=5"]);
    let (one, first) = awaited_batch(Signal::Logs, "a", 2);
    let (two, second) = awaited_batch(Signal::Logs, "b", 3);
    two.delivery().set_sent_rows(3);
    assert!(processor.process(one, at(0)).unwrap().is_empty());
    let output = processor.process(two, at(0)).unwrap();
    let parts = output[0].by_sender();
    assert_eq!(sizes(&parts), [2, 3]);
    parts[1].delivery().reject_rows(1, "no name");
    // Either sender may have sent these three rows. So each gets a report of three more rejected rows, but never of
    // more rows than it sent.
    output[0].delivery().reject_rows(3, "no name");
    drop((parts, output));
    let partial = |rejected_rows| Outcome::Partial {
        rejected_rows,
        reason: "no name".into(),
    };
    assert_eq!(first.await, partial(2));
    assert_eq!(second.await, partial(3));
}
