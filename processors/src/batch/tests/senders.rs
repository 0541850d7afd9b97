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
    let patient = rows(Signal::Logs, "a", 1);
    assert!(batch.process(patient, at(0)).unwrap().is_empty());
    let (delivery, receipt) = Delivery::new(Some(Instant::now() + Duration::from_secs(2)));
    let hurried = rows(Signal::Logs, "b", 1).with_delivery(delivery);
    assert!(batch.process(hurried, at(0)).unwrap().is_empty());
    assert!(batch.tick(at(800)).is_empty());
    // Half of its time is left for those after this.
    let made = batch.tick(at(950));
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
