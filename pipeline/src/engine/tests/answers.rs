//! When a sender gets its outcome, and which.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Pipe, Setup, answer, canned, gated, nothing, quick, refusal, spans};
use crate::channel::Output;
use crate::component::{ProcessError, Processor, Receiver, RunError, UnixNanos};
use crate::delivery::Retry;
use crate::engine::settings::ExporterSettings;
use crate::testing::{
    Behaviour, CannedReceiver, CapturingExporter, Drop, Hold, Refuse, Turn, batch,
};
use crate::{Batch, Outcome, Signal};

#[tokio::test]
async fn sender_is_acknowledged_only_when_all_branches_are_durable() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (fast, of_fast) = CapturingExporter::new();
    let (slow, slow_gate, of_slow) = gated();
    let (last, last_gate, of_last) = gated();
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("fast", fast)
        .exporter("slow", slow)
        .exporter("last", last)
        .pipeline(Pipe::new("one").from("canned").to("fast").to("slow"))
        .pipeline(Pipe::new("two").from("canned").to("last"))
        .run();
    nothing(&mut outcomes).await;
    slow_gate.cancel();
    nothing(&mut outcomes).await;
    last_gate.cancel();
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    for captured in [of_fast, of_slow, of_last] {
        assert_eq!(captured.uids(), ["a"]);
    }
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn branch_that_rejects_is_named_and_the_other_branch_has_the_rows() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (picky, of_picky) = CapturingExporter::new();
    let (other, of_other) = CapturingExporter::new();
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("picky", picky.then(Behaviour::Refuse))
        .exporter("other", other)
        .pipeline(Pipe::new("p").from("canned").to("picky").to("other"))
        .run();
    let refusal = refusal(&mut outcomes).await;
    assert_eq!(refusal.component, "exporters/picky");
    assert_eq!(refusal.reason, "the destination wants no such rows");
    assert_eq!(refusal.retry, Retry::Never);
    assert_eq!(of_picky.attempts(), 1);
    assert_eq!(of_other.uids(), ["a"]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn batch_is_delivered_after_temporary_failures() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let fails = [Behaviour::Retry(None), Behaviour::Retry(None)];
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter.first(fails))
        .straight()
        .run();
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.attempts(), 3);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn batch_is_refused_at_the_senders_deadline_if_the_destination_stays_down() {
    let batches = vec![batch(Signal::Traces, &["a"])];
    let (receiver, mut outcomes) = canned(batches);
    let (exporter, _) = CapturingExporter::new();
    let engine = Setup::new()
        .receiver("canned", receiver.patience(Duration::from_millis(50)))
        .exporter("x", exporter.then(Behaviour::Retry(None)))
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
        ..quick()
    };
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter_with("hangs", hangs.at_once(1).first([Behaviour::Hang]), hanging)
        .exporter("other", other)
        .pipeline(Pipe::new("p").from("canned").to("hangs").to("other"))
        .run();
    super::until(|| super::sorted(&of_other) == ["a", "b"]).await;
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(of_hangs.uids(), ["a", "b"], "one at a time, in order");
    assert_eq!(of_hangs.attempts(), 3);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn processor_that_rejects_a_batch_is_named() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(Pipe::new("p").from("canned").through("no", Refuse).to("x"))
        .run();
    let refusal = refusal(&mut outcomes).await;
    assert_eq!(refusal.to_string(), "processors/no: told to refuse");
    assert_eq!(refusal.retry, Retry::Never);
    engine.stop().await.unwrap();
    assert_eq!(captured.attempts(), 0);
}

#[tokio::test]
async fn batch_that_a_processor_drops_is_acknowledged() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, captured) = CapturingExporter::new();
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(Pipe::new("p").from("canned").through("drop", Drop).to("x"))
        .run();
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
    assert_eq!(captured.attempts(), 0);
}

#[tokio::test]
async fn sender_waits_for_batches_that_were_derived_from_its_batch() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (nodes, gate, of_nodes) = gated();
    let (traces, of_traces) = CapturingExporter::new();
    let turn = Turn(Signal::Nodes);
    let pipe = Pipe::new("p").from("canned").through("turn", turn);
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("nodes", nodes)
        .accepts(&[Signal::Nodes])
        .exporter("traces", traces)
        .accepts(&[Signal::Traces])
        .pipeline(pipe.to("nodes").to("traces"))
        .run();
    super::until(|| of_traces.uids() == ["a"]).await;
    nothing(&mut outcomes).await;
    gate.cancel();
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(of_nodes.batches()[0].signal(), Signal::Nodes);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn held_rows_are_delivered_after_the_tick() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (exporter, captured) = CapturingExporter::new();
    let hold = Hold::until_tick(Duration::from_millis(10));
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(Pipe::new("p").from("canned").through("hold", hold).to("x"))
        .run();
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    assert_eq!(captured.uids().len(), 2);
    engine.stop().await.unwrap();
}

/// A processor whose ticks take longer than their interval.
struct Busy;

impl Processor for Busy {
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
    let engine = Setup::new()
        .receiver("canned", AfterAMoment(receiver))
        .exporter("x", exporter)
        .pipeline(Pipe::new("p").from("canned").through("busy", Busy).to("x"))
        .run();
    // This looks every millisecond, so that the clock goes on while the pipeline is at work.
    super::until(|| captured.uids() == ["a"]).await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(answer(&mut outcomes).await, Outcome::Delivered);
    engine.stop().await.unwrap();
}

/// A receiver that begins when the pipeline has already ticked.
struct AfterAMoment(CannedReceiver);

#[async_trait]
impl Receiver for AfterAMoment {
    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError> {
        tokio::time::sleep(super::MOMENT).await;
        Box::new(self.0).run(output, stop).await
    }
}
