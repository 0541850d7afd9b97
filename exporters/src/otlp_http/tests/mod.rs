//! Tests of the exporter with an HTTP server that sends scripted responses.

mod connections;
mod requests;
mod responses;

use serde_json::{Value as Json, json};

use super::OtlpHttp;
use crate::otlp_client::testing::{ScriptedResponse, Server, start_exporter};

fn reply(
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: impl Into<Vec<u8>>,
) -> ScriptedResponse {
    ScriptedResponse::Reply {
        status,
        headers,
        body: body.into(),
        trailers: Vec::new(),
    }
}

/// The header `Content-Type`.
fn of_type(content_type: &str) -> Vec<(&'static str, String)> {
    vec![("content-type", content_type.to_owned())]
}

fn ok() -> ScriptedResponse {
    reply(200, of_type("application/x-protobuf"), "")
}

/// An exporter to `server`, with additional configuration keys.
async fn exporter_to(server: &Server, keys: Json) -> OtlpHttp {
    let mut config = json!({"endpoint": format!("http://{}", server.address)});
    for (key, value) in keys.as_object().unwrap() {
        config[key] = value.clone();
    }
    start_exporter(config).await
}
