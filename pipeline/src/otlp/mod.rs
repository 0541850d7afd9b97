//! OTLP bytes ⇄ batches (<https://github.com/open-telemetry/opentelemetry-proto>), pure.
//!
//! One forward walk over a request pushes each field straight into column vectors, without the
//! generated structs in between. Text and attributes are checked once and stay where they are: the
//! columns hold views into the request.

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

/// Decodes an `ExportTraceServiceRequest`, one row a span; `source` becomes the column of that name.
///
/// # Errors
/// Where the request is malformed; then nothing of it is taken.
pub fn decode_traces(
    request: Bytes,
    source: &str,
    delivery: Delivery,
) -> Result<Batch, DecodeError> {
    check_length(&request)?;
    let rows = traces::decode(&request, source)?;
    Ok(batch(Signal::Traces, rows, delivery).with_original(request))
}

/// Decodes an `ExportMetricsServiceRequest`, one row a data point.
///
/// # Errors
/// Where the request is malformed; then nothing of it is taken.
pub fn decode_metrics(
    request: Bytes,
    source: &str,
    delivery: Delivery,
) -> Result<Batch, DecodeError> {
    check_length(&request)?;
    let rows = metrics::decode(&request, source)?;
    Ok(batch(Signal::Metrics, rows, delivery).with_original(request))
}

/// Decodes an `ExportLogsServiceRequest`, one row a log record.
///
/// # Errors
/// Where the request is malformed; then nothing of it is taken.
pub fn decode_logs(request: Bytes, source: &str, delivery: Delivery) -> Result<Batch, DecodeError> {
    check_length(&request)?;
    let rows = logs::decode(&request, source)?;
    Ok(batch(Signal::Logs, rows, delivery).with_original(request))
}

/// Decodes a request of the signal that the caller expects.
///
/// # Errors
/// Where the request is malformed, or the signal is none that OTLP carries.
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
            what: format!("OTLP does not carry {other}"),
            offset: None,
        }),
    }
}

fn batch(signal: Signal, rows: RecordBatch, delivery: Delivery) -> Batch {
    Batch::new(signal, rows, delivery).expect("the walk makes its signal's schema")
}

/// Views address a request with 32 bits.
fn check_length(request: &Bytes) -> Result<(), DecodeError> {
    if u32::try_from(request.len()).is_ok() {
        return Ok(());
    }
    Err(DecodeError {
        what: format!("a request of {} bytes, over 4 GiB,", request.len()),
        offset: None,
    })
}

/// The item field of a list column.
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
