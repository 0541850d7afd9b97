//! Requests of which each shows one rule of the mapping.

use serde_json::{Value as Json, json};

use super::{decode, encode};
use crate::{Batch, Delivery, Signal};

mod inputs;
mod lexer;
mod random;
mod rules;

fn read(signal: Signal, request: &str) -> Result<Batch, String> {
    decode(signal, request.as_bytes(), "otlp", Delivery::nobody())
        .map_err(|error| error.to_string())
}

/// The request as it is written again.
fn round(signal: Signal, request: &Json) -> Json {
    let batch = read(signal, &request.to_string()).unwrap();
    serde_json::from_str(&encode(&batch).unwrap()).unwrap()
}

fn rejection(signal: Signal, request: &Json) -> String {
    read(signal, &request.to_string()).unwrap_err()
}

fn span(span: &Json) -> Json {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
}

fn metric(metric: &Json) -> Json {
    json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
}

/// The first of everything.
fn first_span(request: &Json) -> &Json {
    &request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
}

fn first_metric(request: &Json) -> &Json {
    &request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
}

/// A value that is written again as the only attribute of a span.
fn round_value(value: &Json) -> Json {
    let request = span(&json!({"attributes": [{"key": "k", "value": value}]}));
    first_span(&round(Signal::Traces, &request))["attributes"][0]["value"].clone()
}

fn value_rejection(value: &Json) -> String {
    let request = span(&json!({"attributes": [{"key": "k", "value": value}]}));
    let rejection = rejection(Signal::Traces, &request);
    let place = "resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value";
    rejection.strip_prefix(place).expect(&rejection).to_owned()
}
