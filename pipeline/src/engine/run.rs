//! Runs the engine: start, run until shutdown or until a component fails, drain, stop.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tracing::{error, info, warn};

use super::build;
use super::error::{EngineError, UnfinishedComponent};
use super::launch::{RunningTasks, StopTokens, launch};
use super::outbox::Outbox;
use super::plan::{Limits, Plan};
use super::start::start;
use super::task_set::{EndedTask, StopStage};
use crate::channel::Gauge;
use crate::component::ErrorChain;
use crate::registry::Registry;
use crate::topology::Topology;

/// Built components, ready to run.
pub struct Engine {
    plan: Plan,
}

impl From<Plan> for Engine {
    fn from(plan: Plan) -> Engine {
        Engine { plan }
    }
}

impl Engine {
    /// Builds the components of the topology. No file or socket is opened yet.
    ///
    /// # Errors
    /// When a component cannot be built; the error names it.
    pub fn build(topology: Topology, registry: &Registry) -> Result<Engine, EngineError> {
        build::build(topology, registry).map(Engine::from)
    }

    /// Runs until `shutdown` resolves, then drains: each accepted batch is delivered or refused. The engine also drains
    /// when a component fails, panics or ends before the shutdown.
    ///
    /// # Errors
    /// When a component cannot start, has failed, or did not finish before the shutdown deadline.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), EngineError> {
        let mut plan = self.plan;
        let limits = plan.limits;
        let stops = StopTokens::default();
        let mut shutdown = pin!(shutdown);
        let started = tokio::select! {
            // No batch was accepted yet, so nothing needs draining.
            () = &mut shutdown => return Ok(()),
            started = start(&mut plan, &stops.tasks) => started?,
        };
        let mut run = EngineRun {
            running: launch(plan, started, &stops)?,
            stops,
            failure: None,
        };
        info!("ready");
        run.wait_for_end(shutdown).await;
        run.stop(&limits).await
    }
}

/// The engine while it runs and stops.
struct EngineRun {
    running: RunningTasks,
    stops: StopTokens,
    /// The first failure.
    failure: Option<EngineError>,
}

impl EngineRun {
    /// Waits for the shutdown, or for the first task that ends.
    async fn wait_for_end(&mut self, shutdown: impl Future<Output = ()>) {
        let ended = tokio::select! {
            () = shutdown => return,
            // `next` returns `None` if there are no tasks. Then only the shutdown ends the process.
            Some(ended) = self.running.task_set.next() => ended,
        };
        let component = ended.name;
        let failure = ended.failure.unwrap_or(EngineError::Ended { component });
        self.record_failure(failure);
    }

    /// Logs a failure, and keeps it if it is the first.
    fn record_failure(&mut self, failure: EngineError) {
        error!(error = %ErrorChain(&failure), "stopping");
        self.failure.get_or_insert(failure);
    }

    async fn stop(mut self, limits: &Limits) -> Result<(), EngineError> {
        let began = Instant::now();
        info!("draining");
        let deadline = began + limits.stop_within;
        let unfinished = match timeout_at(deadline, self.drain()).await {
            Ok(()) => None,
            Err(_) => {
                let components = self.unfinished();
                let within = limits.stop_within;
                let unfinished = EngineError::Unfinished { within, components };
                error!(error = %unfinished, "giving up");
                self.give_up(limits.grace).await;
                Some(unfinished)
            }
        };
        for (name, outbox) in &self.running.outboxes {
            let (batches, rows) = outbox.held();
            if rows > 0 {
                error!(%name, batches, rows, "rows lost: the process stopped before the outbox was exported");
            }
        }
        info!(took = ?began.elapsed(), "stopped");
        match (self.failure, unfinished) {
            (None, None) => Ok(()),
            (Some(failure), None) => Err(failure),
            (None, Some(unfinished)) => Err(unfinished),
            (Some(cause), Some(unfinished)) => Err(EngineError::FailedUnfinished {
                cause: Box::new(cause),
                unfinished: Box::new(unfinished),
            }),
        }
    }

    /// Stops the components in the order of the data flow, beginning with the receivers. When the last component that
    /// sends to a queue ends, the consumer empties the queue and ends. `give_up` continues a drain that was cancelled.
    async fn drain(&mut self) {
        self.drain_batches().await;
        self.close().await;
    }

    async fn drain_batches(&mut self) {
        self.stops.receivers.cancel();
        self.running.keep_open.clear();
        for stage in [StopStage::Receivers, StopStage::Chains] {
            self.wait_for(stage).await;
        }
        // Only chains put batches into outboxes, and all chains have ended.
        self.running.outboxes.values().for_each(Outbox::close);
        self.wait_for(StopStage::Consumers).await;
    }

    async fn close(&mut self) {
        for (name, exporter) in self.running.exporters.drain(..) {
            let stop = async move { Ok(exporter.stop().await?) };
            self.running
                .task_set
                .spawn(StopStage::ExporterStops, name, stop);
        }
        self.wait_for(StopStage::ExporterStops).await;
        self.stops.tasks.cancel();
        self.wait_for(StopStage::Tasks).await;
        self.stops.extensions.cancel();
        self.wait_for(StopStage::Extensions).await;
    }

    /// Refuses all batches that are still held, and gives each stage `grace` to end.
    async fn give_up(&mut self, grace: Duration) {
        self.stops.give_up.cancel();
        // Receivers send the refusals to their senders.
        let receivers_ended = timeout(grace, self.wait_for(StopStage::Receivers)).await;
        self.running.task_set.abort(StopStage::Receivers);
        let batches_drained = timeout(grace, self.drain_batches()).await;
        self.stops.tasks.cancel();
        self.stops.extensions.cancel();
        let closed = timeout(grace, self.close()).await;
        // A blocked thread cannot be stopped. It ends with the process.
        let ended = timeout(grace, self.running.task_set.abort_all()).await;
        if receivers_ended
            .and(batches_drained)
            .and(closed)
            .and(ended)
            .is_err()
        {
            warn!("aborted components that did not stop in time");
        }
    }

    async fn wait_for(&mut self, stage: StopStage) {
        while self.running.task_set.is_running(stage) {
            let Some(EndedTask { failure, .. }) = self.running.task_set.next().await else {
                return;
            };
            if let Some(failure) = failure {
                self.record_failure(failure);
            }
        }
    }

    /// The running components that still hold batches, and all running components of the earliest stage.
    fn unfinished(&self) -> Vec<UnfinishedComponent> {
        let tasks = self.running.task_set.running_tasks();
        let first = tasks.first().map(|(stage, _)| *stage);
        let gauges = &self.running.gauges;
        let unfinished = tasks.into_iter().filter_map(|(stage, component)| {
            let outbox = self.running.outboxes.get(&component);
            let in_outbox = outbox.map_or(0, |outbox| outbox.held().0);
            let batches = gauges.get(&component).map_or(in_outbox, Gauge::batches);
            (batches > 0 || Some(stage) == first)
                .then_some(UnfinishedComponent { component, batches })
        });
        unfinished.collect()
    }
}
