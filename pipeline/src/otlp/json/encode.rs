//! Encodes a batch as JSON, by way of protobuf.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::protobuf_to_json::{ToJsonError, to_json};
use crate::otlp::descriptors::{LOGS_REQUEST, METRICS_REQUEST, TRACES_REQUEST};
use crate::otlp::{DecodeError, EncodeError};
use crate::{Batch, Signal};

/// Encodes a batch as one line of JSON, without the line feed. Fields without explicit presence are written even if
/// they have their default.
///
/// # Errors
/// When OTLP does not carry the signal.
pub fn encode(batch: &Batch) -> Result<String, EncodeError> {
    let signal = batch.signal();
    let request = crate::otlp::encode(batch)?;
    let message = match signal {
        Signal::Traces => &TRACES_REQUEST,
        Signal::Metrics => &METRICS_REQUEST,
        Signal::Logs => &LOGS_REQUEST,
        other => return Err(EncodeError::Signal(other)),
    };
    let json = match to_json(&request, message) {
        Err(ToJsonError::SplitMessage) => {
            merge_messages(signal, &request).and_then(|merged| Ok(to_json(&merged, message)?))
        }
        json => json.map_err(DecodeError::from),
    };
    json.map_err(|source| EncodeError::Invalid { signal, source })
}

/// Re-encodes the request so that every message occurs once, by protobuf's rules for merging messages.
#[cold]
fn merge_messages(signal: Signal, request: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let merged = match signal {
        Signal::Traces => {
            ExportTraceServiceRequest::decode(request).map(|merged| merged.encode_to_vec())
        }
        Signal::Metrics => {
            ExportMetricsServiceRequest::decode(request).map(|merged| merged.encode_to_vec())
        }
        _ => ExportLogsServiceRequest::decode(request).map(|merged| merged.encode_to_vec()),
    };
    merged.map_err(|error| DecodeError {
        reason: error.to_string(),
        offset: None,
    })
}
