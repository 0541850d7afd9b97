//! Started components → running tasks: makes the channels and queues between them, and spawns the tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::build::name;
use super::chain::{self, Chain, Link};
use super::crew::{Stage, TaskSet};
use super::error::EngineError;
use super::exit::Route;
use super::metrics::Metrics;
use super::outbox::Outbox;
use super::plan::{Limits, Plan, PlannedConnector, PlannedExporter, PlannedPipeline};
use super::sending::{self, Sending};
use super::start::Started;
use super::telemetry;
use crate::SignalSet;
use crate::channel::{Gauge, Output, Queue, Sender, channel};
use crate::component::{Exporter, Tasks};
use crate::registry::Class;
use crate::topology::Placed;

/// The tokens that stop the running tasks.
#[derive(Default)]
pub(super) struct Stops {
    pub(super) receivers: CancellationToken,
    /// Cancelled when a stop has taken too long: batches that are still held are refused.
    pub(super) give_up: CancellationToken,
    pub(super) tasks: CancellationToken,
    pub(super) extensions: CancellationToken,
}

/// All that runs.
pub(super) struct Running {
    pub(super) task_set: TaskSet,
    /// The exporters that are not stopped yet.
    pub(super) exporters: Vec<(String, Arc<dyn Exporter>)>,
    /// The gauge of each queue, by the name of the component that consumes it.
    pub(super) gauges: BTreeMap<String, Gauge>,
    /// By the names of the tasks that export them.
    pub(super) outboxes: BTreeMap<String, Outbox>,
    /// Keeps every queue open until the stop, also where no component sends into it.
    pub(super) open: Vec<Sender>,
}

/// Spawns from the exporters to the receivers, so that a consumer runs before its producers.
pub(super) fn launch(plan: Plan, started: Started, stops: &Stops) -> Result<Running, EngineError> {
    let mut wiring = Wiring {
        running: Running {
            task_set: TaskSet::default(),
            exporters: Vec::new(),
            gauges: BTreeMap::new(),
            outboxes: BTreeMap::new(),
            open: Vec::new(),
        },
        metrics: Metrics::new(plan.counters),
        routes: BTreeMap::new(),
        limits: plan.limits,
        refreshing: plan.refreshing,
        give_up: stops.give_up.clone(),
    };
    for (planned, tasks) in plan.exporters.into_iter().zip(started.tasks) {
        wiring.exporter(planned, tasks);
    }
    let inputs = wiring.inputs(&plan.pipelines);
    let (inputs, queues): (Vec<Sender>, Vec<Queue>) = inputs.into_iter().unzip();
    let connectors = wiring.connectors(plan.connectors);
    let sources = Sources::new(&plan.pipelines, inputs);
    for (connector, queue) in connectors {
        wiring.connector(connector, queue, &sources)?;
    }
    for (pipeline, queue) in plan.pipelines.into_iter().zip(queues) {
        wiring.pipeline(pipeline, queue)?;
    }
    for planned in plan.receivers {
        let placed = (Class::Receiver, planned.id);
        let senders = sources.after(&placed);
        let signals = SignalSet::ALL.iter().filter(|signal| {
            let mut senders = senders.iter();
            senders.any(|sender| sender.accepts(*signal))
        });
        let signals: Vec<_> = signals.collect();
        let counters = wiring
            .metrics
            .receiver(placed.1.to_string(), SignalSet::of(&signals));
        let output = Output::counted(senders, counters);
        let run = planned.receiver.run(output, stops.receivers.clone());
        let task_set = &mut wiring.running.task_set;
        task_set.spawn(Stage::Receivers, name(&placed), async { Ok(run.await?) });
    }
    for planned in plan.extensions {
        let run = planned.extension.run(stops.extensions.clone());
        let name = format!("extensions/{}", planned.id);
        let task_set = &mut wiring.running.task_set;
        task_set.spawn(Stage::Extensions, name, async { Ok(run.await?) });
    }
    let mut running = wiring.running;
    if let Some(listener) = started.metrics {
        let serve = telemetry::serve(listener, Arc::new(wiring.metrics), stops.extensions.clone());
        let name = "service/telemetry".to_owned();
        running
            .task_set
            .spawn(Stage::Extensions, name, async { Ok(serve.await?) });
    }
    Ok(running)
}

/// The pipelines that each receiver or connector feeds. It is dropped when all are wired, so that a channel
/// closes when the last component that sends into it ends.
struct Sources {
    senders: BTreeMap<Placed, Vec<Sender>>,
}

impl Sources {
    fn new(pipelines: &[PlannedPipeline], inputs: Vec<Sender>) -> Sources {
        let mut senders: BTreeMap<Placed, Vec<Sender>> = BTreeMap::new();
        for (pipeline, input) in pipelines.iter().zip(inputs) {
            for receiver in &pipeline.receivers {
                let after = senders.entry(receiver.clone()).or_default();
                after.push(input.clone());
            }
        }
        Sources { senders }
    }

    fn after(&self, placed: &Placed) -> Vec<Sender> {
        self.senders.get(placed).cloned().unwrap_or_default()
    }
}

struct Wiring {
    running: Running,
    metrics: Metrics,
    routes: BTreeMap<Placed, Route>,
    limits: Limits,
    /// Senders to the receivers that take refresh requests.
    refreshing: Vec<Sender>,
    give_up: CancellationToken,
}

impl Wiring {
    fn exporter(&mut self, planned: PlannedExporter, tasks: Tasks) {
        let (sender, queue) = sending::queue(&planned, &self.limits);
        let id = planned.id.to_string();
        let gauge = sender.gauge();
        let outbox = Outbox::new(
            format!("exporters/{id}"),
            planned.settings.sending_queue.outbox_size,
        );
        let counters = self
            .metrics
            .exporter(id, planned.accepts, (gauge.clone(), outbox.clone()));
        let placed = (Class::Exporter, planned.id);
        self.running.open.push(sender.clone());
        let queueing = &planned.settings.sending_queue;
        let consumers = sending::consumers(queueing, planned.exporter.as_ref());
        let at_once = planned.exporter.concurrency();
        let permits =
            (at_once <= Semaphore::MAX_PERMITS).then(|| Arc::new(Semaphore::new(at_once.max(1))));
        let route = Route {
            sender,
            block: queueing.block_on_overflow,
            ack_when_queued: !queueing.wait_for_result,
            optional: false,
            consumers,
            permits: permits.clone(),
            outbox: Some(outbox.clone()),
            counters: Some(counters.clone()),
        };
        let exporter: Arc<dyn Exporter> = Arc::from(planned.exporter);
        let name = name(&placed);
        let sending = Arc::new(Sending {
            name: name.clone(),
            exporter: exporter.clone(),
            settings: planned.settings,
            counters,
            permits,
            give_up: self.give_up.clone(),
        });
        let exporting = sending::export_outbox(sending.clone(), outbox.clone());
        let of_outbox = format!("{name} (outbox)");
        self.running
            .task_set
            .spawn(Stage::Consumers, of_outbox.clone(), exporting);
        self.running.outboxes.insert(of_outbox, outbox);
        let queue = Arc::new(Mutex::new(queue));
        let task_set = &mut self.running.task_set;
        for _ in 0..consumers {
            let work = sending::consume(sending.clone(), queue.clone());
            task_set.spawn(Stage::Consumers, name.clone(), work);
        }
        for (task, work) in tasks.spawned {
            let name = format!("{name} ({task})");
            task_set.spawn(Stage::Tasks, name, async { Ok(work.await?) });
        }
        self.routes.insert(placed, route);
        self.running.gauges.insert(name.clone(), gauge);
        self.running.exporters.push((name, exporter));
    }

    /// The queue of each pipeline. A pipeline with a signal accepts only that signal.
    fn inputs(&mut self, pipelines: &[PlannedPipeline]) -> Vec<(Sender, Queue)> {
        let mut inputs = Vec::with_capacity(pipelines.len());
        for pipeline in pipelines {
            let accepts = pipeline
                .signal
                .map_or(SignalSet::ALL, |signal| SignalSet::of(&[signal]));
            let name = format!("pipelines/{}", pipeline.id);
            inputs.push(self.channel(name, accepts));
        }
        inputs
    }

    /// The queue of each connector. A connector passes on the signals that it does not use, so it accepts
    /// all.
    fn connectors(&mut self, planned: Vec<PlannedConnector>) -> Vec<(PlannedConnector, Queue)> {
        let mut connectors = Vec::with_capacity(planned.len());
        for connector in planned {
            let placed = (Class::Connector, connector.id.clone());
            let (sender, queue) = self.channel(name(&placed), SignalSet::ALL);
            self.routes.insert(placed, plain_route(sender));
            connectors.push((connector, queue));
        }
        connectors
    }

    fn channel(&mut self, name: String, accepts: SignalSet) -> (Sender, Queue) {
        let (sender, queue) = channel(name.clone(), accepts, self.limits.pipeline_bytes);
        self.running.gauges.insert(name, sender.gauge());
        self.running.open.push(sender.clone());
        (sender, queue)
    }

    fn connector(
        &mut self,
        connector: PlannedConnector,
        queue: Queue,
        sources: &Sources,
    ) -> Result<(), EngineError> {
        let PlannedConnector { id, processor } = connector;
        let placed = (Class::Connector, id);
        let name = name(&placed);
        let link = Link {
            component: name.clone(),
            name: name.clone(),
            processor,
            counters: self.metrics.processor("", placed.1.to_string()),
        };
        let routes = sources
            .after(&placed)
            .into_iter()
            .map(plain_route)
            .collect();
        self.chain(name, vec![link], routes, queue)
    }

    fn pipeline(&mut self, pipeline: PlannedPipeline, queue: Queue) -> Result<(), EngineError> {
        let id = pipeline.id.to_string();
        info!(pipeline = %id, path = path(&pipeline), "runs");
        let mut links = Vec::with_capacity(pipeline.processors.len());
        for (processor_id, processor) in pipeline.processors {
            links.push(Link {
                component: format!("processors/{processor_id}"),
                name: format!("processors/{processor_id} of pipeline {id}"),
                processor,
                counters: self.metrics.processor(&id, processor_id.to_string()),
            });
        }
        let mut routes = Vec::with_capacity(pipeline.exporters.len());
        for placed in &pipeline.exporters {
            let Some(route) = self.routes.get(placed) else {
                return Err(EngineError::Missing {
                    pipeline: id,
                    component: name(placed),
                });
            };
            routes.push(route.clone());
        }
        routes.extend(self.refreshing.iter().cloned().map(refresh_route));
        let name = format!("pipelines/{id}");
        self.chain(name, links, routes, queue)
    }

    fn chain(
        &mut self,
        name: String,
        links: Vec<Link>,
        routes: Vec<Route>,
        queue: Queue,
    ) -> Result<(), EngineError> {
        let chain = Chain {
            name: name.clone(),
            links,
            routes,
            give_up: self.give_up.clone(),
        };
        let ended = chain::spawn(chain, queue)?;
        self.running.task_set.spawn(Stage::Chains, name, ended);
        Ok(())
    }
}

fn plain_route(sender: Sender) -> Route {
    Route {
        sender,
        block: false,
        ack_when_queued: false,
        optional: false,
        consumers: 1,
        permits: None,
        outbox: None,
        counters: None,
    }
}

/// From the end of a chain to a receiver that takes refresh requests. No sender waits for the refresh.
fn refresh_route(sender: Sender) -> Route {
    Route {
        ack_when_queued: true,
        optional: true,
        ..plain_route(sender)
    }
}

/// `otlp, aws → identity → graph → sqlite, kafka`.
fn path(pipeline: &PlannedPipeline) -> String {
    let placed = |placed: &[Placed]| {
        let ids: Vec<String> = placed.iter().map(|(_, id)| id.to_string()).collect();
        ids.join(", ")
    };
    let processors = pipeline.processors.iter().map(|(id, _)| id.to_string());
    let mut steps = vec![placed(&pipeline.receivers)];
    steps.extend(processors);
    steps.push(placed(&pipeline.exporters));
    steps.join(" → ")
}
