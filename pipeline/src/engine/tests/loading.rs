//! Batches that arrive while the processors of their pipeline load.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::doubles::{GateOpeningProcessor, LoadingProcessor, WakingProcessor};
use super::{
    RunningEngine, SHORT_WAIT, TIMEOUT, TestPipeline, TestPlan, assert_no_outcome,
    assert_refused_for_now, next_outcome, short_limits, sorted, spans,
};
use crate::Outcome;
use crate::engine::EngineError;
use crate::testing::{CapturedExports, CapturingExporter, DeliveryOutcomes};

/// An engine whose only processor loads until the test cancels the token.
fn loading(
    uids: &[&str],
    panics: bool,
) -> (
    RunningEngine,
    CancellationToken,
    DeliveryOutcomes,
    CapturedExports,
) {
    let (receiver, outcomes) = spans(uids);
    let (exporter, captured) = CapturingExporter::new();
    let gate = CancellationToken::new();
    let loads = LoadingProcessor {
        gate: gate.clone(),
        panics,
    };
    let engine = TestPlan::new()
        .limits(short_limits())
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("loads", loads)
                .to("x"),
        )
        .run();
    (engine, gate, outcomes, captured)
}

#[tokio::test]
async fn batches_wait_until_their_pipeline_has_loaded() {
    let (engine, gate, mut outcomes, captured) = loading(&["a", "b"], false);
    assert_no_outcome(&mut outcomes).await;
    assert!(captured.uids().is_empty());
    gate.cancel();
    for _ in 0..2 {
        assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    }
    assert_eq!(sorted(&captured), ["a", "b"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn processor_may_wait_for_a_later_processor_of_its_pipeline_to_load() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, _captured) = CapturingExporter::new();
    let gate = CancellationToken::new();
    let waits = LoadingProcessor {
        gate: gate.clone(),
        panics: false,
    };
    let pipe = TestPipeline::new("p").from("canned");
    let pipe = pipe
        .through("waits", waits)
        .through("opens", GateOpeningProcessor(gate));
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.to("x"))
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn stop_does_not_wait_for_a_pipeline_that_loads_while_no_batch_waits() {
    let (engine, _gate, _outcomes, _captured) = loading(&[], false);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn stop_refuses_batches_whose_pipeline_has_not_loaded_in_time() {
    let (engine, _gate, mut outcomes, captured) = loading(&["a", "b"], false);
    assert_no_outcome(&mut outcomes).await;
    let error = engine.stop().await.unwrap_err();
    assert!(matches!(error, EngineError::Unfinished { .. }), "{error}");
    for _ in 0..2 {
        assert_refused_for_now(&mut outcomes).await;
    }
    assert!(captured.uids().is_empty());
}

#[tokio::test]
async fn processor_that_panics_while_it_loads_ends_the_process_and_is_named() {
    let (engine, gate, mut outcomes, _captured) = loading(&["a"], true);
    gate.cancel();
    assert_refused_for_now(&mut outcomes).await;
    let EngineError::Panicked { component, message } = engine.ended().await.unwrap_err() else {
        panic!("the engine ends with another error");
    };
    assert_eq!(component, "processors/loads of pipeline p");
    assert_eq!(message, "made to panic");
}

#[tokio::test]
async fn processor_that_wakes_is_ticked_between_batches() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let notified = Arc::new(Notify::new());
    let wakes = WakingProcessor {
        notified: Arc::clone(&notified),
        read: None,
    };
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("wakes", wakes);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.to("x"))
        .run();
    for _ in 0..2 {
        assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    }
    assert_eq!(sorted(&captured), ["a", "b"]);
    notified.notify_one();
    timeout(TIMEOUT, async {
        while sorted(&captured) != ["a", "b", "read"] {
            sleep(SHORT_WAIT).await;
        }
    })
    .await
    .expect("the batch of the tick is exported");
    engine.stop().await.unwrap();
}
