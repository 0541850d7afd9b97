//! Batches → OTLP requests.
//!
//! Rows that stand together and have the same resource make one group, likewise with scopes and
//! metrics. A batch that nobody has changed is the bytes it came as; any other is written from its
//! last row to its first, see [`writer`].

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

use context::Context;
use writer::Writer;

/// The batch cannot be said in OTLP.
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

/// An `ExportTraceServiceRequest`, `ExportMetricsServiceRequest` or `ExportLogsServiceRequest`.
///
/// # Errors
/// When the signal is none that OTLP carries.
pub fn encode(batch: &Batch) -> Result<Bytes, EncodeError> {
    if let Some(original) = batch.original() {
        return Ok(original.to_bytes());
    }
    match batch.signal() {
        Signal::Traces => Ok(grouped(batch, &traces::Spans::of(batch))),
        Signal::Metrics => Ok(grouped(batch, &metrics::Metrics::of(batch))),
        Signal::Logs => Ok(grouped(batch, &logs::Records::of(batch))),
        other => Err(EncodeError::Signal(other)),
    }
}

/// What stands in a scope's group: spans, metrics, log records, all in field 2.
trait Items {
    /// About how many bytes they take, best a little too many.
    fn room(&self) -> usize;

    /// Writes these rows of one scope.
    fn put(&self, rows: std::ops::Range<usize>, out: &mut Writer);
}

/// What resources and scopes take, besides.
const CONTEXT_ROOM: usize = 4096;

/// Field 1 of the request are the resources' groups, field 2 of those the scopes'.
fn grouped(batch: &Batch, items: &impl Items) -> Bytes {
    let context = Context::of(batch);
    let resources = context.resources();
    let scopes = context.scopes(&resources);
    let mut out = Writer::with_room(CONTEXT_ROOM + items.room());
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

/// How many bytes the values of views have, together.
fn view_bytes(views: &[u128]) -> usize {
    // The low 32 bits of a view are its length.
    views.iter().map(|&view| view as u32 as usize).sum()
}
