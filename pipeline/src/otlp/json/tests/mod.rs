//! Tests of OTLP's JSON: requests that show one rule of the mapping each, random requests, and helpers.

use serde_json::{Value as Json, json};

use super::{decode, encode};
use crate::{Batch, Delivery, Signal};

mod inputs;
mod lexer;
mod random;
mod rules;

/// Decodes a request.
fn read(signal: Signal, request: &str) -> Result<Batch, String> {
    decode(signal, request.as_bytes(), "otlp", Delivery::untracked())
        .map_err(|error| error.to_string())
}

/// Decodes a request and encodes it again.
fn round_trip(signal: Signal, request: &Json) -> Json {
    let batch = read(signal, &request.to_string()).unwrap();
    serde_json::from_str(&encode(&batch).unwrap()).unwrap()
}

/// The error of decoding a request.
fn rejection(signal: Signal, request: &Json) -> String {
    read(signal, &request.to_string()).unwrap_err()
}

/// A request with one span.
fn request_with_span(span: &Json) -> Json {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
}

/// A request with one metric.
fn request_with_metric(metric: &Json) -> Json {
    json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
}

/// The first span of a request.
fn first_span(request: &Json) -> &Json {
    &request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
}

/// The first metric of a request.
fn first_metric(request: &Json) -> &Json {
    &request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
}

/// Decodes and encodes a value, as the only attribute of a span.
fn round_trip_value(value: &Json) -> Json {
    let request = request_with_span(&json!({"attributes": [{"key": "k", "value": value}]}));
    first_span(&round_trip(Signal::Traces, &request))["attributes"][0]["value"].clone()
}

/// The error of decoding a value as the only attribute of a span, without the path of the value.
fn value_rejection(value: &Json) -> String {
    let request = request_with_span(&json!({"attributes": [{"key": "k", "value": value}]}));
    let rejection = rejection(Signal::Traces, &request);
    let path = "resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value";
    rejection.strip_prefix(path).expect(&rejection).to_owned()
}
