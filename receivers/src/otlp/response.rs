//! Encodes the bodies of responses in protobuf and JSON.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use pipeline::Signal;
use prost::Message;
use serde_json::json;

use super::intake::AcceptedExport;
use super::rejection::RequestRejection;

/// The response to an accepted request. The bytes are the same for all signals: field 1 is the partial success. Its
/// field 1 is the number of rejected rows, its field 2 the reason.
pub(super) fn protobuf(accepted: &AcceptedExport) -> Bytes {
    if *accepted == AcceptedExport::default() {
        return Bytes::new();
    }
    let partial = ExportTracePartialSuccess {
        rejected_spans: i64::try_from(accepted.rejected_rows).unwrap_or(i64::MAX),
        error_message: accepted.reason.clone(),
    };
    let response = ExportTraceServiceResponse {
        partial_success: Some(partial),
    };
    response.encode_to_vec().into()
}

/// The response to an accepted request in JSON. The name of the count depends on the signal, and an int64 is a string.
pub(super) fn json(signal: Signal, accepted: &AcceptedExport) -> Bytes {
    let rejected = match signal {
        Signal::Metrics => "rejectedDataPoints",
        Signal::Logs => "rejectedLogRecords",
        _ => "rejectedSpans",
    };
    let partial = if *accepted == AcceptedExport::default() {
        json!({})
    } else {
        json!({rejected: accepted.rejected_rows.to_string(), "errorMessage": accepted.reason})
    };
    json!({"partialSuccess": partial}).to_string().into()
}

/// `google.rpc.Status`, the body of failures in OTLP/HTTP.
pub(super) fn status_protobuf(rejection: &RequestRejection) -> Bytes {
    let status = tonic_types::Status {
        code: rejection.http_code().into(),
        message: rejection.message.clone(),
        details: Vec::new(),
    };
    status.encode_to_vec().into()
}

/// `google.rpc.Status` in JSON.
pub(super) fn status_json(rejection: &RequestRejection) -> Bytes {
    let code = i32::from(rejection.http_code());
    json!({"code": code, "message": rejection.message})
        .to_string()
        .into()
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
    use pipeline::Signal;
    use prost::Message;

    use super::{AcceptedExport, json, protobuf};

    #[test]
    fn response_bytes_are_the_same_for_all_signals() {
        let accepted = AcceptedExport {
            rejected_rows: 3,
            reason: "no name".into(),
        };
        let bytes = protobuf(&accepted);
        let metrics = ExportMetricsServiceResponse::decode(bytes.clone()).unwrap();
        assert_eq!(metrics.partial_success.unwrap().rejected_data_points, 3);
        let logs = ExportLogsServiceResponse::decode(bytes).unwrap();
        let partial = logs.partial_success.unwrap();
        assert_eq!(partial.rejected_log_records, 3);
        assert_eq!(partial.error_message, "no name");
    }

    #[test]
    fn json_counts_are_strings() {
        let accepted = AcceptedExport {
            rejected_rows: 3,
            reason: "no name".into(),
        };
        assert_eq!(
            json(Signal::Metrics, &accepted),
            r#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"no name"}}"#
        );
        assert_eq!(
            json(Signal::Logs, &AcceptedExport::default()),
            r#"{"partialSuccess":{}}"#
        );
    }
}
