//! Rows for which no sender waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::{RunningEngine, TestPipeline, TestPlan, fast_retries, gated, spans, wait_until};
use crate::component::{ExportError, Exporter, ProcessError, Processor, UnixNanos};
use crate::engine::{EngineError, Limits};
use crate::exporter_settings::ExporterSettings;
use crate::testing::{CapturedExports, CapturingExporter, ExportBehaviour, batch};
use crate::{Batch, Signal};

/// Emits a batch on each tick: `made-1`, `made-2` and so on, until none remain.
struct TickingProcessor {
    made: usize,
    remaining: usize,
}

impl Processor for TickingProcessor {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        (self.remaining > 0).then_some(Duration::from_millis(1))
    }

    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        if self.remaining == 0 {
            return Vec::new();
        }
        self.remaining -= 1;
        self.made += 1;
        vec![batch(Signal::EdgeStats, &[&format!("made-{}", self.made)])]
    }
}

/// An exporter that panics when it is called concurrently.
struct SerialExporter {
    busy: AtomicBool,
    exporter: CapturingExporter,
}

#[async_trait]
impl Exporter for SerialExporter {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        assert!(
            !self.busy.swap(true, Ordering::SeqCst),
            "another export is in flight"
        );
        tokio::time::sleep(Duration::from_millis(3)).await;
        self.busy.store(false, Ordering::SeqCst);
        self.exporter.export(batch).await
    }

    fn concurrency(&self) -> usize {
        1
    }
}

fn ticking(remaining: usize) -> TickingProcessor {
    TickingProcessor { made: 0, remaining }
}

/// Settings that end the retries of batches in the queue after 1 ms.
fn hasty() -> ExporterSettings {
    let mut settings = fast_retries();
    settings.retry_on_failure.max_elapsed_time = Duration::from_millis(1);
    settings.retry_on_failure.max_interval = Duration::from_millis(5);
    settings
}

fn run(setup: TestPlan, names: &[&str]) -> RunningEngine {
    let (receiver, _outcomes) = spans(&[]);
    let mut pipe = TestPipeline::new("p")
        .from("canned")
        .through("making", ticking(3));
    for name in names {
        pipe = pipe.to(name);
    }
    setup.receiver("canned", receiver).pipeline(pipe).run()
}

async fn wait_for_all(captured: &CapturedExports) {
    wait_until(|| captured.uids() == ["made-1", "made-2", "made-3"]).await;
}

#[tokio::test]
async fn rows_wait_in_order_for_an_exporter_that_is_down_longer_than_its_retries() {
    let (down, of_down) = CapturingExporter::new();
    let (up, of_up) = CapturingExporter::new();
    let down = down.first_attempts(vec![ExportBehaviour::Retry(None); 20]);
    let setup = TestPlan::new().exporter_with("down", down, hasty());
    let engine = run(setup.exporter("up", up), &["down", "up"]);
    wait_for_all(&of_up).await;
    wait_for_all(&of_down).await;
    assert!(
        of_up.attempts() <= 3,
        "an exporter that is up gets nothing twice"
    );
    assert!(of_down.attempts() >= 22);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn rejected_batch_is_dropped_and_the_others_follow() {
    let (picky, captured) = CapturingExporter::new();
    let picky = picky.first_attempts([ExportBehaviour::Reject]);
    let engine = run(TestPlan::new().exporter_with("x", picky, hasty()), &["x"]);
    wait_until(|| captured.uids() == ["made-2", "made-3"]).await;
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn serial_exporter_never_gets_two_batches_at_once() {
    let (receiver, _outcomes) = spans(&["a", "b", "c", "d"]);
    let (exporter, captured) = CapturingExporter::new();
    let exporter = SerialExporter {
        busy: AtomicBool::new(false),
        exporter,
    };
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("making", ticking(4));
    let engine = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.to("x"))
        .run();
    wait_until(|| captured.uids().len() == 8).await;
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn stop_names_the_outbox_that_was_not_exported() {
    let (exporter, _gate, _captured) = gated();
    let limits = Limits {
        stop_within: Duration::from_millis(100),
        grace: Duration::from_millis(100),
        ..Limits::default()
    };
    let engine = run(
        TestPlan::new().limits(limits).exporter("x", exporter),
        &["x"],
    );
    tokio::time::sleep(super::SHORT_WAIT).await;
    let error = engine.stop().await.unwrap_err();
    let EngineError::Unfinished { components, .. } = error else {
        panic!("{error}");
    };
    let components: Vec<String> = components.iter().map(ToString::to_string).collect();
    assert_eq!(components, ["exporters/x (outbox) (3 batches)"]);
}
