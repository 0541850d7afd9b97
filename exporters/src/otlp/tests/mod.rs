//! Tests of the exporter with a gRPC server that sends scripted responses.

mod connections;
mod requests;
mod responses;

use serde_json::{Value as Json, json};
use tonic_types::{ErrorDetails, StatusExt};

use super::Otlp;
use crate::otlp_client::testing::{ScriptedResponse, Server, start_exporter};

/// A response of a gRPC server with a message and trailers.
fn reply(message: &[u8], trailers: Vec<(&'static str, String)>) -> ScriptedResponse {
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    ScriptedResponse::Reply {
        status: 200,
        headers: vec![("content-type", "application/grpc".into())],
        body,
        trailers,
    }
}

fn ok() -> ScriptedResponse {
    reply(&[], vec![("grpc-status", "0".into())])
}

/// An error response as gRPC servers send it ("Trailers-Only"): the status is in the headers, and there is no message.
fn error_response(status: &tonic::Status) -> ScriptedResponse {
    let mut headers = http::HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let text = |name| {
        let value: Option<&http::HeaderValue> = headers.get(name);
        value.map(|value| (name, value.to_str().unwrap().to_owned()))
    };
    let names = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
    ScriptedResponse::Reply {
        status: 200,
        headers: names.into_iter().filter_map(text).collect(),
        body: Vec::new(),
        trailers: Vec::new(),
    }
}

fn with_retry_info(code: tonic::Code, seconds: u64) -> ScriptedResponse {
    let after = Some(std::time::Duration::from_secs(seconds));
    let details = ErrorDetails::with_retry_info(after);
    error_response(&tonic::Status::with_error_details(code, "later", details))
}

/// An exporter to `server`, with additional settings.
async fn exporter_to(server: &Server, settings: Json) -> Otlp {
    let mut config = json!({"endpoint": format!("http://{}", server.address)});
    for (key, value) in settings.as_object().unwrap() {
        config[key] = value.clone();
    }
    start_exporter(config).await
}
