//! Shutdown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    SHORT_WAIT, TIMEOUT, TestPipeline, TestPlan, assert_refused_for_now, blocking, gated,
    next_outcome, refusal, short_limits, sorted, spans, wait_until,
};
use crate::component::{ExportError, Exporter, Extension, RunError};
use crate::delivery::Retry;
use crate::engine::{EngineError, UnfinishedComponent};
use crate::testing::{
    AfterSending, CapturedExports, CapturingExporter, ExportBehaviour, HoldingProcessor,
    PassThroughProcessor,
};
use crate::{Batch, Outcome};

fn unfinished_component(component: &str, batches: usize) -> UnfinishedComponent {
    UnfinishedComponent {
        component: component.to_owned(),
        batches,
    }
}

fn unfinished(error: EngineError) -> Vec<UnfinishedComponent> {
    match error {
        EngineError::Unfinished { components, .. } => components,
        other => panic!("{other:?} is another error"),
    }
}

#[tokio::test]
async fn stop_delivers_batches_that_were_accepted_before_it() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, gate, captured) = gated();
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("pass", PassThroughProcessor);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.to("x"))
        .run();
    engine.request_stop().await;
    tokio::time::sleep(SHORT_WAIT).await;
    assert!(!engine.run.is_finished());
    gate.cancel();
    engine.ended().await.unwrap();
    for _ in 0..3 {
        assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    }
    assert_eq!(outcomes.next().await, None);
    assert_eq!(sorted(&captured), ["a", "b", "c"]);
    assert!(captured.is_stopped());
}

#[tokio::test]
async fn stop_does_not_end_retries() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter(
            "x",
            exporter.first_attempts([ExportBehaviour::Retry(Some(2 * SHORT_WAIT))]),
        )
        .straight()
        .run();
    wait_until(|| captured.attempts() == 1).await;
    engine.stop().await.unwrap();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.attempts(), 2);
}

#[tokio::test]
async fn stop_waits_for_the_tick_of_held_rows() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let hold = HoldingProcessor::with_tick_interval(SHORT_WAIT);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("hold", hold)
                .to("x"),
        )
        .run();
    engine.stop().await.unwrap();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.uids(), ["a"]);
}

#[tokio::test]
async fn rows_of_finish_pass_through_all_later_processors() {
    let (receiver, _) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("hold/1", HoldingProcessor::default())
        .through("hold/2", HoldingProcessor::default())
        .to("connectors/hold");
    let engine = TestPlan::new()
        // The receiver waits for no outcome, so no sender waits for the held batches.
        .receiver("canned", receiver.after_sending(AfterSending::Return))
        .connector("hold", HoldingProcessor::default())
        .exporter("x", exporter)
        .pipeline(pipe)
        .pipeline(TestPipeline::new("q").from("connectors/hold").to("x"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "receivers/canned ended");
    assert_eq!(sorted(&captured), ["a", "b"]);
}

#[tokio::test]
async fn undelivered_batches_are_refused_at_the_deadline_and_their_holder_is_named() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (never, _gate, of_never) = gated();
    let (other, of_other) = CapturingExporter::new();
    let engine = TestPlan::new()
        .limits(short_limits())
        .receiver("canned", receiver)
        .exporter("never", never)
        .exporter("other", other)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .to("never")
                .to("other"),
        )
        .run();
    wait_until(|| of_other.uids().len() == 2).await;
    let error = engine.stop().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "not finished within 100ms: receivers/canned, exporters/never (2 batches)"
    );
    let held = [
        unfinished_component("receivers/canned", 0),
        unfinished_component("exporters/never", 2),
    ];
    assert_eq!(unfinished(error), held);
    for _ in 0..2 {
        let refusal = refusal(&mut outcomes).await;
        assert_eq!(refusal.component, "exporters/never");
        assert_eq!(refusal.reason, "stopped before it was delivered");
        assert!(matches!(refusal.retry, Retry::After(_)));
    }
    assert!(
        of_never.is_stopped(),
        "the exporter is stopped nevertheless"
    );
}

#[tokio::test]
async fn queued_batches_are_refused_at_the_deadline() {
    let uids: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let sent: Vec<&str> = uids.iter().map(String::as_str).collect();
    let (receiver, mut outcomes) = spans(&sent);
    let (exporter, _) = CapturingExporter::new();
    let (other, of_other) = CapturingExporter::new();
    let engine = TestPlan::new()
        .limits(short_limits())
        .receiver("canned", receiver)
        .exporter(
            "x",
            exporter
                .with_concurrency(1)
                .later_attempts(ExportBehaviour::Hang),
        )
        .exporter("other", other)
        .pipeline(TestPipeline::new("p").from("canned").to("x").to("other"))
        .run();
    wait_until(|| of_other.uids().len() == 50).await;
    let error = engine.stop().await.unwrap_err();
    let held = [
        unfinished_component("receivers/canned", 0),
        unfinished_component("exporters/x", 50),
    ];
    assert_eq!(unfinished(error), held);
    for _ in &uids {
        assert_refused_for_now(&mut outcomes).await;
    }
}

#[tokio::test]
async fn held_batches_are_refused_at_the_deadline() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let hold = HoldingProcessor::default();
    let engine = TestPlan::new()
        .limits(short_limits())
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("hold", hold)
                .to("x"),
        )
        .run();
    let error = engine.stop().await.unwrap_err();
    assert_eq!(
        unfinished(error)[0],
        unfinished_component("receivers/canned", 0)
    );
    assert_refused_for_now(&mut outcomes).await;
    assert_refused_for_now(&mut outcomes).await;
    assert_eq!(captured.attempts(), 0);
}

#[tokio::test]
async fn receiver_that_does_not_return_is_aborted_and_named() {
    let (receiver, _outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .limits(short_limits())
        .receiver("canned", receiver.after_sending(AfterSending::Hang))
        .exporter("x", exporter)
        .straight()
        .run();
    wait_until(|| captured.uids() == ["a"]).await;
    let error = engine.stop().await.unwrap_err();
    assert_eq!(
        unfinished(error),
        [unfinished_component("receivers/canned", 0)]
    );
    assert!(captured.is_stopped());
}

#[tokio::test]
async fn processor_that_blocks_its_thread_is_named_and_blocks_no_other_component() {
    let (receiver, _outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let (block, held) = blocking();
    let engine = TestPlan::new()
        .limits(short_limits())
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("block", block)
                .to("x"),
        )
        .run();
    let error = engine.stop().await.unwrap_err();
    let blocked = [
        unfinished_component("receivers/canned", 0),
        unfinished_component("pipelines/p", 1),
    ];
    assert_eq!(unfinished(error), blocked);
    assert_eq!(captured.attempts(), 0);
    drop(held);
}

/// An exporter whose `stop` never returns.
struct NeverStoppingExporter;

#[async_trait]
impl Exporter for NeverStoppingExporter {
    async fn export(&self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }

    async fn stop(&self) -> Result<(), RunError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn exporter_that_does_not_close_is_named() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let engine = TestPlan::new()
        .limits(short_limits())
        .receiver("canned", receiver)
        .exporter("x", NeverStoppingExporter)
        .straight()
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    let error = engine.stop().await.unwrap_err();
    assert_eq!(unfinished(error), [unfinished_component("exporters/x", 0)]);
}

/// An extension that records whether the exporter had stopped when the extension was stopped.
struct StopOrderExtension {
    exporter: CapturedExports,
    was_last: Arc<AtomicBool>,
}

#[async_trait]
impl Extension for StopOrderExtension {
    async fn run(self: Box<Self>, stop: CancellationToken) -> Result<(), RunError> {
        stop.cancelled().await;
        self.was_last
            .store(self.exporter.is_stopped(), Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn extensions_stop_after_the_exporters() {
    let (receiver, _outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let was_last = Arc::new(AtomicBool::new(false));
    let last = StopOrderExtension {
        exporter: captured,
        was_last: was_last.clone(),
    };
    let engine = TestPlan::new()
        .extension("last", last)
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .straight()
        .run();
    engine.stop().await.unwrap();
    assert!(was_last.load(Ordering::Relaxed));
}

#[tokio::test]
async fn process_without_components_runs_until_it_is_stopped() {
    let engine = TestPlan::new().run();
    tokio::time::sleep(SHORT_WAIT).await;
    assert!(!engine.run.is_finished());
    let stopped = tokio::time::timeout(TIMEOUT, engine.stop()).await;
    stopped.unwrap().unwrap();
}
