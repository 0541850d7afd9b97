//! `sending_queue::batch`: queued batches are merged.

use tokio::sync::Mutex;

use super::*;
use crate::channel::{Queue, Sender, channel};
use crate::engine::sending::consume;
use crate::exporter_settings::{BatchSizer, QueueBatch};
use crate::testing::uids;
use crate::{Receipt, SignalSet};

struct GroupingCase {
    case: Case,
    sender: Sender,
    queue: Queue,
}

impl GroupingCase {
    fn new(settings: QueueBatch) -> GroupingCase {
        let mut case = Case::with(|exporter| exporter);
        case.sender.settings.sending_queue.batch = Some(settings);
        let (sender, queue) = channel("exporters/x", SignalSet::ALL, 1 << 20);
        GroupingCase {
            case,
            sender,
            queue,
        }
    }

    fn give(&self, batch: Batch) {
        self.sender
            .try_reserve(&batch)
            .unwrap()
            .send(batch)
            .unwrap();
    }

    fn give_awaited(&self, signal: Signal, uids: &[&str]) -> Receipt {
        let (delivery, receipt) = Delivery::new(Some(Instant::now() + HOUR));
        self.give(batch(signal, uids).with_delivery(delivery));
        receipt
    }

    /// Closes the queue and exports all batches. Returns the uids of each exported batch, and the duration.
    async fn consume(self) -> (Vec<Vec<String>>, Duration) {
        let GroupingCase {
            case,
            sender,
            queue,
        } = self;
        drop(sender);
        let began = case.began;
        let consumed = consume(Arc::new(case.sender), Arc::new(Mutex::new(queue))).await;
        assert!(consumed.is_ok());
        let exported = case.captured.batches();
        (exported.iter().map(uids).collect(), began.elapsed())
    }
}

#[tokio::test(start_paused = true)]
async fn awaited_rows_are_merged_and_each_sender_is_acknowledged() {
    let grouped = GroupingCase::new(QueueBatch::default());
    let receipts = ["a", "b", "c"].map(|uid| grouped.give_awaited(Signal::Traces, &[uid]));
    let (exported, took) = grouped.consume().await;
    assert_eq!(exported, [["a", "b", "c"]]);
    assert_eq!(took, Duration::ZERO);
    for receipt in receipts {
        assert_eq!(receipt.await, Outcome::Delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn signals_and_rows_without_a_sender_are_kept_apart() {
    let grouped = GroupingCase::new(QueueBatch::default());
    let _first = grouped.give_awaited(Signal::Traces, &["a"]);
    grouped.give(batch(Signal::Traces, &["b"]));
    grouped.give(batch(Signal::Logs, &["c"]));
    let (exported, _) = grouped.consume().await;
    assert_eq!(exported, [["a"], ["b"], ["c"]]);
}

#[tokio::test(start_paused = true)]
async fn rows_without_a_sender_are_held_for_the_timeout() {
    let grouped = GroupingCase::new(QueueBatch::default());
    grouped.give(batch(Signal::Traces, &["a"]));
    let sender = grouped.sender.clone();
    let second_sender = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let late = batch(Signal::Traces, &["b"]);
        sender.try_reserve(&late).unwrap().send(late).unwrap();
        tokio::time::sleep(HOUR).await;
    });
    let captured = grouped.case.captured.clone();
    let consuming = tokio::spawn(grouped.consume());
    tokio::time::sleep(Duration::from_millis(199)).await;
    assert_eq!(captured.attempts(), 0);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(captured.uids(), ["a", "b"]);
    assert_eq!(captured.attempts(), 1);
    second_sender.abort();
    assert!(consuming.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn batches_have_at_most_the_maximum_size() {
    let settings = |sizer, max_size| QueueBatch {
        max_size,
        sizer,
        ..QueueBatch::default()
    };
    let grouped = GroupingCase::new(settings(BatchSizer::Items, 3));
    let given: [&[&str]; 3] = [&["a", "b"], &["c", "d"], &["e", "f", "g", "h"]];
    let receipts = given.map(|uids| grouped.give_awaited(Signal::Logs, uids));
    let (exported, _) = grouped.consume().await;
    assert_eq!(
        exported,
        [
            vec!["a", "b"],
            vec!["c", "d"],
            vec!["e", "f", "g"],
            vec!["h"]
        ]
    );
    for receipt in receipts {
        assert_eq!(receipt.await, Outcome::Delivered);
    }
}
