//! A joint export writes several batches in one transaction.

use pipeline::component::{Exporter as _, RowCounts};
use pipeline::graph_store::{AsOf, Commit};
use pipeline::rows::Rows;
use pipeline::store::rows::Backend as _;
use pipeline::{Batch, Delivery, Outcome, Signal};

use super::TestStore;
use super::batches::{SOURCE, edge_snapshot_batch, node_batch};

#[tokio::test]
async fn joined_batches_make_one_commit_and_each_sender_gets_its_own_outcome() {
    let test_store = TestStore::new().await;
    let now = pipeline::component::UnixNanos::now().0;
    let long = "u".repeat(3000);
    let batches = [
        edge_snapshot_batch("a", SOURCE, now, &[("USES", "b")]),
        node_batch("a", "actual", "observed", SOURCE, "first", now),
        node_batch(&long, "actual", "observed", SOURCE, "second", now),
    ];
    let (batches, receipts): (Vec<_>, Vec<_>) = batches
        .into_iter()
        .map(|batch| {
            let (delivery, receipt) = Delivery::new(None);
            (batch.with_delivery(delivery), receipt)
        })
        .unzip();
    let before = test_store.store().backend().last_commit().await.unwrap();
    test_store.sqlite.export_joint(&batches).await.unwrap();
    let after = test_store.store().backend().last_commit().await.unwrap();
    assert_eq!(after, before + 1);
    let node = test_store.node("a", AsOf::Now).await.unwrap();
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
    rows.finish(Delivery::untracked())
}

#[tokio::test]
async fn batches_join_while_the_commit_is_not_truncated() {
    let test_store = TestStore::new().await;
    let mut before = RowCounts::default();
    let node = node_batch("a", "actual", "observed", SOURCE, "name", 1);
    for _ in 0..Commit::MAX_ROWS {
        assert!(test_store.sqlite.can_join(&before, &node));
        before.add(&node);
    }
    assert!(
        !test_store.sqlite.can_join(&before, &node),
        "one node too many"
    );
    let edges = edge_snapshot_batch("a", SOURCE, 1, &[("USES", "b")]);
    assert!(
        test_store.sqlite.can_join(&before, &edges),
        "a commit lists edges separately"
    );

    let mut before = RowCounts::default();
    for signal in [Signal::Changes, Signal::Drift] {
        assert!(test_store.sqlite.can_join(&before, &record(signal)));
        (0..Commit::MAX_ROWS / 2).for_each(|_| before.add(&record(signal)));
    }
    assert!(!test_store.sqlite.can_join(&before, &record(Signal::Alerts)));
}
