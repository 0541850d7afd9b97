//! Tests of the engine with test doubles.
//!
//! [`answers`]: acknowledgements; [`routes`]: which component gets which batches; [`overload`]: full queues;
//! [`loading`]: batches while processors load; [`idle`]: when processors release rows; [`stop`]: shutdown;
//! [`failures`]: components that fail; [`yaml`]: from a configuration to a running engine; [`telemetry`]:
//! metrics; [`unawaited`]: rows for which no sender waits. Attempts, waits and deadlines of one exporter are
//! in `sending/tests/`: there the clock can be paused. Here it cannot, since pipelines run on threads of
//! their own, for which a paused clock does not wait.

use std::time::Duration;

use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::settings::{ExporterSettings, RetryOnFailure, SendingQueue};
use super::{
    Engine, EngineError, Limits, Plan, PlannedConnector, PlannedExporter, PlannedExtension,
    PlannedPipeline, PlannedReceiver,
};
use crate::component::{ComponentId, Exporter, Extension, Processor, Receiver};
use crate::delivery::{Refusal, Retry};
use crate::registry::Class;
use crate::testing::{CannedReceiver, Captured, Outcomes, batch};
use crate::topology::Placed;
use crate::{Batch, Outcome, Signal, SignalSet};

mod answers;
mod doubles;
mod failures;
mod idle;
mod loading;
mod overload;
mod routes;
mod stop;
mod telemetry;
mod unawaited;
mod yaml;

use doubles::{blocking, gated};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for a wrong outcome to arrive.
const MOMENT: Duration = Duration::from_millis(30);

/// A plan of test doubles.
#[derive(Default)]
struct Setup(Plan);

impl Setup {
    fn new() -> Setup {
        Setup::default()
    }

    fn limits(mut self, limits: Limits) -> Setup {
        self.0.limits = limits;
        self
    }

    fn receiver(mut self, id: &str, receiver: impl Receiver + 'static) -> Setup {
        self.0.receivers.push(PlannedReceiver {
            id: id.parse().unwrap(),
            receiver: Box::new(receiver),
        });
        self
    }

    fn exporter(self, id: &str, exporter: impl Exporter + 'static) -> Setup {
        self.exporter_with(id, exporter, quick())
    }

    fn exporter_with(
        mut self,
        id: &str,
        exporter: impl Exporter + 'static,
        settings: ExporterSettings,
    ) -> Setup {
        self.0.exporters.push(PlannedExporter {
            id: id.parse().unwrap(),
            exporter: Box::new(exporter),
            accepts: SignalSet::ALL,
            settings,
        });
        self
    }

    /// Of the exporter that was added last.
    fn accepts(mut self, signals: &[Signal]) -> Setup {
        self.0.exporters.last_mut().unwrap().accepts = SignalSet::of(signals);
        self
    }

    fn connector(mut self, id: &str, processor: impl Processor + 'static) -> Setup {
        self.0.connectors.push(PlannedConnector {
            id: id.parse().unwrap(),
            processor: Box::new(processor),
        });
        self
    }

    fn extension(mut self, id: &str, extension: impl Extension + 'static) -> Setup {
        self.0.extensions.push(PlannedExtension {
            id: id.parse().unwrap(),
            extension: Box::new(extension),
        });
        self
    }

    fn pipeline(mut self, pipeline: Pipe) -> Setup {
        self.0.pipelines.push(pipeline.0);
        self
    }

    /// `canned → x`.
    fn straight(self) -> Setup {
        self.pipeline(Pipe::new("p").from("canned").to("x"))
    }

    fn run(self) -> Running {
        Running::of(Engine::from(self.0))
    }
}

struct Pipe(PlannedPipeline);

impl Pipe {
    fn new(id: &str) -> Pipe {
        Pipe(PlannedPipeline {
            id: id.parse().unwrap(),
            signal: None,
            receivers: Vec::new(),
            processors: Vec::new(),
            exporters: Vec::new(),
        })
    }

    fn only(mut self, signal: Signal) -> Pipe {
        self.0.signal = Some(signal);
        self
    }

    /// A receiver, or `connectors/c`.
    fn from(mut self, id: &str) -> Pipe {
        self.0.receivers.push(placed(Class::Receiver, id));
        self
    }

    fn through(mut self, id: &str, processor: impl Processor + 'static) -> Pipe {
        let id: ComponentId = id.parse().unwrap();
        self.0.processors.push((id, Box::new(processor)));
        self
    }

    /// An exporter, or `connectors/c`.
    fn to(mut self, id: &str) -> Pipe {
        self.0.exporters.push(placed(Class::Exporter, id));
        self
    }
}

fn placed(class: Class, id: &str) -> Placed {
    match id.strip_prefix("connectors/") {
        Some(id) => (Class::Connector, id.parse().unwrap()),
        None => (class, id.parse().unwrap()),
    }
}

/// An engine at work.
struct Running {
    stop: CancellationToken,
    run: JoinHandle<Result<(), EngineError>>,
}

impl Running {
    fn of(engine: Engine) -> Running {
        let stop = CancellationToken::new();
        let run = tokio::spawn(engine.run(stop.clone().cancelled_owned()));
        Running { stop, run }
    }

    /// Requests the shutdown after the engine has started: before, it would have nothing to do.
    async fn request_stop(&self) {
        yield_now().await;
        self.stop.cancel();
    }

    /// Requests the shutdown, and waits until the engine has stopped.
    async fn stop(self) -> Result<(), EngineError> {
        self.request_stop().await;
        self.ended().await
    }

    /// Waits until it has ended by itself.
    async fn ended(self) -> Result<(), EngineError> {
        let ended = timeout(PATIENCE, self.run).await;
        ended.expect("the engine ends").expect("and never panics")
    }
}

/// Settings with which a failed export is retried at once.
fn quick() -> ExporterSettings {
    ExporterSettings {
        retry_on_failure: RetryOnFailure {
            initial_interval: Duration::from_millis(5),
            ..RetryOnFailure::default()
        },
        ..ExporterSettings::default()
    }
}

fn queueing(sending_queue: SendingQueue) -> ExporterSettings {
    ExporterSettings {
        sending_queue,
        ..quick()
    }
}

/// Limits with which a stop that cannot end is given up soon.
fn impatient() -> Limits {
    Limits {
        stop_within: Duration::from_millis(100),
        grace: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// Batches of one span each, whose senders wait for long.
fn spans(uids: &[&str]) -> (CannedReceiver, Outcomes) {
    let batches = uids.iter().map(|uid| batch(Signal::Traces, &[uid]));
    canned(batches.collect())
}

fn canned(batches: Vec<Batch>) -> (CannedReceiver, Outcomes) {
    let (receiver, outcomes) = CannedReceiver::new(batches);
    (receiver.patience(PATIENCE), outcomes)
}

/// The next outcome that a sender gets.
async fn answer(outcomes: &mut Outcomes) -> Outcome {
    let next = timeout(PATIENCE, outcomes.next()).await;
    next.expect("an outcome in time")
        .expect("a receiver that runs")
}

async fn refusal(outcomes: &mut Outcomes) -> Refusal {
    match answer(outcomes).await {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

/// Asserts that no sender has an outcome yet.
async fn nothing(outcomes: &mut Outcomes) {
    let early = timeout(MOMENT, outcomes.next()).await;
    assert!(early.is_err(), "{early:?} comes too early");
}

/// Asserts that the next outcome is a refusal that may be retried.
async fn refused_for_now(outcomes: &mut Outcomes) {
    let refusal = refusal(outcomes).await;
    assert!(matches!(refusal.retry, Retry::After(_)), "{refusal:?}");
}

async fn until(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, wait)
        .await
        .expect("the condition becomes true");
}

/// The sorted uids of all rows that an exporter has taken.
fn sorted(captured: &Captured) -> Vec<String> {
    let mut uids = captured.uids();
    uids.sort_unstable();
    uids
}
