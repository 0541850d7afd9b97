//! Encodes batches as OTLP requests.
//!
//! ```text
//!  Batch ─┬─ the original request, if the rows are unchanged ─────────────────────▶ bytes
//!         └─ groups, context: resources, scopes ─ traces, logs, metrics ─ writer ─▶ bytes
//! ```
//!
//! Adjacent rows with the same resource form a group. Within it, adjacent rows with the same scope form a group, and
//! within that, adjacent rows of the same metric. An unchanged batch is encoded as its original request. Any other
//! batch is written from its last row to its first, see [`writer`].

use bytes::Bytes;

use super::DecodeError;
use crate::{Batch, Signal};

mod context;
mod groups;
mod logs;
mod metrics;
mod points;
mod traces;
mod writer;

use context::ContextArrays;
use writer::ReverseWriter;

/// The batch cannot be encoded as OTLP.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("OTLP does not carry {0}")]
    Signal(Signal),
    #[error("the {signal} request that was encoded is not valid")]
    Invalid {
        signal: Signal,
        #[source]
        source: DecodeError,
    },
}

/// Encodes a batch as an `ExportTraceServiceRequest`, `ExportMetricsServiceRequest` or `ExportLogsServiceRequest`.
///
/// # Errors
/// When OTLP does not carry the signal.
pub fn encode(batch: &Batch) -> Result<Bytes, EncodeError> {
    if let Some(original) = batch.original() {
        return Ok(original.to_bytes());
    }
    match batch.signal() {
        Signal::Traces => Ok(encode_groups(batch, &traces::SpanArrays::of(batch))),
        Signal::Metrics => Ok(encode_groups(batch, &metrics::MetricArrays::of(batch))),
        Signal::Logs => Ok(encode_groups(batch, &logs::LogArrays::of(batch))),
        other => Err(EncodeError::Signal(other)),
    }
}

/// The content of a scope's group in field 2: spans, metrics or log records.
trait ScopeItems {
    /// An estimate of the encoded size of all items, in bytes. It should be a little too large.
    fn size_estimate(&self) -> usize;

    /// Writes a range of rows that have the same scope.
    fn put(&self, rows: std::ops::Range<usize>, out: &mut ReverseWriter);
}

/// An estimate of the encoded size of resources and scopes, in bytes.
const CONTEXT_SIZE: usize = 4096;

/// Encodes the rows in groups: field 1 of the request contains a group for each resource, and field 2 of that group
/// contains a group for each scope.
fn encode_groups(batch: &Batch, items: &impl ScopeItems) -> Bytes {
    let context = ContextArrays::of(batch);
    let resources = context.resources();
    let scopes = context.scopes(&resources);
    let mut out = ReverseWriter::with_capacity(CONTEXT_SIZE + items.size_estimate());
    let mut end = batch.num_rows();
    while end > 0 {
        let resource_start = resources.start(end);
        out.message(1, |out| {
            context.put_resource_schema(end - 1, out);
            let mut scope_end = end;
            while scope_end > resource_start {
                let start = scopes.start(scope_end);
                out.message(2, |out| {
                    context.put_scope_schema(start, out);
                    items.put(start..scope_end, out);
                    context.put_scope(start, out);
                });
                scope_end = start;
            }
            context.put_resource(resource_start, out);
        });
        end = resource_start;
    }
    out.finish()
}

/// The total length of the values of views, in bytes.
fn view_bytes(views: &[u128]) -> usize {
    // The low 32 bits of a view are its length.
    views.iter().map(|&view| view as u32 as usize).sum()
}
