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
            offset: None,
        });
    }
    normalise(&mut request);
    let protobuf = match signal {
        Signal::Traces => protobuf::<ExportTraceServiceRequest>(request),
        Signal::Metrics => protobuf::<ExportMetricsServiceRequest>(request),
        Signal::Logs => protobuf::<ExportLogsServiceRequest>(request),
        other => Err(DecodeError {
            what: format!("OTLP does not carry {other}"),
            offset: None,
        }),
    }?;
    // A place in what was made of the request says nothing to who sent it.
    let decoded = super::decode(signal, protobuf, source, delivery);
    decoded.map_err(|error| DecodeError {
        offset: None,
        ..error
    })
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
    let json =
        serde_json::to_string(&request).map_err(|source| EncodeError::Json { signal, source })?;
    Ok(without_nulls(&json))
}

/// Leaves out what is absent: the Collector takes no null for a number. One pass over compact JSON,
/// whose nulls all are values of keys; a tree of it would be many times as large.
fn without_nulls(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(found) = next_null(rest) {
        let before = &rest[..found];
        let key = before[..before.len() - 2].rfind('"').unwrap_or(0);
        out.push_str(&before[..key]);
        rest = &rest[found + "null".len()..];
        // One of the commas around it goes with it.
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if out.ends_with(',') => drop(out.pop()),
            None => {}
        }
    }
    out.push_str(rest);
    out
}

/// Where a null begins that is the value of a key, and stands in no text.
fn next_null(json: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = from + json[from..].find("\":null")?;
        // The key's last quote; of a text it would be escaped, or a text's end, where no colon is.
        if json[..found].ends_with('\\') {
            from = found + 1;
            continue;
        }
        return Some(found + 2);
    }
}

fn protobuf<T: Message + DeserializeOwned>(request: Json) -> Result<Bytes, DecodeError> {
    let request: T = serde_path_to_error::deserialize(request).map_err(|error| DecodeError {
        what: error.to_string(),
        offset: None,
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
        offset: Some(offset),
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
