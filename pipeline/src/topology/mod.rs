//! The checked graph of a configuration: its components, and how pipelines connect them.

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

/// A configuration, with everything checked that can be checked without building components.
#[derive(Debug)]
pub struct Topology {
    /// Each component that a pipeline or `service.extensions` names.
    pub components: BTreeMap<Placed, Declared>,
    /// Extensions first, then from exporters to receivers; a store before the components that name it.
    pub build_order: Vec<Placed>,
    pub pipelines: Vec<Pipeline>,
    /// `service.telemetry`.
    pub telemetry: Telemetry,
    /// Warnings: a component that no pipeline names, a signal that no component accepts.
    pub notes: Vec<String>,
}

/// A component to build.
#[derive(Debug)]
pub struct Declared {
    /// Its own configuration, without the settings that every exporter has.
    pub config: Node,
    /// The signals that it accepts and produces with this configuration.
    pub signals: Signals,
    /// The signals that components after it accept.
    pub wanted: SignalSet,
    /// Only of exporters.
    pub settings: Option<ExporterSettings>,
}

/// One pipeline.
#[derive(Debug)]
pub struct Pipeline {
    /// As written: `traces/web`, `unified`.
    pub id: ComponentId,
    /// The signal that it takes from its receivers; none takes every signal.
    pub signal: Option<Signal>,
    /// Receivers, and connectors that lead here.
    pub receivers: Vec<Placed>,
    /// In order. A processor is built once a pipeline.
    pub processors: Vec<ComponentId>,
    /// Exporters, and connectors that lead away.
    pub exporters: Vec<Placed>,
    /// The signals that components after each processor accept, in the processors' order.
    pub wanted: Vec<SignalSet>,
    /// The signals from its receivers, which enter the first processor.
    pub enters: SignalSet,
    /// The signals that leave each processor, in the processors' order.
    pub after: Vec<SignalSet>,
}

impl Pipeline {
    /// The signals that leave the last processor.
    pub fn leaves(&self) -> SignalSet {
        self.after.last().copied().unwrap_or(self.enters)
    }
}

/// `service.telemetry`: airdig's own logs and metrics.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    /// `service.telemetry.logs.level`.
    pub log_level: Option<String>,
    /// `service.telemetry.metrics.address`, where airdig's own metrics are served.
    pub metrics_address: Option<std::net::SocketAddr>,
}
