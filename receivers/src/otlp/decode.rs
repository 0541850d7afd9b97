//! Request bodies become batches: the only file that knows who decodes them.

use bytes::Bytes;
use pipeline::{Batch, Delivery, Signal, otlp};

use super::rejection::Rejection;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Protobuf,
    Json,
}

/// # Errors
/// When the body is no request of this signal.
pub(super) fn decode(
    signal: Signal,
    format: Format,
    body: Bytes,
    source: &str,
    delivery: Delivery,
) -> Result<Batch, Rejection> {
    let batch = match format {
        Format::Protobuf => otlp::decode(signal, body, source, delivery),
        Format::Json => otlp::json::decode(signal, &body, source, delivery),
    };
    batch.map_err(|error| {
        Rejection::malformed(format!(
            "cannot decode the request as OTLP {signal}: {error}"
        ))
    })
}
