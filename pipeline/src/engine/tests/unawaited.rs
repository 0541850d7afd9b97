//! Rows for which no sender waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::{Pipe, Running, Setup, gated, quick, spans, until};
use crate::component::{ExportError, Exporter, ProcessError, Processor, UnixNanos};
use crate::engine::settings::ExporterSettings;
use crate::engine::{EngineError, Limits};
use crate::testing::{Behaviour, Captured, CapturingExporter, batch};
use crate::{Batch, Signal};

/// Makes a batch by itself: `made-1`, `made-2` …, at most `left`.
struct Making {
    made: usize,
    left: usize,
}

impl Processor for Making {
    fn process(&mut self, batch: Batch, _now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        Ok(vec![batch])
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        (self.left > 0).then_some(Duration::from_millis(1))
    }

    fn tick(&mut self, _now: UnixNanos) -> Vec<Batch> {
        if self.left == 0 {
            return Vec::new();
        }
        self.left -= 1;
        self.made += 1;
        vec![batch(Signal::EdgeStats, &[&format!("made-{}", self.made)])]
    }
}

/// An exporter that panics when it is called concurrently.
struct OneAtATime {
    busy: AtomicBool,
    exporter: CapturingExporter,
}

#[async_trait]
impl Exporter for OneAtATime {
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

fn making(left: usize) -> Making {
    Making { made: 0, left }
}

/// Settings with which exports for senders are not retried.
fn hasty() -> ExporterSettings {
    let mut settings = quick();
    settings.retry_on_failure.max_elapsed_time = Duration::from_millis(1);
    settings.retry_on_failure.max_interval = Duration::from_millis(5);
    settings
}

fn run(setup: Setup, names: &[&str]) -> Running {
    let (receiver, _outcomes) = spans(&[]);
    let mut pipe = Pipe::new("p").from("canned").through("making", making(3));
    for name in names {
        pipe = pipe.to(name);
    }
    setup.receiver("canned", receiver).pipeline(pipe).run()
}

async fn has_all(captured: &Captured) {
    until(|| captured.uids() == ["made-1", "made-2", "made-3"]).await;
}

#[tokio::test]
async fn rows_wait_in_order_for_an_exporter_that_is_down_longer_than_its_retries() {
    let (down, of_down) = CapturingExporter::new();
    let (up, of_up) = CapturingExporter::new();
    let down = down.first(vec![Behaviour::Retry(None); 20]);
    let setup = Setup::new().exporter_with("down", down, hasty());
    let engine = run(setup.exporter("up", up), &["down", "up"]);
    has_all(&of_up).await;
    has_all(&of_down).await;
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
    let picky = picky.first([Behaviour::Refuse]);
    let engine = run(Setup::new().exporter_with("x", picky, hasty()), &["x"]);
    until(|| captured.uids() == ["made-2", "made-3"]).await;
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn an_exporter_of_one_batch_at_a_time_never_has_two() {
    let (receiver, _outcomes) = spans(&["a", "b", "c", "d"]);
    let (exporter, captured) = CapturingExporter::new();
    let exporter = OneAtATime {
        busy: AtomicBool::new(false),
        exporter,
    };
    let pipe = Pipe::new("p").from("canned").through("making", making(4));
    let engine = Setup::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.to("x"))
        .run();
    until(|| captured.uids().len() == 8).await;
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
    let engine = run(Setup::new().limits(limits).exporter("x", exporter), &["x"]);
    tokio::time::sleep(super::MOMENT).await;
    let error = engine.stop().await.unwrap_err();
    let EngineError::Unfinished { left, .. } = error else {
        panic!("{error}");
    };
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert_eq!(left, ["exporters/x (outbox) (3 batches)"]);
}
