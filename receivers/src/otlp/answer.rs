//! Answers as bytes: what was taken, and what was not.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use pipeline::Signal;
use prost::Message;
use serde_json::json;

use super::intake::Taken;
use super::rejection::Rejection;

/// The response to an export. Those of all signals are the same bytes: field 1 is the partial
/// success, and in it 1 the rejected rows and 2 the reason.
pub(super) fn protobuf(taken: &Taken) -> Bytes {
    if *taken == Taken::default() {
        return Bytes::new();
    }
    let partial = ExportTracePartialSuccess {
        rejected_spans: i64::try_from(taken.rejected_rows).unwrap_or(i64::MAX),
        error_message: taken.reason.clone(),
    };
    let response = ExportTraceServiceResponse {
        partial_success: Some(partial),
    };
    response.encode_to_vec().into()
}

/// The same in JSON, where the names differ and an int64 is text.
pub(super) fn json(signal: Signal, taken: &Taken) -> Bytes {
    let rejected = match signal {
        Signal::Metrics => "rejectedDataPoints",
        Signal::Logs => "rejectedLogRecords",
        _ => "rejectedSpans",
    };
    let partial = if *taken == Taken::default() {
        json!({})
    } else {
        json!({rejected: taken.rejected_rows.to_string(), "errorMessage": taken.reason})
    };
    json!({"partialSuccess": partial}).to_string().into()
}

/// `google.rpc.Status`, as OTLP/HTTP says failures.
pub(super) fn status_protobuf(rejection: &Rejection) -> Bytes {
    let status = tonic_types::Status {
        code: rejection.http_code().into(),
        message: rejection.message.clone(),
        details: Vec::new(),
    };
    status.encode_to_vec().into()
}

/// The same in JSON.
pub(super) fn status_json(rejection: &Rejection) -> Bytes {
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

    use super::{Taken, json, protobuf};

    #[test]
    fn one_response_serves_all_signals() {
        let taken = Taken {
            rejected_rows: 3,
            reason: "no name".into(),
        };
        let bytes = protobuf(&taken);
        let metrics = ExportMetricsServiceResponse::decode(bytes.clone()).unwrap();
        assert_eq!(metrics.partial_success.unwrap().rejected_data_points, 3);
        let logs = ExportLogsServiceResponse::decode(bytes).unwrap();
        let partial = logs.partial_success.unwrap();
        assert_eq!(partial.rejected_log_records, 3);
        assert_eq!(partial.error_message, "no name");
    }

    #[test]
    fn json_counts_are_text() {
        let taken = Taken {
            rejected_rows: 3,
            reason: "no name".into(),
        };
        assert_eq!(
            json(Signal::Metrics, &taken),
            r#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"no name"}}"#
        );
        assert_eq!(
            json(Signal::Logs, &Taken::default()),
            r#"{"partialSuccess":{}}"#
        );
    }
}
