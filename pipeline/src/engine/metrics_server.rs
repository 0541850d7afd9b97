//! Serves airdig's own metrics at `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::error::EngineError;
use super::metrics::EngineMetrics;
use crate::component::RunError;

/// The content type of Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Binds the address of the metrics.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, EngineError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| EngineError::Metrics { address, source })
}

/// Serves the metrics until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    metrics: Arc<EngineMetrics>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let text = move || {
        let metrics = metrics.clone();
        async move { ([(header::CONTENT_TYPE, TEXT)], metrics.render()) }
    };
    let router = Router::new().route("/metrics", get(text));
    let serving = axum::serve(listener, router).into_future();
    // Scrapers keep connections open. Closing them at the stop loses no data.
    tokio::select! {
        served = serving => served.map_err(|error| RunError::because("serving metrics", error)),
        () = stop.cancelled() => Ok(()),
    }
}
