//! Batches that waited for the writer are one transaction.

use pipeline::component::{Exporter as _, RowCounts};
use pipeline::graph_store::{At, Commit};
use pipeline::rows::Rows;
use pipeline::store::rows::Backend as _;
use pipeline::{Batch, Delivery, Outcome, Signal};

use super::Open;
use super::telling::{SOURCE, edge_set, fact};

#[tokio::test]
async fn batches_together_are_one_commit_and_each_sender_learns_of_its_own_rows() {
    let open = Open::new().await;
    let now = pipeline::component::UnixNanos::now().0;
    let long = "u".repeat(3000);
    let batches = [
        edge_set("a", SOURCE, now, &[("USES", "b")]),
        fact("a", "actual", "observed", SOURCE, "first", now),
        fact(&long, "actual", "observed", SOURCE, "second", now),
    ];
    let (batches, receipts): (Vec<_>, Vec<_>) = batches
        .into_iter()
        .map(|batch| {
            let (delivery, receipt) = Delivery::new(None);
            (batch.with_delivery(delivery), receipt)
        })
        .unzip();
    let before = open.store().backend().last_commit().await.unwrap();
    open.sqlite.export_together(&batches).await.unwrap();
    let after = open.store().backend().last_commit().await.unwrap();
    assert_eq!(after, before + 1);
    let node = open.node("a", At::Now).await.unwrap();
    assert_eq!(node.name.as_deref(), Some("first"));

    drop(batches);
    let mut outcomes = Vec::new();
    for receipt in receipts {
        outcomes.push(receipt.await);
    }
    assert_eq!(outcomes[..2], [Outcome::Delivered, Outcome::Delivered]);
    let Outcome::Partial { rejected_rows, .. } = &outcomes[2] else {
        panic!("{:?}", outcomes[2]);
    };
    assert_eq!(*rejected_rows, 1);
}

fn record(signal: Signal) -> Batch {
    let mut rows = Rows::new(signal);
    rows.push(None, Some("a"), SOURCE, &[]);
    rows.finish(Delivery::nobody())
}

#[tokio::test]
async fn batches_join_as_long_as_the_commit_is_announced_whole() {
    let open = Open::new().await;
    let mut before = RowCounts::default();
    let node = fact("a", "actual", "observed", SOURCE, "name", 1);
    for _ in 0..Commit::MOST_ROWS {
        assert!(open.sqlite.joins(&before, &node));
        before.add(&node);
    }
    assert!(!open.sqlite.joins(&before, &node), "one node too many");
    let edges = edge_set("a", SOURCE, 1, &[("USES", "b")]);
    assert!(open.sqlite.joins(&before, &edges), "edges are another list");

    let mut before = RowCounts::default();
    for signal in [Signal::Changes, Signal::Drift] {
        assert!(open.sqlite.joins(&before, &record(signal)));
        (0..Commit::MOST_ROWS / 2).for_each(|_| before.add(&record(signal)));
    }
    assert!(!open.sqlite.joins(&before, &record(Signal::Alerts)));
}
