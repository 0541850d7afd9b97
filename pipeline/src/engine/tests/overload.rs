//! Full queues.

use super::{
    TestPipeline, TestPlan, assert_no_outcome, blocking, canned, gated, next_outcome, refusal,
    sorted, spans, wait_until, with_queue,
};
use crate::channel::RETRY_AFTER;
use crate::delivery::{Refusal, Retry};
use crate::engine::Limits;
use crate::exporter_settings::{SendingQueue, Sizer};
use crate::testing::{CapturingExporter, batch};
use crate::{Outcome, Signal};

/// The refusal of a full queue.
fn full(queue: &str) -> Refusal {
    Refusal {
        component: queue.to_owned(),
        reason: format!("the queue of {queue} is full"),
        retry: Retry::After(RETRY_AFTER),
    }
}

/// A queue for `queue_size` batches, queued or in flight.
fn queue_of(queue_size: usize) -> SendingQueue {
    SendingQueue {
        queue_size,
        ..SendingQueue::default()
    }
}

#[tokio::test]
async fn full_queue_refuses_for_now_and_delays_no_other_branch() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (slow, gate, of_slow) = gated();
    let (other, of_other) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter_with("slow", slow, with_queue(queue_of(2)))
        .exporter("other", other)
        .pipeline(TestPipeline::new("p").from("canned").to("slow").to("other"))
        .run();
    assert_eq!(refusal(&mut outcomes).await, full("exporters/slow"));
    wait_until(|| sorted(&of_other) == ["a", "b", "c"]).await;
    assert_no_outcome(&mut outcomes).await;
    gate.cancel();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(sorted(&of_slow), ["a", "b"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn queue_with_block_on_overflow_waits_and_delays_no_other_branch() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (slow, gate, of_slow) = gated();
    let (other, of_other) = CapturingExporter::new();
    let blocks = SendingQueue {
        block_on_overflow: true,
        ..queue_of(1)
    };
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter_with("slow", slow, with_queue(blocks))
        .exporter("other", other)
        .pipeline(TestPipeline::new("p").from("canned").to("slow").to("other"))
        .run();
    // The second batch waits for capacity at the slow exporter. The other exporter has it already.
    wait_until(|| sorted(&of_other) == ["a", "b"]).await;
    assert_no_outcome(&mut outcomes).await;
    gate.cancel();
    for _ in 0..3 {
        assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    }
    assert_eq!(of_slow.uids(), ["a", "b", "c"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn queue_size_can_be_in_rows() {
    let batches = vec![
        batch(Signal::Traces, &["a", "b"]),
        batch(Signal::Traces, &["c", "d"]),
        batch(Signal::Traces, &["e"]),
    ];
    let (receiver, mut outcomes) = canned(batches);
    let (exporter, gate, captured) = gated();
    let rows = SendingQueue {
        sizer: Sizer::Items,
        ..queue_of(3)
    };
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter_with("x", exporter, with_queue(rows))
        .straight()
        .run();
    assert_eq!(refusal(&mut outcomes).await, full("exporters/x"));
    gate.cancel();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
    assert_eq!(sorted(&captured), ["a", "b", "e"]);
}

#[tokio::test]
async fn queue_size_can_be_in_bytes_and_a_larger_batch_is_accepted_alone() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, gate, captured) = gated();
    let bytes = SendingQueue {
        sizer: Sizer::Bytes,
        ..queue_of(1)
    };
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter_with("x", exporter, with_queue(bytes))
        .straight()
        .run();
    assert_eq!(refusal(&mut outcomes).await, full("exporters/x"));
    gate.cancel();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.uids(), ["a"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn queue_never_holds_more_bytes_than_the_limit_of_the_engine() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, gate, _) = gated();
    let engine = TestPlan::new()
        .limits(Limits {
            exporter_bytes: 1,
            ..Limits::default()
        })
        .receiver("canned", receiver)
        .exporter_with("x", exporter, with_queue(queue_of(1000)))
        .straight()
        .run();
    assert_eq!(refusal(&mut outcomes).await, full("exporters/x"));
    gate.cancel();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_queue_there_is_capacity_only_for_batches_in_flight() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, gate, _) = gated();
    let no_queue = SendingQueue {
        enabled: false,
        num_consumers: 2,
        ..SendingQueue::default()
    };
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter_with("x", exporter, with_queue(no_queue))
        .straight()
        .run();
    assert_eq!(refusal(&mut outcomes).await, full("exporters/x"));
    gate.cancel();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn full_pipeline_refuses_for_now() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (block, held) = blocking();
    let engine = TestPlan::new()
        .limits(Limits {
            pipeline_bytes: 1,
            ..Limits::default()
        })
        .receiver("canned", receiver)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("block", block),
        )
        .run();
    assert_eq!(refusal(&mut outcomes).await, full("pipelines/p"));
    drop(held);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn sender_is_acknowledged_when_queued_without_wait_for_result() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, gate, captured) = gated();
    let acks_when_queued = SendingQueue {
        wait_for_result: false,
        ..SendingQueue::default()
    };
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter_with("x", exporter, with_queue(acks_when_queued))
        .straight()
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.attempts(), 0);
    gate.cancel();
    engine.stop().await.unwrap();
    assert_eq!(captured.uids(), ["a"], "an accepted batch is delivered");
}

#[tokio::test]
async fn full_queue_refuses_without_wait_for_result_too() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, gate, captured) = gated();
    let acks_when_queued = SendingQueue {
        wait_for_result: false,
        ..queue_of(1)
    };
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter_with("x", exporter, with_queue(acks_when_queued))
        .straight()
        .run();
    let both_outcomes = [
        next_outcome(&mut outcomes).await,
        next_outcome(&mut outcomes).await,
    ];
    assert!(
        both_outcomes.contains(&Outcome::Delivered),
        "{both_outcomes:?}"
    );
    let full = Outcome::Refused(full("exporters/x"));
    assert!(both_outcomes.contains(&full), "{both_outcomes:?}");
    gate.cancel();
    engine.stop().await.unwrap();
    assert_eq!(captured.uids(), ["a"]);
}
