//! Runs a checked topology: tasks, queues, retries, acknowledgements, shutdown.
//!
//! ```text
//!  receivers ──channel──▶ chain of processors ──routes─┬─queue──▶ consumers of an exporter
//!  tasks        32 MiB    one thread a pipeline        │ 64 MiB   tasks: timeout, retry
//!                                                      ├─outbox─▶ a task that exports rows for which no sender waits
//!                                                      └─channel▶ chain of a connector
//! ```
//!
//! [`Engine::build`] converts a topology to a [`Plan`]. [`Engine::run`] starts the plan, and stops it on shutdown or
//! when a component fails.

mod build;
mod chain;
mod error;
mod launch;
mod link;
mod loading;
pub mod metrics;
mod metrics_server;
mod outbox;
mod plan;
mod process_usage;
mod route;
mod run;
mod sending;
mod start;
mod task_set;

#[cfg(test)]
mod tests;

pub use error::{EngineError, UnfinishedComponent};
pub use plan::{
    Limits, Plan, PlannedConnector, PlannedExporter, PlannedExtension, PlannedPipeline,
    PlannedReceiver,
};
pub use run::Engine;
