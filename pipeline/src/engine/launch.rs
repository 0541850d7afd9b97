//! Starts the tasks of all components, with the channels and queues between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::build::component_name;
use super::chain::{self, ProcessorChain};
use super::error::EngineError;
use super::link::Link;
use super::metrics::EngineMetrics;
use super::metrics_server;
use super::outbox::Outbox;
use super::plan::{Limits, Plan, PlannedConnector, PlannedExporter, PlannedPipeline};
use super::route::Route;
use super::sending::{self, ExporterSender};
use super::start::Started;
use super::task_set::{StopStage, TaskSet};
use crate::SignalSet;
use crate::channel::{Gauge, Output, Queue, Sender, channel};
use crate::component::{Exporter, Tasks};
use crate::registry::ComponentClass;
use crate::topology::ComponentKey;

/// The tokens that stop the running tasks.
#[derive(Default)]
pub(super) struct StopTokens {
    pub(super) receivers: CancellationToken,
    /// Cancelled at the shutdown deadline: batches that components still hold are refused.
    pub(super) give_up: CancellationToken,
    pub(super) tasks: CancellationToken,
    pub(super) extensions: CancellationToken,
}

/// The running tasks, and what the engine needs to stop them.
pub(super) struct RunningTasks {
    pub(super) task_set: TaskSet,
    /// The exporters that the engine has not stopped yet.
    pub(super) exporters: Vec<(String, Arc<dyn Exporter>)>,
    /// The gauge of each queue, by the name of the component that consumes it.
    pub(super) gauges: BTreeMap<String, Gauge>,
    /// The outboxes, by the names of the tasks that export them.
    pub(super) outboxes: BTreeMap<String, Outbox>,
    /// Senders that keep all queues open until the stop, even a queue to which no component sends.
    pub(super) keep_open: Vec<Sender>,
}

/// Starts all tasks, from the exporters to the receivers, so that a consumer runs before its producers.
pub(super) fn launch(
    plan: Plan,
    started: Started,
    stops: &StopTokens,
) -> Result<RunningTasks, EngineError> {
    let mut wiring = Wiring {
        running: RunningTasks {
            task_set: TaskSet::default(),
            exporters: Vec::new(),
            gauges: BTreeMap::new(),
            outboxes: BTreeMap::new(),
            keep_open: Vec::new(),
        },
        metrics: EngineMetrics::new(plan.metrics),
        routes: BTreeMap::new(),
        limits: plan.limits,
        refresh_senders: plan.refresh_senders,
        give_up: stops.give_up.clone(),
    };
    for (planned, tasks) in plan.exporters.into_iter().zip(started.tasks) {
        wiring.exporter(planned, tasks);
    }
    let inputs = wiring.inputs(&plan.pipelines);
    let (inputs, queues): (Vec<Sender>, Vec<Queue>) = inputs.into_iter().unzip();
    let connectors = wiring.connectors(plan.connectors);
    let outputs = PipelineSenders::new(&plan.pipelines, inputs);
    for (connector, queue) in connectors {
        wiring.connector(connector, queue, &outputs)?;
    }
    for (pipeline, queue) in plan.pipelines.into_iter().zip(queues) {
        wiring.pipeline(pipeline, queue)?;
    }
    for planned in plan.receivers {
        let key = (ComponentClass::Receiver, planned.id);
        let senders = outputs.of(&key);
        let signals = SignalSet::ALL.iter().filter(|signal| {
            let mut senders = senders.iter();
            senders.any(|sender| sender.accepts(*signal))
        });
        let signals: Vec<_> = signals.collect();
        let counters = wiring
            .metrics
            .receiver(key.1.to_string(), SignalSet::of(&signals));
        let output = Output::counted(senders, counters);
        let run = planned.receiver.run(output, stops.receivers.clone());
        let task_set = &mut wiring.running.task_set;
        task_set.spawn(StopStage::Receivers, component_name(&key), async {
            Ok(run.await?)
        });
    }
    for planned in plan.extensions {
        let run = planned.extension.run(stops.extensions.clone());
        let name = format!("extensions/{}", planned.id);
        let task_set = &mut wiring.running.task_set;
        task_set.spawn(StopStage::Extensions, name, async { Ok(run.await?) });
    }
    let mut running = wiring.running;
    if let Some(listener) = started.metrics {
        let serve =
            metrics_server::serve(listener, Arc::new(wiring.metrics), stops.extensions.clone());
        let name = "service/telemetry".to_owned();
        running
            .task_set
            .spawn(StopStage::Extensions, name, async { Ok(serve.await?) });
    }
    Ok(running)
}

/// For each receiver and connector, a sender to each of its pipelines. These are dropped after the launch, so that a
/// queue closes when the last component that sends to it ends.
struct PipelineSenders {
    senders: BTreeMap<ComponentKey, Vec<Sender>>,
}

impl PipelineSenders {
    fn new(pipelines: &[PlannedPipeline], inputs: Vec<Sender>) -> PipelineSenders {
        let mut senders: BTreeMap<ComponentKey, Vec<Sender>> = BTreeMap::new();
        for (pipeline, input) in pipelines.iter().zip(inputs) {
            for receiver in &pipeline.receivers {
                let pipelines: &mut Vec<Sender> = senders.entry(receiver.clone()).or_default();
                pipelines.push(input.clone());
            }
        }
        PipelineSenders { senders }
    }

    fn of(&self, key: &ComponentKey) -> Vec<Sender> {
        self.senders.get(key).cloned().unwrap_or_default()
    }
}

/// The state of the launch.
struct Wiring {
    running: RunningTasks,
    metrics: EngineMetrics,
    /// The routes to exporters and connectors.
    routes: BTreeMap<ComponentKey, Route>,
    limits: Limits,
    /// Senders to the receivers that accept refresh requests.
    refresh_senders: Vec<Sender>,
    give_up: CancellationToken,
}

impl Wiring {
    /// Starts the consumers of an exporter's queue and outbox, and its background tasks.
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
        let key = (ComponentClass::Exporter, planned.id);
        self.running.keep_open.push(sender.clone());
        let queueing = &planned.settings.sending_queue;
        let consumers = sending::consumers(queueing, planned.exporter.as_ref());
        let concurrency = planned.exporter.concurrency();
        let permits = (concurrency <= Semaphore::MAX_PERMITS)
            .then(|| Arc::new(Semaphore::new(concurrency.max(1))));
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
        let name = component_name(&key);
        let exporter_sender = Arc::new(ExporterSender {
            name: name.clone(),
            exporter: exporter.clone(),
            settings: planned.settings,
            counters,
            permits,
            give_up: self.give_up.clone(),
        });
        let exporting = sending::export_outbox(exporter_sender.clone(), outbox.clone());
        let outbox_task = format!("{name} (outbox)");
        self.running
            .task_set
            .spawn(StopStage::Consumers, outbox_task.clone(), exporting);
        self.running.outboxes.insert(outbox_task, outbox);
        let queue = Arc::new(Mutex::new(queue));
        let task_set = &mut self.running.task_set;
        for _ in 0..consumers {
            let work = sending::consume(exporter_sender.clone(), queue.clone());
            task_set.spawn(StopStage::Consumers, name.clone(), work);
        }
        for (task, work) in tasks.spawned {
            let name = format!("{name} ({task})");
            task_set.spawn(StopStage::Tasks, name, async { Ok(work.await?) });
        }
        self.routes.insert(key, route);
        self.running.gauges.insert(name.clone(), gauge);
        self.running.exporters.push((name, exporter));
    }

    /// Makes the queue of each pipeline. A pipeline with a signal accepts only that signal.
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

    /// Makes the queue of each connector. A connector accepts all signals, since it may pass on signals that it does
    /// not process.
    fn connectors(&mut self, planned: Vec<PlannedConnector>) -> Vec<(PlannedConnector, Queue)> {
        let mut connectors = Vec::with_capacity(planned.len());
        for connector in planned {
            let key = (ComponentClass::Connector, connector.id.clone());
            let (sender, queue) = self.channel(component_name(&key), SignalSet::ALL);
            self.routes.insert(key, plain_route(sender));
            connectors.push((connector, queue));
        }
        connectors
    }

    /// Makes the queue of a pipeline or connector.
    fn channel(&mut self, name: String, accepts: SignalSet) -> (Sender, Queue) {
        let (sender, queue) = channel(name.clone(), accepts, self.limits.pipeline_bytes);
        self.running.gauges.insert(name, sender.gauge());
        self.running.keep_open.push(sender.clone());
        (sender, queue)
    }

    /// Starts the thread of a connector.
    fn connector(
        &mut self,
        connector: PlannedConnector,
        queue: Queue,
        outputs: &PipelineSenders,
    ) -> Result<(), EngineError> {
        let PlannedConnector { id, processor } = connector;
        let key = (ComponentClass::Connector, id);
        let name = component_name(&key);
        let link = Link {
            component: name.clone(),
            name: name.clone(),
            processor,
            counters: self.metrics.processor("", key.1.to_string()),
        };
        let routes = outputs.of(&key).into_iter().map(plain_route).collect();
        self.chain(name, vec![link], routes, queue)
    }

    /// Starts the thread of a pipeline.
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
        for key in &pipeline.exporters {
            let Some(route) = self.routes.get(key) else {
                return Err(EngineError::Missing {
                    pipeline: id,
                    component: component_name(key),
                });
            };
            routes.push(route.clone());
        }
        routes.extend(self.refresh_senders.iter().cloned().map(refresh_route));
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
        let chain = ProcessorChain {
            name: name.clone(),
            links,
            routes,
            give_up: self.give_up.clone(),
        };
        let ended = chain::spawn(chain, queue)?;
        self.running.task_set.spawn(StopStage::Chains, name, ended);
        Ok(())
    }
}

/// A route to the queue of a connector or pipeline.
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

/// A route from the end of a pipeline to a receiver that accepts refresh requests. No sender waits for the refresh.
fn refresh_route(sender: Sender) -> Route {
    Route {
        ack_when_queued: true,
        optional: true,
        ..plain_route(sender)
    }
}

/// The components of a pipeline for the log: `otlp, aws → identity → graph → sqlite, kafka`.
fn path(pipeline: &PlannedPipeline) -> String {
    let ids_of = |keys: &[ComponentKey]| {
        let ids: Vec<String> = keys.iter().map(|(_, id)| id.to_string()).collect();
        ids.join(", ")
    };
    let processors = pipeline.processors.iter().map(|(id, _)| id.to_string());
    let mut steps = vec![ids_of(&pipeline.receivers)];
    steps.extend(processors);
    steps.push(ids_of(&pipeline.exporters));
    steps.join(" → ")
}
