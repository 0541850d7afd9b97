//! Errors of building, starting, running and stopping the engine.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::component::{RunError, StartError};
use crate::registry::FactoryError;

/// An error of the engine. Each variant names the component: `receivers/otlp`, `processors/graph of pipeline
/// unified`.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("unknown type of {component}")]
    UnknownType { component: String },
    #[error("cannot build {component}")]
    Build {
        component: String,
        source: FactoryError,
    },
    #[error("pipelines/{pipeline} names {component}, which was not built")]
    Missing { pipeline: String, component: String },
    #[error("cannot start {component}")]
    Start {
        component: String,
        source: StartError,
    },
    #[error(
        "cannot serve metrics on {address}; set service::telemetry::metrics::address to a free address"
    )]
    Metrics {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("cannot start a thread for {component}")]
    Thread {
        component: String,
        source: std::io::Error,
    },
    #[error("{component} failed")]
    Failed { component: String, source: RunError },
    #[error("{component} ended")]
    Ended { component: String },
    #[error("{component} panicked: {message}")]
    Panicked { component: String, message: String },
    #[error("not finished within {}: {}", humantime::format_duration(*within), list(components))]
    Unfinished {
        within: Duration,
        components: Vec<UnfinishedComponent>,
    },
    /// A component failed, and other components then did not stop in time.
    #[error("{cause}; then {unfinished}")]
    FailedUnfinished {
        #[source]
        cause: Box<EngineError>,
        unfinished: Box<EngineError>,
    },
}

/// A component that did not finish before the shutdown deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedComponent {
    pub component: String,
    /// The number of batches that it still held. The engine refused them.
    pub batches: usize,
}

impl fmt::Display for UnfinishedComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.batches {
            0 => f.write_str(&self.component),
            1 => write!(f, "{} (1 batch)", self.component),
            batches => write!(f, "{} ({batches} batches)", self.component),
        }
    }
}

fn list(components: &[UnfinishedComponent]) -> String {
    let names: Vec<String> = components
        .iter()
        .map(UnfinishedComponent::to_string)
        .collect();
    names.join(", ")
}
