//! Tests of the engine with test doubles.
//!
//! [`acknowledgements`]: outcomes of senders; [`routes`]: which component gets which batches; [`overload`]: full
//! queues; [`loading`]: batches while processors load; [`idle`]: when processors release rows; [`stop`]: shutdown;
//! [`failures`]: components that fail; [`yaml`]: from a configuration to a running engine; [`telemetry`]: metrics;
//! [`outbox`]: rows for which no sender waits. The tests of attempts, waits and deadlines of one exporter are in
//! `sending/tests/`. Those pause the clock; the tests here do not, since a paused clock would not wait for the threads
//! of the pipelines.

use std::time::Duration;

use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Engine, EngineError, Limits, Plan, PlannedConnector, PlannedExporter, PlannedExtension,
    PlannedPipeline, PlannedReceiver,
};
use crate::component::{ComponentId, Exporter, Extension, Processor, Receiver};
use crate::delivery::{Refusal, Retry};
use crate::exporter_settings::{ExporterSettings, RetryOnFailure, SendingQueue};
use crate::registry::ComponentClass;
use crate::testing::{CannedReceiver, CapturedExports, DeliveryOutcomes, batch};
use crate::topology::ComponentKey;
use crate::{Batch, Outcome, Signal, SignalSet};

mod acknowledgements;
mod doubles;
mod failures;
mod idle;
mod loading;
mod outbox;
mod overload;
mod routes;
mod stop;
mod telemetry;
mod yaml;

use doubles::{blocking, gated};

/// Longer than any step of a test takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Long enough for a wrong outcome to arrive.
const SHORT_WAIT: Duration = Duration::from_millis(30);

/// A plan of test doubles.
#[derive(Default)]
struct TestPlan(Plan);

impl TestPlan {
    fn new() -> TestPlan {
        TestPlan::default()
    }

    fn limits(mut self, limits: Limits) -> TestPlan {
        self.0.limits = limits;
        self
    }

    fn receiver(mut self, id: &str, receiver: impl Receiver + 'static) -> TestPlan {
        self.0.receivers.push(PlannedReceiver {
            id: id.parse().unwrap(),
            receiver: Box::new(receiver),
        });
        self
    }

    fn exporter(self, id: &str, exporter: impl Exporter + 'static) -> TestPlan {
        self.exporter_with(id, exporter, fast_retries())
    }

    fn exporter_with(
        mut self,
        id: &str,
        exporter: impl Exporter + 'static,
        settings: ExporterSettings,
    ) -> TestPlan {
        self.0.exporters.push(PlannedExporter {
            id: id.parse().unwrap(),
            exporter: Box::new(exporter),
            accepts: SignalSet::ALL,
            settings,
        });
        self
    }

    /// Sets the signals of the exporter that was added last.
    fn accepts(mut self, signals: &[Signal]) -> TestPlan {
        self.0.exporters.last_mut().unwrap().accepts = SignalSet::of(signals);
        self
    }

    fn connector(mut self, id: &str, processor: impl Processor + 'static) -> TestPlan {
        self.0.connectors.push(PlannedConnector {
            id: id.parse().unwrap(),
            processor: Box::new(processor),
        });
        self
    }

    fn extension(mut self, id: &str, extension: impl Extension + 'static) -> TestPlan {
        self.0.extensions.push(PlannedExtension {
            id: id.parse().unwrap(),
            extension: Box::new(extension),
        });
        self
    }

    fn pipeline(mut self, pipeline: TestPipeline) -> TestPlan {
        self.0.pipelines.push(pipeline.0);
        self
    }

    /// Adds the pipeline `canned → x`.
    fn straight(self) -> TestPlan {
        self.pipeline(TestPipeline::new("p").from("canned").to("x"))
    }

    fn run(self) -> RunningEngine {
        RunningEngine::of(Engine::from(self.0))
    }
}

/// A pipeline of a test plan.
struct TestPipeline(PlannedPipeline);

impl TestPipeline {
    fn new(id: &str) -> TestPipeline {
        TestPipeline(PlannedPipeline {
            id: id.parse().unwrap(),
            signal: None,
            receivers: Vec::new(),
            processors: Vec::new(),
            exporters: Vec::new(),
        })
    }

    fn only(mut self, signal: Signal) -> TestPipeline {
        self.0.signal = Some(signal);
        self
    }

    /// Adds a receiver, or a connector as `connectors/c`.
    fn from(mut self, id: &str) -> TestPipeline {
        self.0
            .receivers
            .push(component_key(ComponentClass::Receiver, id));
        self
    }

    fn through(mut self, id: &str, processor: impl Processor + 'static) -> TestPipeline {
        let id: ComponentId = id.parse().unwrap();
        self.0.processors.push((id, Box::new(processor)));
        self
    }

    /// Adds an exporter, or a connector as `connectors/c`.
    fn to(mut self, id: &str) -> TestPipeline {
        self.0
            .exporters
            .push(component_key(ComponentClass::Exporter, id));
        self
    }
}

fn component_key(class: ComponentClass, id: &str) -> ComponentKey {
    match id.strip_prefix("connectors/") {
        Some(id) => (ComponentClass::Connector, id.parse().unwrap()),
        None => (class, id.parse().unwrap()),
    }
}

/// An engine that runs in a task.
struct RunningEngine {
    stop: CancellationToken,
    run: JoinHandle<Result<(), EngineError>>,
}

impl RunningEngine {
    fn of(engine: Engine) -> RunningEngine {
        let stop = CancellationToken::new();
        let run = tokio::spawn(engine.run(stop.clone().cancelled_owned()));
        RunningEngine { stop, run }
    }

    /// Requests the shutdown after the engine has started, so that it has something to stop.
    async fn request_stop(&self) {
        yield_now().await;
        self.stop.cancel();
    }

    /// Requests the shutdown, and waits until the engine has stopped.
    async fn stop(self) -> Result<(), EngineError> {
        self.request_stop().await;
        self.ended().await
    }

    /// Waits until the engine has ended.
    async fn ended(self) -> Result<(), EngineError> {
        let ended = timeout(TIMEOUT, self.run).await;
        ended.expect("the engine ends").expect("and never panics")
    }
}

/// Settings that retry a failed export after a few milliseconds.
fn fast_retries() -> ExporterSettings {
    ExporterSettings {
        retry_on_failure: RetryOnFailure {
            initial_interval: Duration::from_millis(5),
            ..RetryOnFailure::default()
        },
        ..ExporterSettings::default()
    }
}

fn with_queue(sending_queue: SendingQueue) -> ExporterSettings {
    ExporterSettings {
        sending_queue,
        ..fast_retries()
    }
}

/// Limits with a short deadline for the stop.
fn short_limits() -> Limits {
    Limits {
        stop_within: Duration::from_millis(100),
        grace: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// A receiver of batches of one span each, whose senders wait up to [`TIMEOUT`].
fn spans(uids: &[&str]) -> (CannedReceiver, DeliveryOutcomes) {
    let batches = uids.iter().map(|uid| batch(Signal::Traces, &[uid]));
    canned(batches.collect())
}

fn canned(batches: Vec<Batch>) -> (CannedReceiver, DeliveryOutcomes) {
    let (receiver, outcomes) = CannedReceiver::new(batches);
    (receiver.delivery_timeout(TIMEOUT), outcomes)
}

/// Waits for the next outcome of a sender.
async fn next_outcome(outcomes: &mut DeliveryOutcomes) -> Outcome {
    let next = timeout(TIMEOUT, outcomes.next()).await;
    next.expect("an outcome in time")
        .expect("a receiver that runs")
}

/// Waits for the next outcome of a sender, which must be a refusal.
async fn refusal(outcomes: &mut DeliveryOutcomes) -> Refusal {
    match next_outcome(outcomes).await {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

/// Asserts that no sender gets an outcome soon.
async fn assert_no_outcome(outcomes: &mut DeliveryOutcomes) {
    let early = timeout(SHORT_WAIT, outcomes.next()).await;
    assert!(early.is_err(), "{early:?} comes too early");
}

/// Asserts that the next outcome is a refusal that may be retried.
async fn assert_refused_for_now(outcomes: &mut DeliveryOutcomes) {
    let refusal = refusal(outcomes).await;
    assert!(matches!(refusal.retry, Retry::After(_)), "{refusal:?}");
}

/// Waits until a condition is true.
async fn wait_until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(TIMEOUT, wait)
        .await
        .expect("the condition becomes true");
}

/// The sorted uids of all rows that an exporter has taken.
fn sorted(captured: &CapturedExports) -> Vec<String> {
    let mut uids = captured.uids();
    uids.sort_unstable();
    uids
}
