//! Starts components: extensions, exporters, processors, then receivers. Logs the addresses on which they listen. All
//! sockets are bound and all files are opened before any component runs.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::error::EngineError;
use super::metrics_server;
use super::plan::Plan;
use super::task_set::TaskFailure;
use crate::component::{ListenAddress, StartError, Tasks};

/// The result of starting all components.
pub(super) struct Started {
    /// The background tasks of the exporters, in the order of the plan.
    pub(super) tasks: Vec<Tasks>,
    /// The listener for airdig's own metrics.
    pub(super) metrics: Option<tokio::net::TcpListener>,
}

/// Starts all components of the plan. `stop_tasks` is cancelled when background tasks must return.
pub(super) async fn start(
    plan: &mut Plan,
    stop_tasks: &CancellationToken,
) -> Result<Started, EngineError> {
    for planned in &mut plan.extensions {
        let name = format!("extensions/{}", planned.id);
        start_component(&name, planned.extension.start()).await?;
    }
    let mut tasks = Vec::with_capacity(plan.exporters.len());
    for planned in &mut plan.exporters {
        let name = format!("exporters/{}", planned.id);
        let mut exporter_tasks = Tasks::new(stop_tasks.clone());
        start_component(&name, planned.exporter.start(&mut exporter_tasks)).await?;
        tasks.push(exporter_tasks);
    }
    let metrics = match plan.metrics_address {
        None => None,
        Some(address) => {
            let listener = metrics_server::bind(address).await?;
            let address = listener.local_addr().unwrap_or(address);
            info!(component = "service/telemetry", protocol = "http", %address, "listening");
            Some(listener)
        }
    };
    for planned in &mut plan.connectors {
        let name = format!("connectors/{}", planned.id);
        start_component(&name, not_listening(planned.processor.start())).await?;
    }
    for pipeline in &mut plan.pipelines {
        for (id, processor) in &mut pipeline.processors {
            let name = format!("processors/{id} of pipeline {}", pipeline.id);
            start_component(&name, not_listening(processor.start())).await?;
        }
    }
    for planned in &mut plan.receivers {
        let name = format!("receivers/{}", planned.id);
        start_component(&name, planned.receiver.start()).await?;
    }
    Ok(Started { tasks, metrics })
}

/// Starts a component that does not listen.
async fn not_listening(
    start: impl Future<Output = Result<(), StartError>>,
) -> Result<Vec<ListenAddress>, StartError> {
    start.await.map(|()| Vec::new())
}

/// Waits for the start of one component and logs its addresses. Converts a panic to an error.
async fn start_component(
    component: &str,
    start: impl Future<Output = Result<Vec<ListenAddress>, StartError>>,
) -> Result<(), EngineError> {
    let started = AssertUnwindSafe(start).catch_unwind().await;
    let listening = started
        .map_err(|panic| {
            TaskFailure::panicked(None, panic.as_ref()).into_error(component.to_owned())
        })?
        .map_err(|source| EngineError::Start {
            component: component.to_owned(),
            source,
        })?;
    for ListenAddress { protocol, address } in listening {
        info!(component, protocol, %address, "listening");
    }
    Ok(())
}
