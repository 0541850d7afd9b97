//! Batches while the processors of their pipeline load.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::doubles::{Loads, Opens, Wakes};
use super::{
    MOMENT, PATIENCE, Pipe, Running, Setup, answer, impatient, nothing, refused_for_now, sorted,
    spans,
};
use crate::Outcome;
use crate::engine::EngineError;
use crate::testing::{Captured, CapturingExporter, Outcomes};

/// One processor that loads until the token is cancelled.
fn loading(uids: &[&str], panics: bool) -> (Running, CancellationToken, Outcomes, Captured) {
    let (receiver, outcomes) = spans(uids);
    let (exporter, captured) = CapturingExporter::new();
    let gate = CancellationToken::new();
    let loads = Loads {
        gate: gate.clone(),
        panics,
    };
    let engine = Setup::new()
        .limits(impatient())
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            Pipe::new("p")
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
    nothing(&mut outcomes).await;
    assert!(captured.uids().is_empty());
    gate.cancel();
    for _ in 0..2 {
        assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    }
    assert_eq!(sorted(&captured), ["a", "b"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_processor_may_wait_for_what_a_later_one_of_its_pipeline_loads() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, _captured) = CapturingExporter::new();
    let gate = CancellationToken::new();
    let waits = Loads {
        gate: gate.clone(),
        panics: false,
    };
    let pipe = Pipe::new("p").from("canned");
    let pipe = pipe.through("waits", waits).through("opens", Opens(gate));
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.to("x"))
        .run();
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_pipeline_that_loads_for_no_batch() {
    let (engine, _gate, _outcomes, _captured) = loading(&[], false);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_refuses_batches_whose_pipeline_has_not_loaded_in_time() {
    let (engine, _gate, mut outcomes, captured) = loading(&["a", "b"], false);
    nothing(&mut outcomes).await;
    let error = engine.stop().await.unwrap_err();
    assert!(matches!(error, EngineError::Unfinished { .. }), "{error}");
    for _ in 0..2 {
        refused_for_now(&mut outcomes).await;
    }
    assert!(captured.uids().is_empty());
}

#[tokio::test]
async fn a_processor_that_panics_while_it_loads_ends_the_process_by_name() {
    let (engine, gate, mut outcomes, _captured) = loading(&["a"], true);
    gate.cancel();
    refused_for_now(&mut outcomes).await;
    let EngineError::Panicked { component, message } = engine.ended().await.unwrap_err() else {
        panic!("it ends otherwise");
    };
    assert_eq!(component, "processors/loads of pipeline p");
    assert_eq!(message, "made to panic");
}

#[tokio::test]
async fn a_processor_that_wakes_is_ticked_between_batches() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let notified = Arc::new(Notify::new());
    let wakes = Wakes {
        notified: Arc::clone(&notified),
        read: None,
    };
    let pipe = Pipe::new("p").from("canned").through("wakes", wakes);
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.to("x"))
        .run();
    for _ in 0..2 {
        assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    }
    assert_eq!(sorted(&captured), ["a", "b"]);
    notified.notify_one();
    timeout(PATIENCE, async {
        while sorted(&captured) != ["a", "b", "read"] {
            sleep(MOMENT).await;
        }
    })
    .await
    .expect("what it read is exported");
    engine.stop().await.unwrap();
}
