//! Decodes request bodies into batches with `pipeline::otlp`.

use bytes::Bytes;
use pipeline::{Batch, Delivery, Signal, otlp};

use super::rejection::RequestRejection;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Protobuf,
    Json,
}

/// # Errors
/// If the body is not an export request of this signal.
pub(super) fn decode(
    signal: Signal,
    format: Format,
    body: Bytes,
    source: &str,
    delivery: Delivery,
) -> Result<Batch, RequestRejection> {
    let batch = match format {
        Format::Protobuf => otlp::decode(signal, body, source, delivery),
        Format::Json => otlp::json::decode(signal, &body, source, delivery),
    };
    batch.map_err(|error| {
        RequestRejection::malformed(format!(
            "cannot decode the request as OTLP {signal}: {error}"
        ))
    })
}
