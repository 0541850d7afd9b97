//! Batches → OTLP requests.
//!
//! Rows that stand together and have the same resource make one group, likewise with scopes and
//! metrics. A batch that nobody has changed is the bytes it came as.

use bytes::Bytes;

use crate::{Batch, Signal};

mod context;
mod logs;
mod metrics;
mod put;
mod traces;

use context::Context;

/// The batch cannot be said in OTLP.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("OTLP does not carry {0}")]
    Signal(Signal),
    #[error("the {signal} request that was encoded is not valid")]
    Invalid {
        signal: Signal,
        #[source]
        source: prost::DecodeError,
    },
    #[error("write {signal} as JSON")]
    Json {
        signal: Signal,
        #[source]
        source: serde_json::Error,
    },
}

/// An `ExportTraceServiceRequest`, `ExportMetricsServiceRequest` or `ExportLogsServiceRequest`.
///
/// # Errors
/// When the signal is none that OTLP carries.
pub fn encode(batch: &Batch) -> Result<Bytes, EncodeError> {
    if let Some(original) = batch.original() {
        return Ok(original.to_bytes());
    }
    let context = Context::of(batch);
    let mut out = Vec::new();
    match batch.signal() {
        Signal::Traces => grouped(&context, batch, &mut out, &traces::Spans::of(batch)),
        Signal::Metrics => grouped(&context, batch, &mut out, &metrics::Metrics::of(batch)),
        Signal::Logs => grouped(&context, batch, &mut out, &logs::Records::of(batch)),
        other => return Err(EncodeError::Signal(other)),
    }
    Ok(out.into())
}

/// What stands in a scope's group: spans, metrics, log records, all in field 2.
trait Items {
    /// Appends these rows of one scope.
    fn put(&self, rows: std::ops::Range<usize>, out: &mut Vec<u8>);
}

/// Field 1 of the request are the resources' groups, field 2 of those the scopes'.
fn grouped(context: &Context<'_>, batch: &Batch, out: &mut Vec<u8>, items: &impl Items) {
    let (mut group, mut scope_group) = (Vec::new(), Vec::new());
    let mut row = 0;
    while row < batch.num_rows() {
        let resource_end = context.same_resource_until(row);
        group.clear();
        context.put_resource(row, &mut group);
        while row < resource_end {
            let scope_end = context.same_scope_until(row, resource_end);
            scope_group.clear();
            context.put_scope(row, &mut scope_group);
            items.put(row..scope_end, &mut scope_group);
            put::bytes(&mut group, 2, &scope_group);
            row = scope_end;
        }
        put::bytes(out, 1, &group);
    }
}
