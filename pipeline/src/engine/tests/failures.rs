//! A component that fails ends the process, and the error names the component.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    TestPipeline, TestPlan, assert_refused_for_now, gated, next_outcome, short_limits, sorted,
    spans, wait_until,
};
use crate::channel::Output;
use crate::component::{
    ErrorChain, ExportError, Exporter, Extension, ListenAddress, Receiver, RunError, StartError,
    Tasks,
};
use crate::engine::EngineError;
use crate::testing::{
    AfterSending, CapturingExporter, ExportBehaviour, HoldingProcessor, PanickingProcessor,
    PassThroughProcessor,
};
use crate::{Batch, Outcome};

#[tokio::test]
async fn processor_that_panics_is_named_and_batches_of_its_pipeline_are_refused() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, captured) = CapturingExporter::new();
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("pass", PassThroughProcessor);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.through("panics", PanickingProcessor).to("x"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "processors/panics of pipeline p panicked: on purpose"
    );
    for _ in 0..3 {
        assert_refused_for_now(&mut outcomes).await;
    }
    assert_eq!(outcomes.next().await, None);
    assert_eq!(captured.attempts(), 0);
    assert!(captured.is_stopped());
}

#[tokio::test]
async fn batches_held_by_another_processor_are_refused_when_one_panics() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let hold = HoldingProcessor::with_tick_interval(super::SHORT_WAIT);
    let pipe = TestPipeline::new("p").from("canned").through("hold", hold);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .pipeline(pipe.through("panics", PanickingProcessor))
        .run();
    let error = engine.ended().await.unwrap_err();
    let message = "processors/panics of pipeline p panicked: on purpose";
    assert_eq!(error.to_string(), message);
    assert_refused_for_now(&mut outcomes).await;
    assert_refused_for_now(&mut outcomes).await;
}

#[tokio::test]
async fn panic_in_one_pipeline_does_not_affect_another_pipeline() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, gate, captured) = gated();
    let broken = TestPipeline::new("broken").from("canned");
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(broken.through("panics", PanickingProcessor))
        .pipeline(TestPipeline::new("whole").from("canned").to("x"))
        .run();
    tokio::time::sleep(super::SHORT_WAIT).await;
    gate.cancel();
    let error = engine.ended().await.unwrap_err();
    let message = "processors/panics of pipeline broken panicked: on purpose";
    assert_eq!(error.to_string(), message);
    assert_refused_for_now(&mut outcomes).await;
    assert_eq!(captured.uids(), ["a"]);
}

#[tokio::test]
async fn connector_that_panics_is_named() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .connector("c", PanickingProcessor)
        .pipeline(TestPipeline::new("one").from("canned").to("connectors/c"))
        .pipeline(TestPipeline::new("two").from("connectors/c"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "connectors/c panicked: on purpose");
    assert_refused_for_now(&mut outcomes).await;
}

#[tokio::test]
async fn exporter_that_panics_is_named_and_its_queued_batches_are_refused() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, captured) = CapturingExporter::new();
    let (other, of_other) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter(
            "x",
            exporter
                .with_concurrency(1)
                .first_attempts([ExportBehaviour::Panic]),
        )
        .exporter("other", other)
        .pipeline(TestPipeline::new("p").from("canned").to("x").to("other"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "exporters/x panicked: on purpose");
    for _ in 0..3 {
        assert_refused_for_now(&mut outcomes).await;
    }
    assert_eq!(captured.attempts(), 1);
    assert_eq!(sorted(&of_other), ["a", "b", "c"]);
    assert!(of_other.is_stopped());
}

#[tokio::test]
async fn exporter_that_panics_on_one_batch_still_delivers_its_other_batches() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter.first_attempts([ExportBehaviour::Panic]))
        .straight()
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "exporters/x panicked: on purpose");
    let mut delivered = 0;
    for _ in 0..3 {
        delivered += usize::from(next_outcome(&mut outcomes).await == Outcome::Delivered);
    }
    assert_eq!(delivered, 2);
    assert_eq!(captured.uids().len(), 2);
}

#[tokio::test]
async fn receiver_that_ends_early_is_named_and_its_batches_are_delivered() {
    let (receiver, _) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver.after_sending(AfterSending::Return))
        .exporter("x", exporter)
        .straight()
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "receivers/canned ended");
    assert_eq!(sorted(&captured), ["a", "b"]);
    assert!(captured.is_stopped());
}

#[tokio::test]
async fn receiver_that_panics_is_named_and_the_others_are_stopped() {
    let (panics, _) = spans(&["a"]);
    let (other, mut outcomes) = spans(&["b"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("panics", panics.after_sending(AfterSending::Panic))
        .receiver("other", other)
        .exporter("x", exporter)
        .pipeline(TestPipeline::new("p").from("panics").from("other").to("x"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "receivers/panics panicked: on purpose");
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(sorted(&captured), ["a", "b"]);
}

/// An extension that ends when the test cancels the token, although the engine does not stop.
struct EndingExtension(CancellationToken);

#[async_trait]
impl Extension for EndingExtension {
    async fn run(self: Box<Self>, _: CancellationToken) -> Result<(), RunError> {
        self.0.cancelled().await;
        Ok(())
    }
}

#[tokio::test]
async fn component_that_does_not_stop_after_a_failure_is_named_with_the_failed_one() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (never, _gate, _) = gated();
    let (other, of_other) = CapturingExporter::new();
    let end = CancellationToken::new();
    let engine = TestPlan::new()
        .limits(short_limits())
        .extension("ends", EndingExtension(end.clone()))
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
    wait_until(|| of_other.uids() == ["a"]).await;
    end.cancel();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "extensions/ends ended; then not finished within 100ms: \
         receivers/canned, exporters/never (1 batch)"
    );
    assert!(matches!(error, EngineError::FailedUnfinished { .. }));
    assert_refused_for_now(&mut outcomes).await;
}

/// A receiver, extension or exporter that fails at the given point.
#[derive(Clone, Copy, PartialEq)]
enum FailingComponent {
    AtStart,
    PanicsAtStart,
    WhileRunning,
    InTask,
    AtStop,
}

impl FailingComponent {
    fn start(self) -> Result<Vec<ListenAddress>, StartError> {
        match self {
            FailingComponent::AtStart => Err(StartError::new("the port is taken")),
            FailingComponent::PanicsAtStart => panic!("on purpose"),
            _ => Ok(Vec::new()),
        }
    }

    async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        if self == FailingComponent::WhileRunning {
            return Err(RunError::because("the watch broke", "no route"));
        }
        stop.cancelled().await;
        Ok(())
    }
}

#[async_trait]
impl Receiver for FailingComponent {
    async fn start(&mut self) -> Result<Vec<ListenAddress>, StartError> {
        FailingComponent::start(*self)
    }

    async fn run(self: Box<Self>, _: Output, stop: CancellationToken) -> Result<(), RunError> {
        FailingComponent::run(*self, stop).await
    }
}

#[async_trait]
impl Extension for FailingComponent {
    async fn start(&mut self) -> Result<Vec<ListenAddress>, StartError> {
        FailingComponent::start(*self)
    }

    async fn run(self: Box<Self>, stop: CancellationToken) -> Result<(), RunError> {
        FailingComponent::run(*self, stop).await
    }
}

#[async_trait]
impl Exporter for FailingComponent {
    async fn start(&mut self, tasks: &mut Tasks) -> Result<Vec<ListenAddress>, StartError> {
        if *self == FailingComponent::InTask {
            tasks.spawn("watch", async { Err(RunError::new("the watch broke")) });
        }
        FailingComponent::start(*self)
    }

    async fn export(&self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }

    async fn stop(&self) -> Result<(), RunError> {
        match self {
            FailingComponent::AtStop => Err(RunError::new("the last page was not written")),
            _ => Ok(()),
        }
    }
}

/// The error with which the engine ends, with all causes.
async fn error_of(setup: TestPlan) -> String {
    let error = setup.run().ended().await.unwrap_err();
    ErrorChain(&error).to_string()
}

#[tokio::test]
async fn component_that_cannot_start_is_named() {
    let message = error_of(TestPlan::new().receiver("r", FailingComponent::AtStart)).await;
    assert_eq!(message, "cannot start receivers/r: the port is taken");
    let message = error_of(TestPlan::new().exporter("x", FailingComponent::AtStart)).await;
    assert_eq!(message, "cannot start exporters/x: the port is taken");
    let message = error_of(TestPlan::new().extension("e", FailingComponent::AtStart)).await;
    assert_eq!(message, "cannot start extensions/e: the port is taken");
    let message = error_of(TestPlan::new().receiver("r", FailingComponent::PanicsAtStart)).await;
    assert_eq!(message, "receivers/r panicked: on purpose");
}

#[tokio::test]
async fn component_that_fails_while_it_runs_is_named_with_the_cause() {
    let message = error_of(TestPlan::new().receiver("r", FailingComponent::WhileRunning)).await;
    assert_eq!(message, "receivers/r failed: the watch broke: no route");
    let message = error_of(TestPlan::new().extension("e", FailingComponent::WhileRunning)).await;
    assert_eq!(message, "extensions/e failed: the watch broke: no route");
    let message = error_of(TestPlan::new().exporter("x", FailingComponent::InTask)).await;
    assert_eq!(message, "exporters/x (watch) failed: the watch broke");
}

#[tokio::test]
async fn exporter_that_cannot_close_is_named() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", FailingComponent::AtStop)
        .straight()
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    let error = engine.stop().await.unwrap_err();
    let message = ErrorChain(&error).to_string();
    assert_eq!(message, "exporters/x failed: the last page was not written");
}
