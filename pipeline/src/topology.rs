//! The checked graph of a file: which components there are, and what leads where.

use std::collections::BTreeMap;

use crate::component::ComponentId;
use crate::config::Node;
use crate::engine::settings::ExporterSettings;
use crate::registry::{Class, Signals};
use crate::{Signal, SignalSet};

mod check;
mod flow;
mod order;
mod pipelines;
mod sections;
#[cfg(test)]
mod tests;

pub use check::check;

/// A component of one section: ids are unique within their section only.
pub type Placed = (Class, ComponentId);

/// What a file asks for, with everything checked that can be without building it.
#[derive(Debug)]
pub struct Topology {
    /// Each component that a pipeline or `service.extensions` names.
    pub components: BTreeMap<Placed, Declared>,
    /// Extensions first, then from exporters to receivers; a store before those that name it.
    pub build_order: Vec<Placed>,
    pub pipelines: Vec<Pipeline>,
    /// `service.telemetry`.
    pub telemetry: Telemetry,
    /// What is worth saying but no mistake: a component that nothing names, a signal that a
    /// component can make and nobody after it accepts.
    pub notes: Vec<String>,
}

/// A component that is to be built.
#[derive(Debug)]
pub struct Declared {
    /// Its own configuration, without the settings that every exporter has.
    pub config: Node,
    /// What goes into it and comes out, with this configuration.
    pub signals: Signals,
    /// What somebody after it accepts.
    pub wanted: SignalSet,
    /// Only of exporters.
    pub settings: Option<ExporterSettings>,
}

/// One pipeline.
#[derive(Debug)]
pub struct Pipeline {
    /// As written: `traces/web`, `unified`.
    pub id: ComponentId,
    /// What it takes from its receivers; none takes every signal.
    pub signal: Option<Signal>,
    /// Receivers, and connectors that lead here.
    pub receivers: Vec<Placed>,
    /// In order. A processor is built once a pipeline.
    pub processors: Vec<ComponentId>,
    /// Exporters, and connectors that lead away.
    pub exporters: Vec<Placed>,
    /// What each processor's successors accept, in the processors' order.
    pub wanted: Vec<SignalSet>,
    /// What its receivers bring: what enters the first processor.
    pub enters: SignalSet,
    /// What leaves each processor, in the processors' order.
    pub after: Vec<SignalSet>,
}

impl Pipeline {
    /// What leaves the last processor.
    pub fn leaves(&self) -> SignalSet {
        self.after.last().copied().unwrap_or(self.enters)
    }
}

/// `service.telemetry`: how airdig tells of itself.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    /// `service.telemetry.logs.level`.
    pub log_level: Option<String>,
    /// `service.telemetry.metrics.address`, where the own metrics are served.
    pub metrics_address: Option<std::net::SocketAddr>,
}
