//! A store for tests of processors, and a process that loads from it.

use std::sync::Arc;
use std::time::Duration;

use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::engine::{
    Engine, EngineError, Plan, PlannedExporter, PlannedPipeline, PlannedReceiver,
};
use pipeline::exporter_settings::ExporterSettings;
use pipeline::registry::ComponentClass;
use pipeline::reports::ReportBatch;
use pipeline::store::Store;
use pipeline::testing::{
    CannedReceiver, CapturedExports, CapturingExporter, DeliveryOutcomes, GatedBackend, store_over,
};
use pipeline::{Batch, Outcome, SignalSet};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than any step of a test takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a test waits for a batch that must not pass yet.
const EARLY: Duration = Duration::from_millis(30);

/// Provides a store over `backend` through `host`, as an exporter does that was built with this host.
pub(crate) fn provide_store(backend: &GatedBackend, host: &Host) -> Arc<Store<GatedBackend>> {
    let store = Arc::new(store_over(backend.clone(), Duration::ZERO));
    host.provide_graph_store(store.clone());
    store
}

/// Writes batches to the store, as another process would.
pub(crate) async fn write(backend: &GatedBackend, batches: &[Batch], now: UnixNanos) {
    let store = store_over(backend.rows().clone(), Duration::ZERO);
    for batch in batches {
        let reports = ReportBatch::from_batch(batch, now);
        store.write_at(&reports, now).await.unwrap();
    }
}

/// A process with one pipeline and one processor.
pub(crate) struct TestProcess {
    pub(crate) outcomes: DeliveryOutcomes,
    pub(crate) captured: CapturedExports,
    stop: CancellationToken,
    run: JoinHandle<Result<(), EngineError>>,
}

impl TestProcess {
    /// Starts the process. Its receiver sends `batches` immediately.
    pub(crate) fn start(processor: impl Processor + 'static, batches: Vec<Batch>) -> TestProcess {
        let (receiver, outcomes) = CannedReceiver::new(batches);
        let (exporter, captured) = CapturingExporter::new();
        let id = |name: &str| name.parse().unwrap();
        let plan = Plan {
            receivers: vec![PlannedReceiver {
                id: id("canned"),
                receiver: Box::new(receiver.delivery_timeout(TIMEOUT)),
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
                receivers: vec![(ComponentClass::Receiver, id("canned"))],
                processors: vec![(id("tested"), Box::new(processor))],
                exporters: vec![(ComponentClass::Exporter, id("captured"))],
            }],
            ..Plan::default()
        };
        let stop = CancellationToken::new();
        let run = Engine::from(plan).run(stop.clone().cancelled_owned());
        TestProcess {
            outcomes,
            captured,
            stop,
            run: tokio::spawn(run),
        }
    }

    /// Asserts that no batch passes the processor.
    pub(crate) async fn assert_waits(&mut self) {
        let early = timeout(EARLY, self.outcomes.next()).await;
        assert!(early.is_err(), "{early:?} before the store was loaded");
        assert!(self.captured.batches().is_empty());
    }

    /// Asserts that the next outcome is a delivered batch.
    pub(crate) async fn assert_delivers(&mut self) {
        let outcome = timeout(TIMEOUT, self.outcomes.next()).await;
        assert_eq!(outcome.unwrap(), Some(Outcome::Delivered));
    }

    /// Stops the process and waits for its end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.run.await.unwrap().unwrap();
    }
}
