//! HTTP and WebSockets.

use std::sync::Arc;

use async_graphql::http::ALL_WEBSOCKET_PROTOCOLS;
use async_graphql::{Executor, Request, Response};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Query, State};
use axum::http::{StatusCode, header, request::Parts};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::get;
use axum::{Json, Router};
use pipeline::component::RunError;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::bounds::BoundedSchema;
use super::hosts::{AllowedHosts, check_host};

/// Bytes of a query with its variables: of a body, of a message of a WebSocket.
const LARGEST: usize = 256 << 10;

/// WebSockets that are open at once.
const SOCKETS: usize = 1024;

#[derive(Clone)]
struct Served {
    schema: BoundedSchema,
    sockets: Arc<Semaphore>,
    stop: CancellationToken,
}

pub(super) fn router(
    schema: BoundedSchema,
    hosts: AllowedHosts,
    stop: CancellationToken,
) -> Router {
    let served = Served {
        schema,
        sockets: Arc::new(Semaphore::new(SOCKETS)),
        stop,
    };
    Router::new()
        .route("/graphql", get(ask).post(answer))
        .route("/schema.graphql", get(schema_text))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(from_fn_with_state(Arc::new(hosts), check_host))
        .with_state(served)
}

/// Serves until `stop`, and then what was asked before it.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> Result<(), RunError> {
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .map_err(|error| RunError::because("serve GraphQL", error))
}

async fn answer(State(served): State<Served>, Json(request): Json<Request>) -> Json<Response> {
    Json(served.schema.execute(request).await)
}

async fn schema_text(State(served): State<Served>) -> impl IntoResponse {
    let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (text, served.schema.sdl())
}

/// A query in the address.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    query: String,
    operation_name: Option<String>,
    variables: Option<String>,
}

/// A query in the address, or a WebSocket.
async fn ask(State(served): State<Served>, mut parts: Parts) -> HttpResponse {
    if parts.headers.contains_key(header::UPGRADE) {
        return upgrade(served, &mut parts).await;
    }
    let Ok(Query(asked)) = Query::<Asked>::try_from_uri(&parts.uri) else {
        let told = "ask with POST and JSON, or with ?query=; the schema is at /schema.graphql";
        return (StatusCode::BAD_REQUEST, told).into_response();
    };
    let mut request = Request::new(asked.query);
    if let Some(name) = asked.operation_name {
        request = request.operation_name(name);
    }
    if let Some(variables) = asked.variables {
        match serde_json::from_str(&variables) {
            Ok(variables) => {
                request = request.variables(async_graphql::Variables::from_json(variables));
            }
            Err(error) => {
                let told = format!("variables are no JSON: {error}");
                return (StatusCode::BAD_REQUEST, told).into_response();
            }
        }
    }
    Json(served.schema.execute(request).await).into_response()
}

/// Whether a browser asks for a page of another site, which could then read the graph. (A POST of
/// JSON needs that site to be allowed; a WebSocket does not.)
fn is_foreign(parts: &Parts) -> bool {
    let header = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let Some(origin) = header(header::ORIGIN) else {
        return false;
    };
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    header(header::HOST) != Some(host)
}

async fn upgrade(served: Served, parts: &mut Parts) -> HttpResponse {
    if is_foreign(parts) {
        let told = "a page of another site may not open a WebSocket here";
        return (StatusCode::FORBIDDEN, told).into_response();
    }
    let Ok(protocol) = GraphQLProtocol::from_request_parts(parts, &served).await else {
        let told = "a WebSocket must ask for the protocol graphql-transport-ws";
        return (StatusCode::BAD_REQUEST, told).into_response();
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(parts, &served).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(place) = served.sockets.clone().try_acquire_owned() else {
        let told = format!("{SOCKETS} WebSockets are open already");
        return (StatusCode::SERVICE_UNAVAILABLE, told).into_response();
    };
    upgrade
        .protocols(ALL_WEBSOCKET_PROTOCOLS)
        .max_message_size(LARGEST)
        .on_upgrade(async move |socket| {
            let talk = GraphQLWebSocket::new(socket, served.schema.for_socket(), protocol).serve();
            tokio::select! {
                () = talk => {}
                () = served.stop.cancelled() => {}
            }
            drop(place);
        })
}
