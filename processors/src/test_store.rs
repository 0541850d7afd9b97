//! For tests: a graph store whose reads can be blocked or made to fail, and a process that loads from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::engine::settings::ExporterSettings;
use pipeline::engine::{
    Engine, EngineError, Plan, PlannedExporter, PlannedPipeline, PlannedReceiver,
};
use pipeline::registry::Class;
use pipeline::reports::ReportBatch;
use pipeline::store::memory::{MemoryBackend, ReadOnly, Session, Writer};
use pipeline::store::rows::{Backend, RowsError, Sizes};
use pipeline::store::{Settings, Store};
use pipeline::testing::{CannedReceiver, Captured, CapturingExporter, Outcomes};
use pipeline::{Batch, Outcome, SignalSet};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than any step takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Long enough for a batch to pass that should wait.
const EARLY: Duration = Duration::from_millis(30);

/// Keeps rows in memory. Reads are blocked until `gate` is cancelled.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldBack {
    rows: MemoryBackend,
    pub(crate) gate: CancellationToken,
    /// How many of the next reads fail.
    pub(crate) failures: Arc<AtomicUsize>,
}

/// Provides the store to the process, as the exporter with this host would.
pub(crate) fn provide(backend: &HeldBack, host: &Host) -> Arc<Store<HeldBack>> {
    let settings = Settings {
        seen_for: Duration::ZERO,
    };
    let store = Arc::new(Store::new(backend.clone(), settings));
    host.provide_graph_store(store.clone());
    store
}

/// Writes batches to the store, as another process would.
pub(crate) async fn write(backend: &HeldBack, batches: &[Batch], now: UnixNanos) {
    let settings = Settings {
        seen_for: Duration::ZERO,
    };
    let store = Store::new(backend.rows.clone(), settings);
    for batch in batches {
        let reports = ReportBatch::of(batch, now);
        store.write_at(&reports, now).await.unwrap();
    }
}

#[async_trait]
impl Backend for HeldBack {
    type Read = Session<ReadOnly>;
    type Write = Session<Writer>;

    async fn read(&self) -> Result<Session<ReadOnly>, RowsError> {
        self.gate.cancelled().await;
        let decrement = |left: usize| left.checked_sub(1);
        let order = Ordering::Relaxed;
        if self.failures.fetch_update(order, order, decrement).is_ok() {
            return Err(RowsError {
                action: "read".to_owned(),
                is_retryable: true,
                source: "gone".into(),
            });
        }
        self.rows.read().await
    }

    async fn write(&self) -> Result<Session<Writer>, RowsError> {
        self.rows.write().await
    }

    async fn commits(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, RowsError> {
        self.rows.commits(after, limit).await
    }

    async fn last_commit(&self) -> Result<u64, RowsError> {
        self.rows.last_commit().await
    }

    async fn sizes(&self) -> Result<Sizes, RowsError> {
        self.rows.sizes().await
    }
}

/// A process with one pipeline and one processor, whose receiver sends these batches at once.
pub(crate) struct Process {
    pub(crate) outcomes: Outcomes,
    pub(crate) captured: Captured,
    stop: CancellationToken,
    run: JoinHandle<Result<(), EngineError>>,
}

impl Process {
    pub(crate) fn of(processor: impl Processor + 'static, batches: Vec<Batch>) -> Process {
        let (receiver, outcomes) = CannedReceiver::new(batches);
        let (exporter, captured) = CapturingExporter::new();
        let id = |name: &str| name.parse().unwrap();
        let plan = Plan {
            receivers: vec![PlannedReceiver {
                id: id("canned"),
                receiver: Box::new(receiver.patience(TIMEOUT)),
            }],
            exporters: vec![PlannedExporter {
                id: id("captured"),
                exporter: Box::new(exporter),
                accepts: SignalSet::ALL,
                settings: ExporterSettings::default(),
            }],
            pipelines: vec![PlannedPipeline {
                id: id("p"),
                signal: None,
                receivers: vec![(Class::Receiver, id("canned"))],
                processors: vec![(id("tested"), Box::new(processor))],
                exporters: vec![(Class::Exporter, id("captured"))],
            }],
            ..Plan::default()
        };
        let stop = CancellationToken::new();
        let run = Engine::from(plan).run(stop.clone().cancelled_owned());
        Process {
            outcomes,
            captured,
            stop,
            run: tokio::spawn(run),
        }
    }

    /// Asserts that no batch passes.
    pub(crate) async fn waits(&mut self) {
        let early = timeout(EARLY, self.outcomes.next()).await;
        assert!(early.is_err(), "{early:?} before the store was loaded");
        assert!(self.captured.batches().is_empty());
    }

    /// Waits until one batch is delivered.
    pub(crate) async fn delivers(&mut self) {
        let outcome = timeout(TIMEOUT, self.outcomes.next()).await;
        assert_eq!(outcome.unwrap(), Some(Outcome::Delivered));
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.run.await.unwrap().unwrap();
    }
}
