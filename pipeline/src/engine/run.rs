//! The life of a process: start, run until shutdown or until a component fails, drain, stop.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tracing::{error, info, warn};

use super::build;
use super::crew::{EndedTask, Stage};
use super::error::{EngineError, Left};
use super::launch::{Running, Stops, launch};
use super::outbox::Outbox;
use super::plan::{Limits, Plan};
use super::start::start;
use crate::channel::Gauge;
use crate::component::Chain;
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

    /// Runs until `shutdown` resolves, then drains: each accepted batch is delivered or refused to its
    /// sender. The engine also drains when a component fails, panics or ends by itself.
    ///
    /// # Errors
    /// When a component cannot start, has failed, or did not finish before the deadline of the stop.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), EngineError> {
        let mut plan = self.plan;
        let limits = plan.limits;
        let stops = Stops::default();
        let mut shutdown = pin!(shutdown);
        let started = tokio::select! {
            // No batch was accepted yet, so there is nothing to drain.
            () = &mut shutdown => return Ok(()),
            started = start(&mut plan, &stops.tasks) => started?,
        };
        let mut run = Run {
            running: launch(plan, started, &stops)?,
            stops,
            failure: None,
        };
        info!("ready");
        run.until(shutdown).await;
        run.stop(&limits).await
    }
}

struct Run {
    running: Running,
    stops: Stops,
    /// The first failure.
    failure: Option<EngineError>,
}

impl Run {
    /// Waits for the shutdown, or for the first task that ends.
    async fn until(&mut self, shutdown: impl Future<Output = ()>) {
        let ended = tokio::select! {
            () = shutdown => return,
            // None where there is no component at all: then only the shutdown ends the process.
            Some(ended) = self.running.task_set.next() => ended,
        };
        let component = ended.name;
        let failure = ended.failure.unwrap_or(EngineError::Ended { component });
        self.note(failure);
    }

    fn note(&mut self, failure: EngineError) {
        error!(error = %Chain(&failure), "stopping");
        self.failure.get_or_insert(failure);
    }

    async fn stop(mut self, limits: &Limits) -> Result<(), EngineError> {
        let began = Instant::now();
        info!("draining");
        let deadline = began + limits.stop_within;
        let unfinished = match timeout_at(deadline, self.drain()).await {
            Ok(()) => None,
            Err(_) => {
                let left = self.left();
                let within = limits.stop_within;
                let unfinished = EngineError::Unfinished { within, left };
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

    /// Drains from the receivers on: when the last sender of a channel ends, its consumer empties the channel
    /// and ends too. May be called again after it was cancelled.
    async fn drain(&mut self) {
        self.drain_batches().await;
        self.close().await;
    }

    async fn drain_batches(&mut self) {
        self.stops.receivers.cancel();
        self.running.open.clear();
        for stage in [Stage::Receivers, Stage::Chains] {
            self.wait_for(stage).await;
        }
        // Only chains put batches into outboxes, and all chains have ended.
        self.running.outboxes.values().for_each(Outbox::close);
        self.wait_for(Stage::Consumers).await;
    }

    async fn close(&mut self) {
        for (name, exporter) in self.running.exporters.drain(..) {
            let stop = async move { Ok(exporter.stop().await?) };
            self.running.task_set.spawn(Stage::Stops, name, stop);
        }
        self.wait_for(Stage::Stops).await;
        self.stops.tasks.cancel();
        self.wait_for(Stage::Tasks).await;
        self.stops.extensions.cancel();
        self.wait_for(Stage::Extensions).await;
    }

    /// Refuses all batches that are still held, and gives each stage `grace` to end.
    async fn give_up(&mut self, grace: Duration) {
        self.stops.give_up.cancel();
        // Receivers pass the refusals on to their senders.
        let answered = timeout(grace, self.wait_for(Stage::Receivers)).await;
        self.running.task_set.abort(Stage::Receivers);
        let drained = timeout(grace, self.drain_batches()).await;
        self.stops.tasks.cancel();
        self.stops.extensions.cancel();
        let closed = timeout(grace, self.close()).await;
        // A thread that blocks cannot be stopped from here: it ends with the process.
        let ended = timeout(grace, self.running.task_set.abort_all()).await;
        if answered.and(drained).and(closed).and(ended).is_err() {
            warn!("aborted components that did not stop in time");
        }
    }

    async fn wait_for(&mut self, stage: Stage) {
        while self.running.task_set.runs(stage) {
            let Some(EndedTask { failure, .. }) = self.running.task_set.next().await else {
                return;
            };
            if let Some(failure) = failure {
                self.note(failure);
            }
        }
    }

    /// The components that still hold batches, and those of the first stage that has not ended.
    fn left(&self) -> Vec<Left> {
        let left = self.running.task_set.left();
        let first = left.first().map(|(stage, _)| *stage);
        let gauges = &self.running.gauges;
        let left = left.into_iter().filter_map(|(stage, component)| {
            let outbox = self.running.outboxes.get(&component);
            let in_outbox = outbox.map_or(0, |outbox| outbox.held().0);
            let batches = gauges.get(&component).map_or(in_outbox, Gauge::batches);
            (batches > 0 || Some(stage) == first).then_some(Left { component, batches })
        });
        left.collect()
    }
}
