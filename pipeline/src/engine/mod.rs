//! Runs a checked topology: tasks, queues, retries, acknowledgements, shutdown.
//!
//! ```text
//!  receivers ──channel──▶ chain of processors ──queue──▶ consumers of an exporter
//!  tasks        32 MiB    one thread a pipeline  64 MiB   tasks: timeout, retry
//!                                           ──outbox─▶ rows for which no sender waits
//! ```
//!
//! [`Engine::build`] makes a [`Plan`] of a topology; [`Engine::run`] starts it, and stops it on shutdown or
//! when a component fails.

mod build;
mod chain;
mod crew;
mod error;
mod exit;
mod launch;
mod loading;
pub mod metrics;
mod outbox;
mod plan;
mod run;
mod sending;
pub mod settings;
mod start;
mod telemetry;

#[cfg(test)]
mod tests;

pub use error::{EngineError, Left};
pub use plan::{
    Limits, Plan, PlannedConnector, PlannedExporter, PlannedExtension, PlannedPipeline,
    PlannedReceiver,
};
pub use run::Engine;
