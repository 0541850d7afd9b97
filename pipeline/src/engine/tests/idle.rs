//! A processor releases held rows when all components after it are idle.

use super::{TestPipeline, TestPlan, assert_no_outcome, fast_retries, gated, next_outcome, spans};
use crate::component::{ProcessError, Processor, UnixNanos};
use crate::exporter_settings::ExporterSettings;
use crate::testing::CapturingExporter;
use crate::{Batch, Outcome};

/// Holds all rows until the components after it are idle, and then releases them as one batch.
#[derive(Default)]
struct GroupingProcessor(Vec<Batch>);

impl Processor for GroupingProcessor {
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

/// Settings with one consumer, which exports one batch at a time.
fn one_consumer() -> ExporterSettings {
    let mut settings = fast_retries();
    settings.sending_queue.num_consumers = 1;
    settings
}

#[tokio::test]
async fn single_sender_does_not_wait_for_other_senders() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let pipe = TestPipeline::new("p").from("canned");
    let pipe = pipe.through("one", GroupingProcessor::default());
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.through("two", GroupingProcessor::default()).to("x"))
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.uids(), ["a"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn batches_that_come_while_the_exporter_is_busy_are_merged() {
    let (first, mut of_first) = spans(&["x"]);
    let (receiver, mut outcomes) = spans(&["a", "b", "c"]);
    let (exporter, gate, captured) = gated();
    let grouping = GroupingProcessor::default();
    let engine = TestPlan::new()
        .receiver("first", first)
        .receiver("canned", receiver)
        .exporter_with("x", exporter, one_consumer())
        .pipeline(TestPipeline::new("direct").from("first").to("x"))
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("group", grouping)
                .to("x"),
        )
        .run();
    assert_no_outcome(&mut of_first).await;
    assert_no_outcome(&mut outcomes).await;
    gate.cancel();
    assert_eq!(next_outcome(&mut of_first).await, Outcome::Delivered);
    for _ in 0..3 {
        assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
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
    let mut acks_when_queued = one_consumer();
    acks_when_queued.sending_queue.wait_for_result = false;
    let (first, mut of_first) = spans(&["x"]);
    let grouping = GroupingProcessor::default();
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("group", grouping);
    let engine = TestPlan::new()
        .receiver("first", first)
        .receiver("canned", receiver)
        .exporter_with("slow", slow, acks_when_queued)
        .exporter("fast", fast)
        .pipeline(TestPipeline::new("direct").from("first").to("slow"))
        .pipeline(pipe.to("slow").to("fast"))
        .run();
    assert_eq!(
        next_outcome(&mut of_first).await,
        Outcome::Delivered,
        "the batch is queued"
    );
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(of_fast.uids(), ["a"]);
    assert_eq!(of_slow.attempts(), 0, "its first export is still in flight");
    gate.cancel();
    engine.stop().await.unwrap();
}
