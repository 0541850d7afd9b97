//! The checked graph of a configuration: its components, and how pipelines connect them.
//!
//! ```text
//!  YamlNode ─ sections ─▶ components ─ pipelines ─▶ resolved ids ─ flow, order ─▶ Topology
//!             └──────────────┴───────── check: reports all problems ──────┴─▶ Vec<Problem>
//! ```

use std::collections::BTreeMap;

use crate::component::ComponentId;
use crate::config::YamlNode;
use crate::exporter_settings::ExporterSettings;
use crate::registry::{ComponentClass, ComponentSignals};
use crate::{Signal, SignalSet};

mod check;
mod flow;
mod order;
mod pipelines;
mod sections;
#[cfg(test)]
mod tests;

pub use check::check;

/// Identifies a component: ids are unique within their section only.
pub type ComponentKey = (ComponentClass, ComponentId);

/// A configuration that passed all checks that are possible without building components.
#[derive(Debug)]
pub struct Topology {
    /// Each component that a pipeline or `service.extensions` names.
    pub components: BTreeMap<ComponentKey, ComponentSpec>,
    /// Extensions, exporters, connectors, processors, receivers. A store comes before the components that name it.
    pub build_order: Vec<ComponentKey>,
    pub pipelines: Vec<Pipeline>,
    /// `service.telemetry`.
    pub telemetry: Telemetry,
    /// Warnings, such as a component that no pipeline names or a signal that no component accepts.
    pub notes: Vec<String>,
}

/// A component to build.
#[derive(Debug)]
pub struct ComponentSpec {
    /// The configuration of the component, without the settings that all exporters share.
    pub config: YamlNode,
    /// The signals that it accepts and produces with this configuration.
    pub signals: ComponentSignals,
    /// The signals that components after it accept.
    pub accepted_downstream: SignalSet,
    /// The settings that all exporters share; `None` for other components.
    pub settings: Option<ExporterSettings>,
}

/// One pipeline, with the signals that pass through it.
#[derive(Debug)]
pub struct Pipeline {
    /// The id in the file: `traces/web`, `unified`.
    pub id: ComponentId,
    /// The only signal that the pipeline accepts from its receivers; `None` if it accepts all signals.
    pub signal: Option<Signal>,
    /// Receivers, and connectors that send to this pipeline.
    pub receivers: Vec<ComponentKey>,
    /// In order. Each pipeline has its own instance of a processor.
    pub processors: Vec<ComponentId>,
    /// Exporters, and connectors that receive from this pipeline.
    pub exporters: Vec<ComponentKey>,
    /// The signals that components after each processor accept, in the processors' order.
    pub accepted_after: Vec<SignalSet>,
    /// The signals that arrive from its receivers at the first processor.
    pub enters: SignalSet,
    /// The signals that leave each processor, in the processors' order.
    pub signals_after: Vec<SignalSet>,
}

impl Pipeline {
    /// The signals that leave the last processor.
    pub fn leaves(&self) -> SignalSet {
        self.signals_after.last().copied().unwrap_or(self.enters)
    }
}

/// `service.telemetry`: airdig's own logs and metrics.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    /// `service.telemetry.logs.level`.
    pub log_level: Option<String>,
    /// `service.telemetry.metrics.address`: the address at which airdig serves its own metrics.
    pub metrics_address: Option<std::net::SocketAddr>,
}
