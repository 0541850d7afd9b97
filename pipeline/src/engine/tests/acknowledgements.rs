//! Which outcome a sender gets, and when.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    TestPipeline, TestPlan, assert_no_outcome, canned, fast_retries, gated, next_outcome, refusal,
    spans,
};
use crate::channel::Output;
use crate::component::{ProcessError, Processor, Receiver, RunError, UnixNanos};
use crate::delivery::Retry;
use crate::exporter_settings::ExporterSettings;
use crate::testing::{
    CannedReceiver, CapturingExporter, DerivingProcessor, DroppingProcessor, ExportBehaviour,
    HoldingProcessor, RejectingProcessor, batch,
};
use crate::{Batch, Outcome, Signal};

#[tokio::test]
async fn sender_is_acknowledged_only_when_all_branches_are_durable() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (fast, of_fast) = CapturingExporter::new();
    let (slow, slow_gate, of_slow) = gated();
    let (last, last_gate, of_last) = gated();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("fast", fast)
        .exporter("slow", slow)
        .exporter("last", last)
        .pipeline(
            TestPipeline::new("one")
                .from("canned")
                .to("fast")
                .to("slow"),
        )
        .pipeline(TestPipeline::new("two").from("canned").to("last"))
        .run();
    assert_no_outcome(&mut outcomes).await;
    slow_gate.cancel();
    assert_no_outcome(&mut outcomes).await;
    last_gate.cancel();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    for captured in [of_fast, of_slow, of_last] {
        assert_eq!(captured.uids(), ["a"]);
    }
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn branch_that_rejects_is_named_and_the_other_branch_gets_the_rows() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (picky, of_picky) = CapturingExporter::new();
    let (other, of_other) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("picky", picky.later_attempts(ExportBehaviour::Reject))
        .exporter("other", other)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .to("picky")
                .to("other"),
        )
        .run();
    let refusal = refusal(&mut outcomes).await;
    assert_eq!(refusal.component, "exporters/picky");
    assert_eq!(refusal.reason, "the destination rejects these rows");
    assert_eq!(refusal.retry, Retry::Never);
    assert_eq!(of_picky.attempts(), 1);
    assert_eq!(of_other.uids(), ["a"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn batch_is_delivered_after_temporary_failures() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let fails = [ExportBehaviour::Retry(None), ExportBehaviour::Retry(None)];
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter.first_attempts(fails))
        .straight()
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.attempts(), 3);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn batch_is_refused_at_the_senders_deadline_if_the_destination_stays_down() {
    let batches = vec![batch(Signal::Traces, &["a"])];
    let (receiver, mut outcomes) = canned(batches);
    let (exporter, _) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver(
            "canned",
            receiver.delivery_timeout(Duration::from_millis(50)),
        )
        .exporter("x", exporter.later_attempts(ExportBehaviour::Retry(None)))
        .straight()
        .run();
    let refusal = refusal(&mut outcomes).await;
    assert_eq!(refusal.component, "exporters/x");
    assert!(matches!(refusal.retry, Retry::After(_)), "{refusal:?}");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn hanging_export_is_cancelled_and_delays_no_other_branch() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (hangs, of_hangs) = CapturingExporter::new();
    let (other, of_other) = CapturingExporter::new();
    let hanging = ExporterSettings {
        timeout: Duration::from_millis(200),
        ..fast_retries()
    };
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter_with(
            "hangs",
            hangs
                .with_concurrency(1)
                .first_attempts([ExportBehaviour::Hang]),
            hanging,
        )
        .exporter("other", other)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .to("hangs")
                .to("other"),
        )
        .run();
    super::wait_until(|| super::sorted(&of_other) == ["a", "b"]).await;
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(of_hangs.uids(), ["a", "b"], "one at a time, in order");
    assert_eq!(of_hangs.attempts(), 3);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn processor_that_rejects_a_batch_is_named() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("no", RejectingProcessor)
                .to("x"),
        )
        .run();
    let refusal = refusal(&mut outcomes).await;
    assert_eq!(refusal.to_string(), "processors/no: rejected on purpose");
    assert_eq!(refusal.retry, Retry::Never);
    engine.stop().await.unwrap();
    assert_eq!(captured.attempts(), 0);
}

#[tokio::test]
async fn batch_that_a_processor_drops_is_acknowledged() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("drop", DroppingProcessor)
                .to("x"),
        )
        .run();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
    assert_eq!(captured.attempts(), 0);
}

#[tokio::test]
async fn sender_waits_for_batches_that_were_derived_from_its_batch() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (nodes, gate, of_nodes) = gated();
    let (traces, of_traces) = CapturingExporter::new();
    let turn = DerivingProcessor(Signal::Nodes);
    let pipe = TestPipeline::new("p").from("canned").through("turn", turn);
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("nodes", nodes)
        .accepts(&[Signal::Nodes])
        .exporter("traces", traces)
        .accepts(&[Signal::Traces])
        .pipeline(pipe.to("nodes").to("traces"))
        .run();
    super::wait_until(|| of_traces.uids() == ["a"]).await;
    assert_no_outcome(&mut outcomes).await;
    gate.cancel();
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(of_nodes.batches()[0].signal(), Signal::Nodes);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn held_rows_are_delivered_after_the_tick() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let hold = HoldingProcessor::with_tick_interval(Duration::from_millis(10));
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
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.uids().len(), 2);
    engine.stop().await.unwrap();
}

/// A processor whose ticks take longer than their interval.
struct SlowTickingProcessor;

impl Processor for SlowTickingProcessor {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        Some(Duration::from_millis(1))
    }

    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        std::thread::sleep(Duration::from_millis(5));
        Vec::new()
    }
}

#[tokio::test]
async fn ticks_longer_than_their_interval_do_not_starve_batches() {
    let began = Instant::now();
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = TestPlan::new()
        .receiver("canned", DelayedReceiver(receiver))
        .exporter("x", exporter)
        .pipeline(
            TestPipeline::new("p")
                .from("canned")
                .through("busy", SlowTickingProcessor)
                .to("x"),
        )
        .run();
    // `wait_until` polls every millisecond, while the pipeline runs.
    super::wait_until(|| captured.uids() == ["a"]).await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(next_outcome(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
}

/// A receiver that begins after the first ticks of the pipeline.
struct DelayedReceiver(CannedReceiver);

#[async_trait]
impl Receiver for DelayedReceiver {
    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError> {
        tokio::time::sleep(super::SHORT_WAIT).await;
        Box::new(self.0).run(output, stop).await
    }
}
