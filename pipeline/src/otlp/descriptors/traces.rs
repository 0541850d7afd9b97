//! `ExportTraceServiceRequest` and the messages in it.

use super::common::{KEY_VALUE, RESOURCE, SCOPE};
use super::{FieldType, list, message, one};

message!(pub(in crate::otlp) TRACES_REQUEST {
    list(1, "resourceSpans", "resource_spans", FieldType::Message(&RESOURCE_SPANS)),
});

message!(RESOURCE_SPANS {
    one(1, "resource", "resource", FieldType::Message(&RESOURCE)),
    list(2, "scopeSpans", "scope_spans", FieldType::Message(&SCOPE_SPANS)),
    one(3, "schemaUrl", "schema_url", FieldType::Text),
});

message!(SCOPE_SPANS {
    one(1, "scope", "scope", FieldType::Message(&SCOPE)),
    list(2, "spans", "spans", FieldType::Message(&SPAN)),
    one(3, "schemaUrl", "schema_url", FieldType::Text),
});

message!(SPAN {
    one(1, "traceId", "trace_id", FieldType::Id(16)),
    one(2, "spanId", "span_id", FieldType::Id(8)),
    one(3, "traceState", "trace_state", FieldType::Text),
    one(4, "parentSpanId", "parent_span_id", FieldType::Id(8)),
    one(16, "flags", "flags", FieldType::Fixed32),
    one(5, "name", "name", FieldType::Text),
    one(6, "kind", "kind", FieldType::Enum(SPAN_KIND)),
    one(7, "startTimeUnixNano", "start_time_unix_nano", FieldType::Fixed64),
    one(8, "endTimeUnixNano", "end_time_unix_nano", FieldType::Fixed64),
    list(9, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(10, "droppedAttributesCount", "dropped_attributes_count", FieldType::Uint32),
    list(11, "events", "events", FieldType::Message(&EVENT)),
    one(12, "droppedEventsCount", "dropped_events_count", FieldType::Uint32),
    list(13, "links", "links", FieldType::Message(&LINK)),
    one(14, "droppedLinksCount", "dropped_links_count", FieldType::Uint32),
    one(15, "status", "status", FieldType::Message(&STATUS)),
});

const SPAN_KIND: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

message!(EVENT {
    one(1, "timeUnixNano", "time_unix_nano", FieldType::Fixed64),
    one(2, "name", "name", FieldType::Text),
    list(3, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(4, "droppedAttributesCount", "dropped_attributes_count", FieldType::Uint32),
});

message!(LINK {
    one(1, "traceId", "trace_id", FieldType::Id(16)),
    one(2, "spanId", "span_id", FieldType::Id(8)),
    one(3, "traceState", "trace_state", FieldType::Text),
    list(4, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(5, "droppedAttributesCount", "dropped_attributes_count", FieldType::Uint32),
    one(6, "flags", "flags", FieldType::Fixed32),
});

message!(STATUS {
    one(2, "message", "message", FieldType::Text),
    one(3, "code", "code", FieldType::Enum(STATUS_CODE)),
});

const STATUS_CODE: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
