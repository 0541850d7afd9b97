//! OTLP requests ⇄ batches (<https://github.com/open-telemetry/opentelemetry-proto>). The code is pure.
//!
//! ```text
//!  protobuf ─ wire, check ─▶ columns, context ─ traces, metrics, logs ─▶ batch ─ encode ─▶ protobuf
//!  JSON ─ json ─▶ protobuf ─▶ …                                            … ─▶ protobuf ─ json ─▶ JSON
//! ```
//!
//! One forward walk over a request appends each field to column vectors, without generated structs in between. Text and
//! attributes are checked once and not copied: the columns contain views into the request.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Fields};
use bytes::Bytes;

use crate::{Batch, Delivery, Signal};

mod check;
mod columns;
mod context;
mod descriptors;
mod encode;
pub mod json;
mod logs;
mod metrics;
mod traces;
mod wire;

pub use encode::{EncodeError, encode};
pub use wire::DecodeError;

#[cfg(test)]
mod tests;

/// Decodes an `ExportTraceServiceRequest` to one row per span. `source` is the value of the column `source`.
///
/// # Errors
/// When the request is malformed. Then none of its rows is accepted.
pub fn decode_traces(
    request: Bytes,
    source: &str,
    delivery: Delivery,
) -> Result<Batch, DecodeError> {
    check_length(&request)?;
    let rows = traces::decode(&request, source)?;
    Ok(batch(Signal::Traces, rows, delivery).with_original(request))
}

/// Decodes an `ExportMetricsServiceRequest` to one row per data point. `source` is the value of the column `source`.
///
/// # Errors
/// When the request is malformed. Then none of its rows is accepted.
pub fn decode_metrics(
    request: Bytes,
    source: &str,
    delivery: Delivery,
) -> Result<Batch, DecodeError> {
    check_length(&request)?;
    let rows = metrics::decode(&request, source)?;
    Ok(batch(Signal::Metrics, rows, delivery).with_original(request))
}

/// Decodes an `ExportLogsServiceRequest` to one row per log record. `source` is the value of the column `source`.
///
/// # Errors
/// When the request is malformed. Then none of its rows is accepted.
pub fn decode_logs(request: Bytes, source: &str, delivery: Delivery) -> Result<Batch, DecodeError> {
    check_length(&request)?;
    let rows = logs::decode(&request, source)?;
    Ok(batch(Signal::Logs, rows, delivery).with_original(request))
}

/// Decodes a request of the given signal.
///
/// # Errors
/// When the request is malformed, or OTLP does not carry the signal.
pub fn decode(
    signal: Signal,
    request: Bytes,
    source: &str,
    delivery: Delivery,
) -> Result<Batch, DecodeError> {
    match signal {
        Signal::Traces => decode_traces(request, source, delivery),
        Signal::Metrics => decode_metrics(request, source, delivery),
        Signal::Logs => decode_logs(request, source, delivery),
        other => Err(DecodeError {
            reason: format!("OTLP does not carry {other}"),
            offset: None,
        }),
    }
}

fn batch(signal: Signal, rows: RecordBatch, delivery: Delivery) -> Batch {
    Batch::new(signal, rows, delivery).expect("the decoder makes rows of its signal's schema")
}

/// Rejects requests over 4 GiB, since views address a request with 32 bits.
fn check_length(request: &Bytes) -> Result<(), DecodeError> {
    if u32::try_from(request.len()).is_ok() {
        return Ok(());
    }
    Err(DecodeError {
        reason: format!("request of {} bytes is larger than 4 GiB", request.len()),
        offset: None,
    })
}

/// The item field of a list column of a signal.
fn item_of(signal: Signal, column: &str) -> FieldRef {
    let schema = signal.schema();
    match schema
        .field_with_name(column)
        .map(|field| field.data_type())
    {
        Ok(DataType::List(item)) => Arc::clone(item),
        other => unreachable!("{signal}.{column} is a list, not {other:?}"),
    }
}

/// The fields of a list's struct items.
fn struct_fields(item: &FieldRef) -> Fields {
    match item.data_type() {
        DataType::Struct(fields) => fields.clone(),
        other => unreachable!("items are structs, not {other}"),
    }
}
