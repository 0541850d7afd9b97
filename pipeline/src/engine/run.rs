//! The life of a process: start, run until told to stop or until something fails, drain, stop.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tracing::{error, info, warn};

use super::build;
use super::crew::{Ended, Stage};
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
    /// Builds what the topology asks for; nothing is opened yet.
    ///
    /// # Errors
    /// When a component cannot be built; the error names it.
    pub fn build(topology: Topology, registry: &Registry) -> Result<Engine, EngineError> {
        build::build(topology, registry).map(Engine::from)
    }

    /// Runs until `shutdown` resolves, then drains: what was accepted is delivered or refused to
    /// its sender. The first component that fails, panics or ends by itself has the same effect.
    ///
    /// # Errors
    /// When a component cannot start, has failed, or did not finish in time.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), EngineError> {
        let mut plan = self.plan;
        let limits = plan.limits;
        let stops = Stops::default();
        let mut shutdown = pin!(shutdown);
        let started = tokio::select! {
            // Nothing was taken yet, so there is nothing to drain.
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
    /// The first.
    failure: Option<EngineError>,
}

impl Run {
    /// Until it is time to stop, or somebody ends who should not.
    async fn until(&mut self, shutdown: impl Future<Output = ()>) {
        let ended = tokio::select! {
            () = shutdown => return,
            // None where there is no component at all: then there is nothing to do but to wait.
            Some(ended) = self.running.crew.next() => ended,
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
                error!(%name, batches, rows, "lost: rows for which no sender waits were not exported before the end");
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

    /// From receivers on: as the last that sends into a channel ends, its taker drains it and ends
    /// too. May be called again where it was cut off.
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
        // Chains were the last that put anything in.
        self.running.outboxes.values().for_each(Outbox::close);
        self.wait_for(Stage::Consumers).await;
    }

    async fn close(&mut self) {
        for (name, exporter) in self.running.exporters.drain(..) {
            let stop = async move { Ok(exporter.stop().await?) };
            self.running.crew.spawn(Stage::Stops, name, stop);
        }
        self.wait_for(Stage::Stops).await;
        self.stops.tasks.cancel();
        self.wait_for(Stage::Tasks).await;
        self.stops.extensions.cancel();
        self.wait_for(Stage::Extensions).await;
    }

    /// Refuses what is held, and gives everybody a last moment in turn.
    async fn give_up(&mut self, grace: Duration) {
        self.stops.give_up.cancel();
        // Refusals reach the senders through receivers that wait for them.
        let answered = timeout(grace, self.wait_for(Stage::Receivers)).await;
        self.running.crew.cut_off(Stage::Receivers);
        let drained = timeout(grace, self.drain_batches()).await;
        self.stops.tasks.cancel();
        self.stops.extensions.cancel();
        let closed = timeout(grace, self.close()).await;
        // What blocks its thread cannot be ended from here: it ends with the process.
        let ended = timeout(grace, self.running.crew.end()).await;
        if answered.and(drained).and(closed).and(ended).is_err() {
            warn!("some components were cut off");
        }
    }

    async fn wait_for(&mut self, stage: Stage) {
        while self.running.crew.runs(stage) {
            let Some(Ended { failure, .. }) = self.running.crew.next().await else {
                return;
            };
            if let Some(failure) = failure {
                self.note(failure);
            }
        }
    }

    /// Those who hold batches, and those for whom the others wait.
    fn left(&self) -> Vec<Left> {
        let left = self.running.crew.left();
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
