use std::time::Duration;

use pipeline::component::Processor;
use pipeline::delivery::Retry;
use pipeline::{Delivery, Outcome, Refusal, Signal};
use tokio::time::Instant;

use super::support::{at, batch, rows, sizes};

#[tokio::test]
async fn every_sender_waits_for_the_batch_that_its_rows_went_into() {
    let mut batch = batch(&["send_batch_size=2"]);
    let (one, mut first) = Delivery::new(None);
    let (two, mut second) = Delivery::new(None);
    let give = |delivery| rows(Signal::Logs, "a", 1).with_delivery(delivery);
    assert!(batch.process(give(one), at(0)).unwrap().is_empty());
    assert!(futures::poll!(&mut first).is_pending());
    let made = batch.process(give(two), at(0)).unwrap();
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending());
    drop(made);
    assert_eq!(first.await, Outcome::Delivered);
    assert_eq!(second.await, Outcome::Delivered);
}

#[tokio::test]
async fn a_refusal_is_told_to_all_whose_rows_were_in_the_batch() {
    let mut batch = batch(&["send_batch_size=2"]);
    let refusal = Refusal {
        component: "exporters/x".into(),
        reason: "full".into(),
        retry: Retry::Never,
    };
    let mut receipts = Vec::new();
    let mut made = Vec::new();
    for _ in 0..2 {
        let (delivery, receipt) = Delivery::new(None);
        receipts.push(receipt);
        let given = rows(Signal::Logs, "a", 1).with_delivery(delivery);
        made.extend(batch.process(given, at(0)).unwrap());
    }
    made[0].delivery().refuse(&refusal);
    drop(made);
    for receipt in receipts {
        assert_eq!(receipt.await, Outcome::Refused(refusal.clone()));
    }
}

#[tokio::test]
async fn the_sender_of_a_split_batch_waits_for_all_its_parts() {
    let mut batch = batch(&["send_batch_size=2", "send_batch_max_size=2"]);
    let (delivery, mut receipt) = Delivery::new(None);
    let given = rows(Signal::Logs, "a", 3).with_delivery(delivery);
    let made = batch.process(given, at(0)).unwrap();
    assert_eq!(sizes(&made), [2]);
    drop(made);
    assert!(futures::poll!(&mut receipt).is_pending());
    drop(batch.finish(at(0)));
    assert_eq!(receipt.await, Outcome::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_sender_in_a_hurry_does_not_wait_for_the_timeout() {
    let mut batch = batch(&["timeout=10s"]);
    let (patient, _receipt) = of_sender(Signal::Logs, "a", 1);
    assert!(batch.process(patient, at(0)).unwrap().is_empty());
    let (delivery, receipt) = Delivery::new(Some(Instant::now() + Duration::from_secs(2)));
    let hurried = rows(Signal::Logs, "b", 1).with_delivery(delivery);
    assert!(batch.process(hurried, at(0)).unwrap().is_empty());
    assert!(batch.tick(at(999)).is_empty());
    // Half of its time is left for those after this.
    let made = batch.tick(at(1000));
    assert_eq!(sizes(&made), [2]);
    drop(made);
    assert_eq!(receipt.await, Outcome::Delivered);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_time_left_is_not_held_at_all() {
    let mut batch = batch(&["timeout=10s"]);
    let (delivery, _receipt) = Delivery::new(Some(Instant::now()));
    let late = rows(Signal::Logs, "a", 1).with_delivery(delivery);
    assert_eq!(sizes(&batch.process(late, at(0)).unwrap()), [1]);
}

#[tokio::test]
async fn a_batch_without_rows_is_not_held() {
    let mut batch = batch(&[]);
    let (delivery, receipt) = Delivery::new(None);
    let empty = rows(Signal::Logs, "a", 0).with_delivery(delivery);
    drop(batch.process(empty, at(0)).unwrap());
    assert_eq!(receipt.await, Outcome::Delivered);
}

fn of_sender(signal: Signal, name: &str, count: usize) -> (pipeline::Batch, pipeline::Receipt) {
    let (delivery, receipt) = Delivery::new(None);
    (rows(signal, name, count).with_delivery(delivery), receipt)
}

#[test]
fn rows_that_senders_wait_for_are_released_when_all_that_comes_after_is_idle() {
    let mut batch = batch(&["timeout=10s"]);
    assert!(!batch.can_release(at(0)), "nothing is held");
    let (logs, _first) = of_sender(Signal::Logs, "a", 2);
    let (more, _second) = of_sender(Signal::Logs, "b", 1);
    let (spans, _third) = of_sender(Signal::Traces, "c", 1);
    for given in [logs, more, spans] {
        assert!(batch.process(given, at(0)).unwrap().is_empty());
    }
    assert!(batch.can_release(at(0)));
    let mut released = sizes(&batch.release(at(0)));
    released.sort_unstable();
    assert_eq!(released, [1, 3]);
    assert!(!batch.can_release(at(0)));
    assert_eq!(batch.tick_within(at(0)), None);
}

#[test]
fn rows_without_a_sender_obey_only_the_timeout_and_the_size() {
    let mut batch = batch(&["timeout=10s", "send_batch_size=4"]);
    assert!(
        batch
            .process(rows(Signal::Logs, "a", 3), at(0))
            .unwrap()
            .is_empty()
    );
    assert!(!batch.can_release(at(9_999)));
    let (awaited, _receipt) = of_sender(Signal::Logs, "b", 3);
    assert!(
        batch.process(awaited, at(0)).unwrap().is_empty(),
        "they are counted apart"
    );
    assert_eq!(sizes(&batch.release(at(0))), [3]);
    assert_eq!(sizes(&batch.tick(at(10_000))), [3]);
}

#[test]
fn rows_with_and_without_a_sender_are_never_in_one_batch() {
    let mut batch = batch(&["send_batch_size=2"]);
    let (awaited, _receipt) = of_sender(Signal::Logs, "b", 1);
    assert!(
        batch
            .process(rows(Signal::Logs, "a", 1), at(0))
            .unwrap()
            .is_empty()
    );
    assert!(batch.process(awaited, at(0)).unwrap().is_empty());
    let made = batch.finish(at(0));
    let awaited: Vec<bool> = made.iter().map(|it| it.delivery().is_awaited()).collect();
    assert_eq!(awaited, [false, true]);
}

#[test]
fn with_a_linger_rows_wait_at_least_so_long() {
    let mut batch = batch(&["timeout=10s", "linger=50ms"]);
    let (awaited, _receipt) = of_sender(Signal::Logs, "b", 1);
    assert!(batch.process(awaited, at(0)).unwrap().is_empty());
    assert!(!batch.can_release(at(49)));
    assert_eq!(batch.tick_within(at(10)), Some(Duration::from_millis(40)));
    assert!(batch.tick(at(50)).is_empty());
    assert_eq!(batch.tick_within(at(50)), Some(Duration::from_millis(9950)));
    assert!(batch.can_release(at(50)));
    assert_eq!(sizes(&batch.release(at(50))), [1]);
}

#[tokio::test]
async fn rejected_rows_are_those_of_the_sender_they_came_from() {
    let mut batch = batch(&["send_batch_size=5"]);
    let (one, first) = of_sender(Signal::Logs, "a", 2);
    let (two, second) = of_sender(Signal::Logs, "b", 3);
    two.delivery().sends(3);
    assert!(batch.process(one, at(0)).unwrap().is_empty());
    let made = batch.process(two, at(0)).unwrap();
    let parts = made[0].by_sender();
    assert_eq!(sizes(&parts), [2, 3]);
    parts[1].delivery().reject_rows(1, "no name");
    // Where it is not known whose they were, no answer has more rows than its sender has sent.
    made[0].delivery().reject_rows(3, "no name");
    drop((parts, made));
    let partial = |rejected_rows| Outcome::Partial {
        rejected_rows,
        reason: "no name".into(),
    };
    assert_eq!(first.await, partial(2));
    assert_eq!(second.await, partial(3));
}
