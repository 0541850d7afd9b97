//! OTLP's JSON form ⇄ batches (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>):
//! ids in hex, 64-bit integers as text or numbers, keys in camelCase or snake_case.
//!
//! Not for speed: it goes through opentelemetry-proto's serde.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{DecodeError, EncodeError};
use crate::{Batch, Delivery, Signal};

/// Decodes a request in JSON.
///
/// # Errors
/// Where it is no JSON, or no request of this signal; then nothing of it is taken.
pub fn decode(
    signal: Signal,
    json: &[u8],
    source: &str,
    delivery: Delivery,
) -> Result<Batch, DecodeError> {
    let mut request: Json = serde_json::from_slice(json).map_err(|error| not_json(json, &error))?;
    if !request.is_object() {
        return Err(DecodeError {
            what: "JSON that is no object".into(),
            offset: 0,
        });
    }
    normalise(&mut request);
    let protobuf = match signal {
        Signal::Traces => protobuf::<ExportTraceServiceRequest>(request),
        Signal::Metrics => protobuf::<ExportMetricsServiceRequest>(request),
        Signal::Logs => protobuf::<ExportLogsServiceRequest>(request),
        other => Err(DecodeError {
            what: format!("OTLP does not carry {other}"),
            offset: 0,
        }),
    }?;
    super::decode(signal, protobuf, source, delivery)
}

/// One line of JSON, without its end.
///
/// # Errors
/// When the signal is none that OTLP carries.
pub fn encode(batch: &Batch) -> Result<String, EncodeError> {
    let signal = batch.signal();
    let request = super::encode(batch)?;
    match signal {
        Signal::Traces => text::<ExportTraceServiceRequest>(signal, &request),
        Signal::Metrics => text::<ExportMetricsServiceRequest>(signal, &request),
        _ => text::<ExportLogsServiceRequest>(signal, &request),
    }
}

fn text<T: Message + Default + Serialize>(
    signal: Signal,
    request: &[u8],
) -> Result<String, EncodeError> {
    let request = T::decode(request).map_err(|source| EncodeError::Invalid { signal, source })?;
    let json = serde_json::to_value(&request).and_then(|mut json| {
        without_nulls(&mut json);
        serde_json::to_string(&json)
    });
    json.map_err(|source| EncodeError::Json { signal, source })
}

/// Leaves out what is absent: the Collector takes no null for a number.
fn without_nulls(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(without_nulls),
        Json::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(without_nulls);
        }
        _ => {}
    }
}

fn protobuf<T: Message + DeserializeOwned>(request: Json) -> Result<Bytes, DecodeError> {
    let request: T = serde_json::from_value(request).map_err(|error| DecodeError {
        what: error.to_string(),
        offset: 0,
    })?;
    Ok(request.encode_to_vec().into())
}

fn not_json(json: &[u8], error: &serde_json::Error) -> DecodeError {
    let lines_before = json
        .split(|&byte| byte == b'\n')
        .take(error.line().saturating_sub(1));
    let offset =
        lines_before.map(|line| line.len() + 1).sum::<usize>() + error.column().saturating_sub(1);
    DecodeError {
        what: error.to_string(),
        offset,
    }
}

/// Keys to camelCase, and what is null to what is absent. (All keys of OTLP's JSON are names of
/// fields: attributes are lists of key and value.)
fn normalise(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(normalise),
        Json::Object(object) => {
            for (key, mut value) in std::mem::take(object) {
                if value.is_null() {
                    continue;
                }
                normalise(&mut value);
                object.insert(camel_case(&key), value);
            }
        }
        _ => {}
    }
}

fn camel_case(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut upper = false;
    for c in key.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.extend(c.to_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
