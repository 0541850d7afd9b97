//! `ExportMetricsServiceRequest` and what it holds.

use super::common::{KEY_VALUE, RESOURCE, SCOPE};
use super::{Kind, list, member, message, one, optional};

message!(pub(in crate::otlp) METRICS_REQUEST {
    list(1, "resourceMetrics", "resource_metrics", Kind::Message(&RESOURCE_METRICS)),
});

message!(RESOURCE_METRICS {
    one(1, "resource", "resource", Kind::Message(&RESOURCE)),
    list(2, "scopeMetrics", "scope_metrics", Kind::Message(&SCOPE_METRICS)),
    one(3, "schemaUrl", "schema_url", Kind::Text),
});

message!(SCOPE_METRICS {
    one(1, "scope", "scope", Kind::Message(&SCOPE)),
    list(2, "metrics", "metrics", Kind::Message(&METRIC)),
    one(3, "schemaUrl", "schema_url", Kind::Text),
});

message!(METRIC {
    one(1, "name", "name", Kind::Text),
    one(2, "description", "description", Kind::Text),
    one(3, "unit", "unit", Kind::Text),
    list(12, "metadata", "metadata", Kind::Message(&KEY_VALUE)),
    member(5, "gauge", "gauge", Kind::Message(&GAUGE)),
    member(7, "sum", "sum", Kind::Message(&SUM)),
    member(9, "histogram", "histogram", Kind::Message(&HISTOGRAM)),
    member(10, "exponentialHistogram", "exponential_histogram", Kind::Message(&EXPONENTIAL_HISTOGRAM)),
    member(11, "summary", "summary", Kind::Message(&SUMMARY)),
});

message!(pub(in crate::otlp) GAUGE {
    list(1, "dataPoints", "data_points", Kind::Message(&NUMBER_POINT)),
});

message!(pub(in crate::otlp) SUM {
    list(1, "dataPoints", "data_points", Kind::Message(&NUMBER_POINT)),
    one(2, "aggregationTemporality", "aggregation_temporality", Kind::Enum(TEMPORALITY)),
    one(3, "isMonotonic", "is_monotonic", Kind::Bool),
});

message!(pub(in crate::otlp) HISTOGRAM {
    list(1, "dataPoints", "data_points", Kind::Message(&HISTOGRAM_POINT)),
    one(2, "aggregationTemporality", "aggregation_temporality", Kind::Enum(TEMPORALITY)),
});

message!(pub(in crate::otlp) EXPONENTIAL_HISTOGRAM {
    list(1, "dataPoints", "data_points", Kind::Message(&EXPONENTIAL_POINT)),
    one(2, "aggregationTemporality", "aggregation_temporality", Kind::Enum(TEMPORALITY)),
});

message!(pub(in crate::otlp) SUMMARY {
    list(1, "dataPoints", "data_points", Kind::Message(&SUMMARY_POINT)),
});

const TEMPORALITY: &[&str] = &[
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
];

message!(NUMBER_POINT {
    list(7, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", "start_time_unix_nano", Kind::Fixed64),
    one(3, "timeUnixNano", "time_unix_nano", Kind::Fixed64),
    list(5, "exemplars", "exemplars", Kind::Message(&EXEMPLAR)),
    one(8, "flags", "flags", Kind::Uint32),
    member(4, "asDouble", "as_double", Kind::Double),
    member(6, "asInt", "as_int", Kind::Sfixed64),
});

message!(HISTOGRAM_POINT {
    list(9, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", "start_time_unix_nano", Kind::Fixed64),
    one(3, "timeUnixNano", "time_unix_nano", Kind::Fixed64),
    one(4, "count", "count", Kind::Fixed64),
    optional(5, "sum", "sum", Kind::Double),
    list(6, "bucketCounts", "bucket_counts", Kind::Fixed64),
    list(7, "explicitBounds", "explicit_bounds", Kind::Double),
    list(8, "exemplars", "exemplars", Kind::Message(&EXEMPLAR)),
    one(10, "flags", "flags", Kind::Uint32),
    optional(11, "min", "min", Kind::Double),
    optional(12, "max", "max", Kind::Double),
});

message!(EXPONENTIAL_POINT {
    list(1, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", "start_time_unix_nano", Kind::Fixed64),
    one(3, "timeUnixNano", "time_unix_nano", Kind::Fixed64),
    one(4, "count", "count", Kind::Fixed64),
    optional(5, "sum", "sum", Kind::Double),
    one(6, "scale", "scale", Kind::Sint32),
    one(7, "zeroCount", "zero_count", Kind::Fixed64),
    one(8, "positive", "positive", Kind::Message(&BUCKETS)),
    one(9, "negative", "negative", Kind::Message(&BUCKETS)),
    one(10, "flags", "flags", Kind::Uint32),
    list(11, "exemplars", "exemplars", Kind::Message(&EXEMPLAR)),
    optional(12, "min", "min", Kind::Double),
    optional(13, "max", "max", Kind::Double),
    one(14, "zeroThreshold", "zero_threshold", Kind::Double),
});

message!(BUCKETS {
    one(1, "offset", "offset", Kind::Sint32),
    list(2, "bucketCounts", "bucket_counts", Kind::Uint64),
});

message!(SUMMARY_POINT {
    list(7, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", "start_time_unix_nano", Kind::Fixed64),
    one(3, "timeUnixNano", "time_unix_nano", Kind::Fixed64),
    one(4, "count", "count", Kind::Fixed64),
    one(5, "sum", "sum", Kind::Double),
    list(6, "quantileValues", "quantile_values", Kind::Message(&QUANTILE)),
    one(8, "flags", "flags", Kind::Uint32),
});

message!(QUANTILE {
    one(1, "quantile", "quantile", Kind::Double),
    one(2, "value", "value", Kind::Double),
});

message!(EXEMPLAR {
    list(7, "filteredAttributes", "filtered_attributes", Kind::Message(&KEY_VALUE)),
    one(2, "timeUnixNano", "time_unix_nano", Kind::Fixed64),
    one(4, "spanId", "span_id", Kind::Id(8)),
    one(5, "traceId", "trace_id", Kind::Id(16)),
    member(3, "asDouble", "as_double", Kind::Double),
    member(6, "asInt", "as_int", Kind::Sfixed64),
});
