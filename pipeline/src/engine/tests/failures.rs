//! A component that fails ends the process, and the error names the component.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Pipe, Setup, answer, gated, impatient, refused_for_now, sorted, spans, until};
use crate::channel::Output;
use crate::component::{
    Chain, ExportError, Exporter, Extension, Listening, Receiver, RunError, StartError, Tasks,
};
use crate::engine::EngineError;
use crate::testing::{Behaviour, CapturingExporter, Ending, Hold, PanickingProcessor, PassThrough};
use crate::{Batch, Outcome};

#[tokio::test]
async fn processor_that_panics_is_named_and_batches_of_its_pipeline_are_refused() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, captured) = CapturingExporter::new();
    let pipe = Pipe::new("p").from("canned").through("pass", PassThrough);
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.through("panics", PanickingProcessor).to("x"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "processors/panics of pipeline p panicked: told to panic"
    );
    for _ in 0..3 {
        refused_for_now(&mut outcomes).await;
    }
    assert_eq!(outcomes.next().await, None);
    assert_eq!(captured.attempts(), 0);
    assert!(captured.is_stopped());
}

#[tokio::test]
async fn batches_held_by_another_processor_are_refused_when_one_panics() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let hold = Hold::until_tick(super::MOMENT);
    let pipe = Pipe::new("p").from("canned").through("hold", hold);
    let engine = Setup::new()
        .receiver("canned", receiver)
        .pipeline(pipe.through("panics", PanickingProcessor))
        .run();
    let error = engine.ended().await.unwrap_err();
    let message = "processors/panics of pipeline p panicked: told to panic";
    assert_eq!(error.to_string(), message);
    refused_for_now(&mut outcomes).await;
    refused_for_now(&mut outcomes).await;
}

#[tokio::test]
async fn panic_in_a_pipeline_harms_no_other_pipeline() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, gate, captured) = gated();
    let broken = Pipe::new("broken").from("canned");
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(broken.through("panics", PanickingProcessor))
        .pipeline(Pipe::new("whole").from("canned").to("x"))
        .run();
    tokio::time::sleep(super::MOMENT).await;
    gate.cancel();
    let error = engine.ended().await.unwrap_err();
    let message = "processors/panics of pipeline broken panicked: told to panic";
    assert_eq!(error.to_string(), message);
    refused_for_now(&mut outcomes).await;
    assert_eq!(captured.uids(), ["a"]);
}

#[tokio::test]
async fn a_connector_that_panics_is_named() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let engine = Setup::new()
        .receiver("canned", receiver)
        .connector("c", PanickingProcessor)
        .pipeline(Pipe::new("one").from("canned").to("connectors/c"))
        .pipeline(Pipe::new("two").from("connectors/c"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "connectors/c panicked: told to panic");
    refused_for_now(&mut outcomes).await;
}

#[tokio::test]
async fn exporter_that_panics_is_named_and_its_queued_batches_are_refused() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, captured) = CapturingExporter::new();
    let (other, of_other) = CapturingExporter::new();
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter.at_once(1).first([Behaviour::Panic]))
        .exporter("other", other)
        .pipeline(Pipe::new("p").from("canned").to("x").to("other"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "exporters/x panicked: told to panic");
    for _ in 0..3 {
        refused_for_now(&mut outcomes).await;
    }
    assert_eq!(captured.attempts(), 1);
    assert_eq!(sorted(&of_other), ["a", "b", "c"]);
    assert!(of_other.is_stopped());
}

#[tokio::test]
async fn an_exporter_that_panics_on_one_batch_still_delivers_the_others_it_has() {
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter.first([Behaviour::Panic]))
        .straight()
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "exporters/x panicked: told to panic");
    let mut delivered = 0;
    for _ in 0..3 {
        delivered += usize::from(answer(&mut outcomes).await == Outcome::Delivered);
    }
    assert_eq!(delivered, 2);
    assert_eq!(captured.uids().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_ends_early_is_named_and_what_it_sent_is_delivered() {
    let (receiver, _) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = Setup::new()
        .receiver("canned", receiver.ending(Ending::Return))
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
    let engine = Setup::new()
        .receiver("panics", panics.ending(Ending::Panic))
        .receiver("other", other)
        .exporter("x", exporter)
        .pipeline(Pipe::new("p").from("panics").from("other").to("x"))
        .run();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "receivers/panics panicked: told to panic"
    );
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(sorted(&captured), ["a", "b"]);
}

/// An extension that ends when the token is cancelled, not when it should.
struct Ends(CancellationToken);

#[async_trait]
impl Extension for Ends {
    async fn run(self: Box<Self>, _: CancellationToken) -> Result<(), RunError> {
        self.0.cancelled().await;
        Ok(())
    }
}

#[tokio::test]
async fn component_that_cannot_stop_after_a_failure_is_named_beside_it() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (never, _gate, _) = gated();
    let (other, of_other) = CapturingExporter::new();
    let end = CancellationToken::new();
    let engine = Setup::new()
        .limits(impatient())
        .extension("ends", Ends(end.clone()))
        .receiver("canned", receiver)
        .exporter("never", never)
        .exporter("other", other)
        .pipeline(Pipe::new("p").from("canned").to("never").to("other"))
        .run();
    until(|| of_other.uids() == ["a"]).await;
    end.cancel();
    let error = engine.ended().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "extensions/ends ended; then not finished within 100ms: \
         receivers/canned, exporters/never (1 batch)"
    );
    assert!(matches!(error, EngineError::FailedUnfinished { .. }));
    refused_for_now(&mut outcomes).await;
}

/// Fails at the given point, as receiver, extension or exporter.
#[derive(Clone, Copy, PartialEq)]
enum Fails {
    AtStart,
    PanicsAtStart,
    Running,
    InItsTask,
    AtItsStop,
}

impl Fails {
    fn start(self) -> Result<Vec<Listening>, StartError> {
        match self {
            Fails::AtStart => Err(StartError::new("the port is taken")),
            Fails::PanicsAtStart => panic!("told to panic"),
            _ => Ok(Vec::new()),
        }
    }

    async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        if self == Fails::Running {
            return Err(RunError::because("the watch broke", "no route"));
        }
        stop.cancelled().await;
        Ok(())
    }
}

#[async_trait]
impl Receiver for Fails {
    async fn start(&mut self) -> Result<Vec<Listening>, StartError> {
        Fails::start(*self)
    }

    async fn run(self: Box<Self>, _: Output, stop: CancellationToken) -> Result<(), RunError> {
        Fails::run(*self, stop).await
    }
}

#[async_trait]
impl Extension for Fails {
    async fn start(&mut self) -> Result<Vec<Listening>, StartError> {
        Fails::start(*self)
    }

    async fn run(self: Box<Self>, stop: CancellationToken) -> Result<(), RunError> {
        Fails::run(*self, stop).await
    }
}

#[async_trait]
impl Exporter for Fails {
    async fn start(&mut self, tasks: &mut Tasks) -> Result<Vec<Listening>, StartError> {
        if *self == Fails::InItsTask {
            tasks.spawn("watch", async { Err(RunError::new("the watch broke")) });
        }
        Fails::start(*self)
    }

    async fn export(&self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }

    async fn stop(&self) -> Result<(), RunError> {
        match self {
            Fails::AtItsStop => Err(RunError::new("the last page was not written")),
            _ => Ok(()),
        }
    }
}

/// How the process ends, with all causes.
async fn end_of(setup: Setup) -> String {
    let error = setup.run().ended().await.unwrap_err();
    Chain(&error).to_string()
}

#[tokio::test]
async fn a_component_that_cannot_start_is_named() {
    let message = end_of(Setup::new().receiver("r", Fails::AtStart)).await;
    assert_eq!(message, "cannot start receivers/r: the port is taken");
    let message = end_of(Setup::new().exporter("x", Fails::AtStart)).await;
    assert_eq!(message, "cannot start exporters/x: the port is taken");
    let message = end_of(Setup::new().extension("e", Fails::AtStart)).await;
    assert_eq!(message, "cannot start extensions/e: the port is taken");
    let message = end_of(Setup::new().receiver("r", Fails::PanicsAtStart)).await;
    assert_eq!(message, "receivers/r panicked: told to panic");
}

#[tokio::test]
async fn a_component_that_fails_while_it_runs_is_named_with_the_cause() {
    let message = end_of(Setup::new().receiver("r", Fails::Running)).await;
    assert_eq!(message, "receivers/r failed: the watch broke: no route");
    let message = end_of(Setup::new().extension("e", Fails::Running)).await;
    assert_eq!(message, "extensions/e failed: the watch broke: no route");
    let message = end_of(Setup::new().exporter("x", Fails::InItsTask)).await;
    assert_eq!(message, "exporters/x (watch) failed: the watch broke");
}

#[tokio::test]
async fn an_exporter_that_cannot_close_is_named() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", Fails::AtItsStop)
        .straight()
        .run();
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    let error = engine.stop().await.unwrap_err();
    let message = Chain(&error).to_string();
    assert_eq!(message, "exporters/x failed: the last page was not written");
}
