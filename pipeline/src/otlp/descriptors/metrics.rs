//! `ExportMetricsServiceRequest` and the messages in it.

use super::common::{KEY_VALUE, RESOURCE, SCOPE};
use super::{FieldType, list, member, message, one, optional};

message!(pub(in crate::otlp) METRICS_REQUEST {
    list(1, "resourceMetrics", "resource_metrics", FieldType::Message(&RESOURCE_METRICS)),
});

message!(RESOURCE_METRICS {
    one(1, "resource", "resource", FieldType::Message(&RESOURCE)),
    list(2, "scopeMetrics", "scope_metrics", FieldType::Message(&SCOPE_METRICS)),
    one(3, "schemaUrl", "schema_url", FieldType::Text),
});

message!(SCOPE_METRICS {
    one(1, "scope", "scope", FieldType::Message(&SCOPE)),
    list(2, "metrics", "metrics", FieldType::Message(&METRIC)),
    one(3, "schemaUrl", "schema_url", FieldType::Text),
});

message!(METRIC {
    one(1, "name", "name", FieldType::Text),
    one(2, "description", "description", FieldType::Text),
    one(3, "unit", "unit", FieldType::Text),
    list(12, "metadata", "metadata", FieldType::Message(&KEY_VALUE)),
    member(5, "gauge", "gauge", FieldType::Message(&GAUGE)),
    member(7, "sum", "sum", FieldType::Message(&SUM)),
    member(9, "histogram", "histogram", FieldType::Message(&HISTOGRAM)),
    member(10, "exponentialHistogram", "exponential_histogram", FieldType::Message(&EXPONENTIAL_HISTOGRAM)),
    member(11, "summary", "summary", FieldType::Message(&SUMMARY)),
});

message!(pub(in crate::otlp) GAUGE {
    list(1, "dataPoints", "data_points", FieldType::Message(&NUMBER_POINT)),
});

message!(pub(in crate::otlp) SUM {
    list(1, "dataPoints", "data_points", FieldType::Message(&NUMBER_POINT)),
    one(2, "aggregationTemporality", "aggregation_temporality", FieldType::Enum(TEMPORALITY)),
    one(3, "isMonotonic", "is_monotonic", FieldType::Bool),
});

message!(pub(in crate::otlp) HISTOGRAM {
    list(1, "dataPoints", "data_points", FieldType::Message(&HISTOGRAM_POINT)),
    one(2, "aggregationTemporality", "aggregation_temporality", FieldType::Enum(TEMPORALITY)),
});

message!(pub(in crate::otlp) EXPONENTIAL_HISTOGRAM {
    list(1, "dataPoints", "data_points", FieldType::Message(&EXPONENTIAL_POINT)),
    one(2, "aggregationTemporality", "aggregation_temporality", FieldType::Enum(TEMPORALITY)),
});

message!(pub(in crate::otlp) SUMMARY {
    list(1, "dataPoints", "data_points", FieldType::Message(&SUMMARY_POINT)),
});

const TEMPORALITY: &[&str] = &[
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
];

message!(NUMBER_POINT {
    list(7, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", "start_time_unix_nano", FieldType::Fixed64),
    one(3, "timeUnixNano", "time_unix_nano", FieldType::Fixed64),
    list(5, "exemplars", "exemplars", FieldType::Message(&EXEMPLAR)),
    one(8, "flags", "flags", FieldType::Uint32),
    member(4, "asDouble", "as_double", FieldType::Double),
    member(6, "asInt", "as_int", FieldType::Sfixed64),
});

message!(HISTOGRAM_POINT {
    list(9, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", "start_time_unix_nano", FieldType::Fixed64),
    one(3, "timeUnixNano", "time_unix_nano", FieldType::Fixed64),
    one(4, "count", "count", FieldType::Fixed64),
    optional(5, "sum", "sum", FieldType::Double),
    list(6, "bucketCounts", "bucket_counts", FieldType::Fixed64),
    list(7, "explicitBounds", "explicit_bounds", FieldType::Double),
    list(8, "exemplars", "exemplars", FieldType::Message(&EXEMPLAR)),
    one(10, "flags", "flags", FieldType::Uint32),
    optional(11, "min", "min", FieldType::Double),
    optional(12, "max", "max", FieldType::Double),
});

message!(EXPONENTIAL_POINT {
    list(1, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", "start_time_unix_nano", FieldType::Fixed64),
    one(3, "timeUnixNano", "time_unix_nano", FieldType::Fixed64),
    one(4, "count", "count", FieldType::Fixed64),
    optional(5, "sum", "sum", FieldType::Double),
    one(6, "scale", "scale", FieldType::Sint32),
    one(7, "zeroCount", "zero_count", FieldType::Fixed64),
    one(8, "positive", "positive", FieldType::Message(&BUCKETS)),
    one(9, "negative", "negative", FieldType::Message(&BUCKETS)),
    one(10, "flags", "flags", FieldType::Uint32),
    list(11, "exemplars", "exemplars", FieldType::Message(&EXEMPLAR)),
    optional(12, "min", "min", FieldType::Double),
    optional(13, "max", "max", FieldType::Double),
    one(14, "zeroThreshold", "zero_threshold", FieldType::Double),
});

message!(BUCKETS {
    one(1, "offset", "offset", FieldType::Sint32),
    list(2, "bucketCounts", "bucket_counts", FieldType::Uint64),
});

message!(SUMMARY_POINT {
    list(7, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", "start_time_unix_nano", FieldType::Fixed64),
    one(3, "timeUnixNano", "time_unix_nano", FieldType::Fixed64),
    one(4, "count", "count", FieldType::Fixed64),
    one(5, "sum", "sum", FieldType::Double),
    list(6, "quantileValues", "quantile_values", FieldType::Message(&QUANTILE)),
    one(8, "flags", "flags", FieldType::Uint32),
});

message!(QUANTILE {
    one(1, "quantile", "quantile", FieldType::Double),
    one(2, "value", "value", FieldType::Double),
});

message!(EXEMPLAR {
    list(7, "filteredAttributes", "filtered_attributes", FieldType::Message(&KEY_VALUE)),
    one(2, "timeUnixNano", "time_unix_nano", FieldType::Fixed64),
    one(4, "spanId", "span_id", FieldType::Id(8)),
    one(5, "traceId", "trace_id", FieldType::Id(16)),
    member(3, "asDouble", "as_double", FieldType::Double),
    member(6, "asInt", "as_int", FieldType::Sfixed64),
});
