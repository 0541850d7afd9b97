//! The plan: the built components and their connections. Tests make a plan of test doubles;
//! [`super::Engine::build`] makes one of a topology.

use std::net::SocketAddr;
use std::time::Duration;

use crate::channel::Sender;
use crate::component::{ComponentId, Exporter, Extension, Processor, Receiver};
use crate::counters::ComponentMetrics;
use crate::exporter_settings::ExporterSettings;
use crate::topology::ComponentKey;
use crate::{Signal, SignalSet};

/// The input of the engine: built components and their connections. The components of a class start in the order of
/// their vector.
#[derive(Default)]
pub struct Plan {
    pub extensions: Vec<PlannedExtension>,
    pub exporters: Vec<PlannedExporter>,
    pub connectors: Vec<PlannedConnector>,
    pub receivers: Vec<PlannedReceiver>,
    pub pipelines: Vec<PlannedPipeline>,
    /// The address on which airdig's own metrics are served.
    pub metrics_address: Option<SocketAddr>,
    pub limits: Limits,
    /// Senders to the receivers that accept refresh requests.
    pub refresh_senders: Vec<Sender>,
    /// The metrics that components register.
    pub metrics: ComponentMetrics,
}

/// A built extension.
pub struct PlannedExtension {
    pub id: ComponentId,
    pub extension: Box<dyn Extension>,
}

/// A built exporter with its settings.
pub struct PlannedExporter {
    pub id: ComponentId,
    pub exporter: Box<dyn Exporter>,
    pub accepts: SignalSet,
    pub settings: ExporterSettings,
}

/// A built processor that is an exporter of some pipelines and a receiver of others.
pub struct PlannedConnector {
    pub id: ComponentId,
    pub processor: Box<dyn Processor>,
}

/// A built receiver.
pub struct PlannedReceiver {
    pub id: ComponentId,
    pub receiver: Box<dyn Receiver>,
}

/// A pipeline with its built processors.
pub struct PlannedPipeline {
    pub id: ComponentId,
    /// The only signal that the pipeline accepts from its receivers; `None` if it accepts all signals.
    pub signal: Option<Signal>,
    /// Receivers, and connectors that send to this pipeline.
    pub receivers: Vec<ComponentKey>,
    pub processors: Vec<(ComponentId, Box<dyn Processor>)>,
    /// Exporters, and connectors that receive from this pipeline.
    pub exporters: Vec<ComponentKey>,
}

/// Limits of the memory of queues, and of the duration of a stop.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Capacity in bytes of the queue of a pipeline or connector.
    pub pipeline_bytes: usize,
    /// Capacity in bytes of the queue of an exporter, whatever its `queue_size` is.
    pub exporter_bytes: usize,
    /// How long a stop may take before the remaining batches are refused.
    pub stop_within: Duration,
    /// How long each stage of the stop may take after that, for example receivers that send the refusals.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            pipeline_bytes: 32 << 20,
            exporter_bytes: 64 << 20,
            stop_within: Duration::from_secs(30),
            grace: Duration::from_secs(1),
        }
    }
}
