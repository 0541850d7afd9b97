//! Which batches reach which pipelines and exporters.

use std::sync::{Arc, mpsc};

use super::doubles::{RefreshReceiver, StampingProcessor};
use super::{
    TIMEOUT, TestPipeline, TestPlan, assert_no_outcome, blocking, canned, gated, next_outcome,
    refusal, sorted, spans,
};
use crate::component::{Host, SharedServices};
use crate::engine::{EngineError, Limits};
use crate::testing::{CapturingExporter, DerivingProcessor, PassThroughProcessor, batch};
use crate::{Outcome, Signal, SignalSet};

#[tokio::test]
async fn connector_feeds_another_pipeline() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, gate, captured) = gated();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .connector("turn", DerivingProcessor(Signal::Nodes))
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("one")
                .from("canned")
                .to("connectors/turn"),
        )
        .pipeline(TestPipeline::new("two").from("connectors/turn").to("x"))
        .run();
    assert_no_outcome(&mut outcomes).await;
    gate.cancel();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    let batches = captured.batches();
    let mut signals: Vec<Signal> = batches.iter().map(|batch| batch.signal()).collect();
    signals.sort_unstable();
    assert_eq!(signals, [Signal::Traces, Signal::Nodes]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn pipeline_with_a_signal_accepts_no_other_signal() {
    let batches = vec![
        batch(Signal::Traces, &["span"]),
        batch(Signal::Logs, &["log"]),
    ];
    let (receiver, mut outcomes) = canned(batches);
    let (all, of_all) = CapturingExporter::new();
    let (logs, of_logs) = CapturingExporter::new();
    let (nodes, of_nodes) = CapturingExporter::new();
    let all_pipe = TestPipeline::new("unified")
        .from("canned")
        .to("connectors/turn");
    let logs_pipe = TestPipeline::new("logs").only(Signal::Logs).from("canned");
    let nodes_pipe = TestPipeline::new("nodes").only(Signal::Nodes);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .connector("turn", DerivingProcessor(Signal::Nodes))
        .exporter("all", all)
        .exporter("logs", logs)
        .exporter("nodes", nodes)
        .pipeline(all_pipe.to("all"))
        .pipeline(logs_pipe.to("logs"))
        .pipeline(nodes_pipe.from("connectors/turn").to("nodes"))
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
    assert_eq!(sorted(&of_all), ["log", "span"]);
    assert_eq!(of_logs.uids(), ["log"]);
    assert_eq!(sorted(&of_nodes), ["log", "span"]);
    let made = of_nodes.batches();
    assert!(made.iter().all(|batch| batch.signal() == Signal::Nodes));
}

#[tokio::test]
async fn exporter_gets_only_the_signals_that_it_accepts() {
    let batches = vec![
        batch(Signal::Traces, &["span"]),
        batch(Signal::Logs, &["log"]),
    ];
    let (receiver, mut outcomes) = canned(batches);
    let (traces, of_traces) = CapturingExporter::new();
    let (logs, of_logs) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("traces", traces)
        .accepts(&[Signal::Traces])
        .exporter("logs", logs)
        .accepts(&[Signal::Logs, Signal::Metrics])
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .to("traces")
                .to("logs"),
        )
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
    assert_eq!(of_traces.uids(), ["span"]);
    assert_eq!(of_logs.uids(), ["log"]);
}

#[tokio::test]
async fn batches_reach_a_serial_exporter_in_their_order() {
    let uids: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let expected: Vec<&str> = uids.iter().map(String::as_str).collect();
    let (receiver, mut outcomes) = spans(&expected);
    let (exporter, captured) = CapturingExporter::new();
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("pass", PassThroughProcessor);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter.with_concurrency(1))
        .pipeline(pipe.to("x"))
        .run();
    for _ in &uids {
        assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    }
    assert_eq!(captured.uids(), uids);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn empty_batch_is_acknowledged_without_an_export() {
    let (receiver, mut outcomes) = canned(vec![batch(Signal::Traces, &[])]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .straight()
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
    assert_eq!(captured.attempts(), 0);
}

#[tokio::test]
async fn batch_enters_all_pipelines_or_none() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let (block, held) = blocking();
    let engine = TestPlan::new()
        // Capacity for one batch: the pipeline that still holds the first one refuses the second.
        .limits(Limits {
            pipeline_bytes: 1,
            ..Limits::default()
        })
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("full")
                .from("canned")
                .through("block", block),
        )
        .pipeline(TestPipeline::new("free").from("canned").to("x"))
        .run();
    let refusal = refusal(&mut outcomes).await;
    assert!(refusal.reason.ends_with("is full"), "{refusal:?}");
    drop(held);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
    assert_eq!(captured.uids(), ["a"]);
}

#[tokio::test]
async fn processor_has_started_before_the_first_batch_comes() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("prepared", StampingProcessor::default())
                .to("x"),
        )
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(sorted(&captured), ["prepared"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn processor_that_cannot_start_ends_the_process_and_is_named() {
    let fails = StampingProcessor {
        fails: true,
        ..StampingProcessor::default()
    };
    let engine = TestPlan::new()
        .pipeline(TestPipeline::new("p").through("prepared", fails))
        .run();
    let error = engine.ended().await.unwrap_err();
    let EngineError::Start { component, source } = error else {
        panic!("{error:?} is another error");
    };
    assert_eq!(component, "processors/prepared of pipeline p");
    assert_eq!(source.reason, "made to fail");
}

#[tokio::test]
async fn refresh_requests_reach_the_receivers_that_accept_them_and_delay_no_sender() {
    let shared = Arc::new(SharedServices::default());
    let host = Host::new("again".parse().unwrap(), SignalSet::NONE, shared.clone());
    let requests = host.refresh_requests();
    let (received, requested) = mpsc::channel();
    let (receiver, mut outcomes) = spans(&["sg-1"]);
    let mut setup = TestPlan::new()
        .receiver("canned", receiver)
        .receiver("again", RefreshReceiver { requests, received })
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("turn", DerivingProcessor(Signal::RefreshRequests)),
        );
    setup.0.refresh_senders = shared.refresh_senders();
    let engine = setup.run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    let request = tokio::task::spawn_blocking(move || requested.recv_timeout(TIMEOUT));
    let request = request.await.unwrap().unwrap();
    assert_eq!(request.signal(), Signal::RefreshRequests);
    assert_eq!(request.uid().value(0), "sg-1");
    assert!(!request.delivery().is_awaited());
    engine.stop().await.unwrap();
}
