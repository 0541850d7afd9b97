//! A processor releases held rows when all components after it are idle.

use super::{Pipe, Setup, answer, gated, nothing, quick, spans};
use crate::component::{ProcessError, Processor, UnixNanos};
use crate::engine::settings::ExporterSettings;
use crate::testing::CapturingExporter;
use crate::{Batch, Outcome};

/// Holds all rows until the components after it are idle, and then releases them as one batch.
#[derive(Default)]
struct Grouping(Vec<Batch>);

impl Processor for Grouping {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        self.0.push(batch);
        Ok(Vec::new())
    }

    fn can_release(&self, _now: UnixNanos) -> bool {
        !self.0.is_empty()
    }

    fn release(&mut self, _now: UnixNanos) -> Vec<Batch> {
        Batch::concat(std::mem::take(&mut self.0))
            .into_iter()
            .collect()
    }
}

/// One batch at a time.
fn one_consumer() -> ExporterSettings {
    let mut settings = quick();
    settings.sending_queue.num_consumers = 1;
    settings
}

#[tokio::test]
async fn lone_sender_waits_for_no_other_sender() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let pipe = Pipe::new("p").from("canned");
    let pipe = pipe.through("one", Grouping::default());
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.through("two", Grouping::default()).to("x"))
        .run();
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.uids(), ["a"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn batches_that_come_while_the_exporter_is_busy_are_merged() {
    let (first, mut of_first) = spans(&["x"]);
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, gate, captured) = gated();
    let grouping = Grouping::default();
    let engine = Setup::new()
        .receiver("first", first)
        .receiver("canned", receiver)
        .exporter_with("x", exporter, one_consumer())
        .pipeline(Pipe::new("direct").from("first").to("x"))
        .pipeline(
            Pipe::new("p")
                .from("canned")
                .through("group", grouping)
                .to("x"),
        )
        .run();
    nothing(&mut of_first).await;
    nothing(&mut outcomes).await;
    gate.cancel();
    assert_eq!(answer(&mut of_first).await, Outcome::Delivered);
    for _ in 0..3 {
        assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    }
    let batches: Vec<usize> = captured.batches().iter().map(Batch::num_rows).collect();
    assert!(batches.len() < 4, "{batches:?}");
    assert_eq!(captured.uids().len(), 4);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn exporter_without_wait_for_result_delays_no_release() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (slow, gate, of_slow) = gated();
    let (fast, of_fast) = CapturingExporter::new();
    let mut released = one_consumer();
    released.sending_queue.wait_for_result = false;
    let (first, mut of_first) = spans(&["x"]);
    let grouping = Grouping::default();
    let pipe = Pipe::new("p").from("canned").through("group", grouping);
    let engine = Setup::new()
        .receiver("first", first)
        .receiver("canned", receiver)
        .exporter_with("slow", slow, released)
        .exporter("fast", fast)
        .pipeline(Pipe::new("direct").from("first").to("slow"))
        .pipeline(pipe.to("slow").to("fast"))
        .run();
    assert_eq!(
        answer(&mut of_first).await,
        Outcome::Delivered,
        "it is queued"
    );
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(of_fast.uids(), ["a"]);
    assert_eq!(of_slow.attempts(), 0, "its first export is still in flight");
    gate.cancel();
    engine.stop().await.unwrap();
}
