//! `ExportLogsServiceRequest` and the messages in it.

use super::common::{ANY_VALUE, KEY_VALUE, RESOURCE, SCOPE};
use super::{FieldType, list, message, one};

message!(pub(in crate::otlp) LOGS_REQUEST {
    list(1, "resourceLogs", "resource_logs", FieldType::Message(&RESOURCE_LOGS)),
});

message!(RESOURCE_LOGS {
    one(1, "resource", "resource", FieldType::Message(&RESOURCE)),
    list(2, "scopeLogs", "scope_logs", FieldType::Message(&SCOPE_LOGS)),
    one(3, "schemaUrl", "schema_url", FieldType::Text),
});

message!(SCOPE_LOGS {
    one(1, "scope", "scope", FieldType::Message(&SCOPE)),
    list(2, "logRecords", "log_records", FieldType::Message(&LOG_RECORD)),
    one(3, "schemaUrl", "schema_url", FieldType::Text),
});

message!(LOG_RECORD {
    one(1, "timeUnixNano", "time_unix_nano", FieldType::Fixed64),
    one(11, "observedTimeUnixNano", "observed_time_unix_nano", FieldType::Fixed64),
    one(2, "severityNumber", "severity_number", FieldType::Enum(SEVERITY_NUMBER)),
    one(3, "severityText", "severity_text", FieldType::Text),
    one(5, "body", "body", FieldType::Message(&ANY_VALUE)),
    list(6, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(7, "droppedAttributesCount", "dropped_attributes_count", FieldType::Uint32),
    one(8, "flags", "flags", FieldType::Fixed32),
    one(9, "traceId", "trace_id", FieldType::Id(16)),
    one(10, "spanId", "span_id", FieldType::Id(8)),
    one(12, "eventName", "event_name", FieldType::Text),
});

const SEVERITY_NUMBER: &[&str] = &[
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
];
