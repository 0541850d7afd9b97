//! The columns of `metrics`: one row for each data point (opentelemetry/proto/metrics/v1/metrics.proto). Each row
//! repeats the metric of the point. `time` is the point's `time_unix_nano`.

use super::{columns, types};

columns! {
    /// `Metric.name`; empty if it is missing.
    NAME "name": types::text();
    /// `Metric.description`; empty if it is missing.
    DESCRIPTION "description": types::text();
    /// `Metric.unit` (UCUM); empty if it is missing.
    UNIT "unit": types::text();
    /// `Metric.metadata`.
    METADATA "metadata": types::attributes();
    /// The variant of `Metric.data`: `gauge`, `sum`, `histogram`, `exponential_histogram` or `summary`.
    TYPE "type": types::word();
    /// `aggregation_temporality` as on the wire: 0 unspecified, 1 delta, 2 cumulative; null for
    /// gauges and summaries.
    AGGREGATION_TEMPORALITY "aggregation_temporality": types::int32() => nullable;
    /// `Sum.is_monotonic`; null for all other types.
    IS_MONOTONIC "is_monotonic": types::boolean() => nullable;
    /// Start of the interval as received: nanoseconds since 1970, 0 if it is unknown.
    START_TIME_UNIX_NANO "start_time_unix_nano": types::uint64();
    /// Time of the point as received: nanoseconds since 1970, 0 if it is missing.
    TIME_UNIX_NANO "time_unix_nano": types::uint64();
    /// `flags`: bit 0 means that no value was recorded.
    FLAGS "flags": types::uint32();
    /// The point's `attributes`.
    ATTRIBUTES "attributes": types::attributes();
    /// `as_double` of a gauge or sum, in the metric's unit; null if the value is an integer.
    VALUE_DOUBLE "value_double": types::float64() => nullable;
    /// `as_int` of a gauge or sum, in the metric's unit; null if the value is a double.
    VALUE_INT "value_int": types::int64() => nullable;
    /// Number of values of a histogram or summary; null for gauges and sums.
    COUNT "count": types::uint64() => nullable;
    /// Sum of the values of a histogram or summary, in the metric's unit; null if it is missing.
    SUM "sum": types::float64() => nullable;
    /// Smallest value, in the metric's unit; null if it is missing.
    MIN "min": types::float64() => nullable;
    /// Greatest value, in the metric's unit; null if it is missing.
    MAX "max": types::float64() => nullable;
    /// Counts of an explicit histogram, one more than its bounds; null for other types.
    BUCKET_COUNTS "bucket_counts": types::list(types::uint64()) => nullable;
    /// Upper bounds (inclusive) of an explicit histogram, ascending; null for other types.
    EXPLICIT_BOUNDS "explicit_bounds": types::list(types::float64()) => nullable;
    /// Exponential histogram: base is 2^(2^-scale); null for other types.
    SCALE "scale": types::int32() => nullable;
    /// Exponential histogram: number of values within `zero_threshold`; null for other types.
    ZERO_COUNT "zero_count": types::uint64() => nullable;
    /// Exponential histogram: width of the zero bucket; null for other types.
    ZERO_THRESHOLD "zero_threshold": types::float64() => nullable;
    /// Exponential histogram: index of the first positive bucket; null if `positive` is missing.
    POSITIVE_OFFSET "positive_offset": types::int32() => nullable;
    /// Exponential histogram: counts of the positive buckets; null if `positive` is missing.
    POSITIVE_BUCKET_COUNTS "positive_bucket_counts": types::list(types::uint64()) => nullable;
    /// Exponential histogram: index of the first negative bucket; null if `negative` is missing.
    NEGATIVE_OFFSET "negative_offset": types::int32() => nullable;
    /// Exponential histogram: counts of the negative buckets; null if `negative` is missing.
    NEGATIVE_BUCKET_COUNTS "negative_bucket_counts": types::list(types::uint64()) => nullable;
    /// Summary: quantile (0 to 1) and its value, in order; null for other types.
    QUANTILE_VALUES "quantile_values": types::list_of([
        types::float64().named(quantile::QUANTILE, false),
        types::float64().named(quantile::VALUE, false),
    ]) => nullable;
    /// Sampled measurements of the point, in order; null for summaries.
    EXEMPLARS "exemplars": types::list_of([
        types::attributes().named(exemplar::FILTERED_ATTRIBUTES, false),
        types::uint64().named(exemplar::TIME_UNIX_NANO, false),
        types::float64().named(exemplar::VALUE_DOUBLE, true),
        types::int64().named(exemplar::VALUE_INT, true),
        types::span_id().named(exemplar::SPAN_ID, true),
        types::trace_id().named(exemplar::TRACE_ID, true),
    ]) => nullable;
}

/// The fields of one item of `quantile_values`.
pub mod quantile {
    pub const QUANTILE: &str = "quantile";
    pub const VALUE: &str = "value";
}

/// The fields of one item of `exemplars`.
pub mod exemplar {
    pub const FILTERED_ATTRIBUTES: &str = "filtered_attributes";
    pub const TIME_UNIX_NANO: &str = "time_unix_nano";
    pub const VALUE_DOUBLE: &str = "value_double";
    pub const VALUE_INT: &str = "value_int";
    pub const SPAN_ID: &str = "span_id";
    pub const TRACE_ID: &str = "trace_id";
}
