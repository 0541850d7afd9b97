//! Serves airdig's own metrics at `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::component::RunError;
use crate::engine::error::EngineError;
use crate::engine::metrics::Metrics;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(in crate::engine) async fn bind(address: SocketAddr) -> Result<TcpListener, EngineError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| EngineError::Metrics { address, source })
}

pub(in crate::engine) async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let text = move || {
        let metrics = metrics.clone();
        async move { ([(header::CONTENT_TYPE, TEXT)], metrics.render()) }
    };
    let router = Router::new().route("/metrics", get(text));
    let serving = axum::serve(listener, router).into_future();
    // Scrapers keep connections open; cutting them on stop loses no data.
    tokio::select! {
        served = serving => served.map_err(|error| RunError::because("serving own metrics", error)),
        () = stop.cancelled() => Ok(()),
    }
}
