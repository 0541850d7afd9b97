//! Serves GraphQL over HTTP and WebSockets.

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

/// The largest query with its variables, in bytes: an HTTP body or one message of a WebSocket.
const MAX_REQUEST_BYTES: usize = 256 << 10;

/// The maximum number of open WebSockets.
const MAX_SOCKETS: usize = 1024;

#[derive(Clone)]
struct ServerState {
    schema: BoundedSchema,
    sockets: Arc<Semaphore>,
    stop: CancellationToken,
}

/// The routes, with the checks of hosts and body sizes.
pub(super) fn router(
    schema: BoundedSchema,
    hosts: AllowedHosts,
    stop: CancellationToken,
) -> Router {
    let state = ServerState {
        schema,
        sockets: Arc::new(Semaphore::new(MAX_SOCKETS)),
        stop,
    };
    Router::new()
        .route("/graphql", get(get_graphql).post(post_graphql))
        .route("/schema.graphql", get(schema_text))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .layer(from_fn_with_state(Arc::new(hosts), check_host))
        .with_state(state)
}

/// Serves until `stop` is cancelled, then finishes the requests in flight.
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

async fn post_graphql(
    State(state): State<ServerState>,
    Json(request): Json<Request>,
) -> Json<Response> {
    Json(state.schema.execute(request).await)
}

async fn schema_text(State(state): State<ServerState>) -> impl IntoResponse {
    let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (text, state.schema.sdl())
}

/// The parameters of a GET request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryParameters {
    query: String,
    operation_name: Option<String>,
    variables: Option<String>,
}

/// Runs the query in the URL, or opens a WebSocket.
async fn get_graphql(State(state): State<ServerState>, mut parts: Parts) -> HttpResponse {
    if parts.headers.contains_key(header::UPGRADE) {
        return upgrade(state, &mut parts).await;
    }
    let Ok(Query(parameters)) = Query::<QueryParameters>::try_from_uri(&parts.uri) else {
        let message = "send a query as JSON with POST, or as ?query= with GET; the schema is at /schema.graphql";
        return (StatusCode::BAD_REQUEST, message).into_response();
    };
    let mut request = Request::new(parameters.query);
    if let Some(name) = parameters.operation_name {
        request = request.operation_name(name);
    }
    if let Some(variables) = parameters.variables {
        match serde_json::from_str(&variables) {
            Ok(variables) => {
                request = request.variables(async_graphql::Variables::from_json(variables));
            }
            Err(error) => {
                let message = format!("the parameter variables is not valid JSON: {error}");
                return (StatusCode::BAD_REQUEST, message).into_response();
            }
        }
    }
    Json(state.schema.execute(request).await).into_response()
}

/// Whether a page of another site opens the WebSocket: such a page could read the graph. (Browsers send a POST of
/// JSON from another site only if CORS allows it. CORS does not cover WebSockets.)
fn is_cross_origin(parts: &Parts) -> bool {
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

async fn upgrade(state: ServerState, parts: &mut Parts) -> HttpResponse {
    if is_cross_origin(parts) {
        let message = "the Origin of this WebSocket is another site, which is not allowed";
        return (StatusCode::FORBIDDEN, message).into_response();
    }
    let Ok(protocol) = GraphQLProtocol::from_request_parts(parts, &state).await else {
        let message = "a WebSocket must request the subprotocol graphql-transport-ws";
        return (StatusCode::BAD_REQUEST, message).into_response();
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(parts, &state).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(permit) = state.sockets.clone().try_acquire_owned() else {
        let message = format!("the limit of {MAX_SOCKETS} open WebSockets is reached");
        return (StatusCode::SERVICE_UNAVAILABLE, message).into_response();
    };
    upgrade
        .protocols(ALL_WEBSOCKET_PROTOCOLS)
        .max_message_size(MAX_REQUEST_BYTES)
        .on_upgrade(async move |socket| {
            let serve_connection =
                GraphQLWebSocket::new(socket, state.schema.for_socket(), protocol).serve();
            tokio::select! {
                () = serve_connection => {}
                () = state.stop.cancelled() => {}
            }
            drop(permit);
        })
}
