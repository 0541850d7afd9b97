//! The plan: built components and how they are connected, all that the engine needs to run. Tests make a plan
//! of test doubles, [`super::Engine::build`] makes one of a topology.

use std::net::SocketAddr;
use std::time::Duration;

use super::settings::ExporterSettings;
use crate::channel::Sender;
use crate::component::{ComponentId, Exporter, Extension, Processor, Receiver};
use crate::counters::OwnCounters;
use crate::topology::Placed;
use crate::{Signal, SignalSet};

#[derive(Default)]
pub struct Plan {
    /// Each class in the order in which its components start.
    pub extensions: Vec<PlannedExtension>,
    pub exporters: Vec<PlannedExporter>,
    pub connectors: Vec<PlannedConnector>,
    pub receivers: Vec<PlannedReceiver>,
    pub pipelines: Vec<PlannedPipeline>,
    /// The address on which airdig's own metrics are served.
    pub metrics_address: Option<SocketAddr>,
    pub limits: Limits,
    /// Senders to the receivers that take refresh requests.
    pub refreshing: Vec<Sender>,
    /// The metrics that components register themselves.
    pub counters: OwnCounters,
}

pub struct PlannedExtension {
    pub id: ComponentId,
    pub extension: Box<dyn Extension>,
}

pub struct PlannedExporter {
    pub id: ComponentId,
    pub exporter: Box<dyn Exporter>,
    pub accepts: SignalSet,
    pub settings: ExporterSettings,
}

/// A processor that is an exporter of some pipelines and a receiver of others.
pub struct PlannedConnector {
    pub id: ComponentId,
    pub processor: Box<dyn Processor>,
}

pub struct PlannedReceiver {
    pub id: ComponentId,
    pub receiver: Box<dyn Receiver>,
}

pub struct PlannedPipeline {
    pub id: ComponentId,
    /// The signal that it takes from its receivers; none takes every signal.
    pub signal: Option<Signal>,
    /// Receivers, and connectors that lead here.
    pub receivers: Vec<Placed>,
    pub processors: Vec<(ComponentId, Box<dyn Processor>)>,
    /// Exporters, and connectors that lead away.
    pub exporters: Vec<Placed>,
}

/// Limits of memory and of the time that a stop takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Capacity in bytes of the queue of a pipeline or connector.
    pub pipeline_bytes: usize,
    /// Capacity in bytes of the queue of an exporter, whatever its `queue_size` is.
    pub exporter_bytes: usize,
    /// How long a stop may take before the remaining batches are refused.
    pub stop_within: Duration,
    /// How long receivers may take after that to reply with the refusals.
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
