//! Built components and what leads where: all that the engine needs to run. Tests make one of
//! test doubles, [`super::Engine::build`] makes one of a topology.

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
    /// Where the own metrics are served.
    pub metrics_address: Option<SocketAddr>,
    pub limits: Limits,
    /// Ways to the receivers that look again when they are asked to.
    pub refreshing: Vec<Sender>,
    /// What components count for themselves.
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

/// A processor that ends some pipelines and begins others.
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
    /// What it takes from its receivers; none takes every signal.
    pub signal: Option<Signal>,
    /// Receivers, and connectors that lead here.
    pub receivers: Vec<Placed>,
    pub processors: Vec<(ComponentId, Box<dyn Processor>)>,
    /// Exporters, and connectors that lead away.
    pub exporters: Vec<Placed>,
}

/// Bounds of memory and of patience.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that may wait for a pipeline's first processor or for a connector.
    pub pipeline_bytes: usize,
    /// Bytes that may wait for one exporter, whatever its `queue_size` says.
    pub exporter_bytes: usize,
    /// How long a stop may take before what is left is refused.
    pub stop_within: Duration,
    /// How long what was refused may take to be told, after that.
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
