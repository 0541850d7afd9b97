//! Random requests with every field and every type of value, including empty values and duplicate keys.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, metric::Data, number_data_point,
    summary_data_point::ValueAtQuantile,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z.]{1,30}", "\\PC{0,8}"]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(u64::MAX),
        Just(1_700_000_000_000_000_000),
        any::<u64>()
    ]
}

fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        any::<f64>()
    ]
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), vec(any::<u8>(), length)]
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|bool| Some(Value::BoolValue(bool))),
        any::<i64>().prop_map(|int| Some(Value::IntValue(int))),
        double().prop_map(|double| Some(Value::DoubleValue(double))),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Some(Value::BytesValue(bytes))),
        any::<i32>().prop_map(|index| Some(Value::StringValueStrindex(index))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 12, 4, |inner| {
        let entries = vec((text(), of(inner.clone())), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(|values| AnyValue {
                value: Some(Value::ArrayValue(ArrayValue { values }))
            }),
            entries.prop_map(|entries| {
                let values = entries
                    .into_iter()
                    .map(|(key, value)| entry(key, value))
                    .collect();
                AnyValue {
                    value: Some(Value::KvlistValue(KeyValueList { values })),
                }
            }),
        ]
    })
}

fn entry(key: String, value: Option<AnyValue>) -> KeyValue {
    // A few keys also have an index.
    let key_strindex = if key.len() == 2 { -3 } else { 0 };
    KeyValue {
        key,
        value,
        key_strindex,
    }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    // Few different keys, so that some occur twice.
    let key = prop_oneof![
        Just("service.name".to_owned()),
        Just("k".to_owned()),
        text()
    ];
    vec(
        (key, of(any_value())).prop_map(|(key, value)| entry(key, value)),
        0..5,
    )
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    let entity = (text(), text(), vec(text(), 0..3), vec(text(), 0..2)).prop_map(
        |(schema_url, r#type, id_keys, description_keys)| EntityRef {
            schema_url,
            r#type,
            id_keys,
            description_keys,
        },
    );
    of((attributes(), any::<u32>(), vec(entity, 0..3)).prop_map(
        |(attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes,
            dropped_attributes_count,
            entity_refs,
        },
    ))
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    of((text(), text(), attributes(), any::<u32>()).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    ))
}

fn span() -> impl Strategy<Value = Span> {
    let event = (number(), text(), attributes(), any::<u32>()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| span::Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    );
    let link = (
        id(16),
        id(8),
        text(),
        attributes(),
        any::<u32>(),
        any::<u32>(),
    )
        .prop_map(
            |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| {
                span::Link {
                    trace_id,
                    span_id,
                    trace_state,
                    attributes,
                    dropped_attributes_count,
                    flags,
                }
            },
        );
    let status = (text(), any::<i32>()).prop_map(|(message, code)| Status { message, code });
    let ids = (id(16), id(8), id(8), text(), text());
    let numbers = (
        any::<u32>(),
        any::<i32>(),
        number(),
        number(),
        any::<[u32; 3]>(),
    );
    (
        ids,
        numbers,
        attributes(),
        vec(event, 0..3),
        vec(link, 0..3),
        of(status),
    )
        .prop_map(
            |(
                (trace_id, span_id, parent_span_id, trace_state, name),
                numbers,
                attributes,
                events,
                links,
                status,
            )| {
                let (flags, kind, start_time_unix_nano, end_time_unix_nano, dropped) = numbers;
                Span {
                    trace_id,
                    span_id,
                    parent_span_id,
                    trace_state,
                    name,
                    flags,
                    kind,
                    start_time_unix_nano,
                    end_time_unix_nano,
                    attributes,
                    events,
                    links,
                    status,
                    dropped_attributes_count: dropped[0],
                    dropped_events_count: dropped[1],
                    dropped_links_count: dropped[2],
                }
            },
        )
}

pub(in crate::otlp) fn traces() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scoped =
        (scope(), vec(span(), 0..4), text()).prop_map(|(scope, spans, schema_url)| ScopeSpans {
            scope,
            spans,
            schema_url,
        });
    let group =
        (resource(), vec(scoped, 0..3), text()).prop_map(|(resource, scope_spans, schema_url)| {
            ResourceSpans {
                resource,
                scope_spans,
                schema_url,
            }
        });
    vec(group, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

fn record() -> impl Strategy<Value = LogRecord> {
    let numbers = (number(), number(), any::<i32>(), any::<u32>(), any::<u32>());
    (
        numbers,
        text(),
        of(any_value()),
        attributes(),
        id(16),
        id(8),
        text(),
    )
        .prop_map(
            |(numbers, severity_text, body, attributes, trace_id, span_id, event_name)| {
                let (
                    time_unix_nano,
                    observed_time_unix_nano,
                    severity_number,
                    dropped_attributes_count,
                    flags,
                ) = numbers;
                LogRecord {
                    time_unix_nano,
                    observed_time_unix_nano,
                    severity_number,
                    severity_text,
                    body,
                    attributes,
                    dropped_attributes_count,
                    flags,
                    trace_id,
                    span_id,
                    event_name,
                }
            },
        )
}

pub(in crate::otlp) fn logs() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let scoped =
        (scope(), vec(record(), 0..4), text()).prop_map(|(scope, log_records, schema_url)| {
            ScopeLogs {
                scope,
                log_records,
                schema_url,
            }
        });
    let group =
        (resource(), vec(scoped, 0..3), text()).prop_map(|(resource, scope_logs, schema_url)| {
            ResourceLogs {
                resource,
                scope_logs,
                schema_url,
            }
        });
    vec(group, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

fn exemplars() -> impl Strategy<Value = Vec<Exemplar>> {
    let value = prop_oneof![
        double().prop_map(exemplar::Value::AsDouble),
        any::<i64>().prop_map(exemplar::Value::AsInt)
    ];
    let exemplar = (attributes(), number(), of(value), id(8), id(16)).prop_map(
        |(filtered_attributes, time_unix_nano, value, span_id, trace_id)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            value,
            span_id,
            trace_id,
        },
    );
    vec(exemplar, 0..3)
}

fn number_point() -> impl Strategy<Value = NumberDataPoint> {
    let value = prop_oneof![
        double().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt)
    ];
    (
        attributes(),
        number(),
        number(),
        any::<u32>(),
        exemplars(),
        of(value),
    )
        .prop_map(
            |(attributes, start_time_unix_nano, time_unix_nano, flags, exemplars, value)| {
                NumberDataPoint {
                    attributes,
                    start_time_unix_nano,
                    time_unix_nano,
                    flags,
                    exemplars,
                    value,
                }
            },
        )
}

fn histogram_point() -> impl Strategy<Value = HistogramDataPoint> {
    let totals = (number(), of(double()), of(double()), of(double()));
    let times = (number(), number(), any::<u32>());
    (
        attributes(),
        times,
        exemplars(),
        totals,
        vec(number(), 0..5),
        vec(double(), 0..5),
    )
        .prop_map(
            |(
                attributes,
                times,
                exemplars,
                (count, sum, min, max),
                bucket_counts,
                explicit_bounds,
            )| HistogramDataPoint {
                attributes,
                start_time_unix_nano: times.0,
                time_unix_nano: times.1,
                flags: times.2,
                exemplars,
                count,
                sum,
                min,
                max,
                bucket_counts,
                explicit_bounds,
            },
        )
}

fn exponential_point() -> impl Strategy<Value = ExponentialHistogramDataPoint> {
    let buckets = || {
        of(
            (any::<i32>(), vec(number(), 0..5)).prop_map(|(offset, bucket_counts)| Buckets {
                offset,
                bucket_counts,
            }),
        )
    };
    let totals = (number(), of(double()), of(double()), of(double()));
    let zeros = (any::<i32>(), number(), double());
    let times = (number(), number(), any::<u32>());
    (
        attributes(),
        times,
        exemplars(),
        totals,
        zeros,
        buckets(),
        buckets(),
    )
        .prop_map(
            |(attributes, times, exemplars, (count, sum, min, max), zeros, positive, negative)| {
                ExponentialHistogramDataPoint {
                    attributes,
                    start_time_unix_nano: times.0,
                    time_unix_nano: times.1,
                    flags: times.2,
                    exemplars,
                    count,
                    sum,
                    min,
                    max,
                    scale: zeros.0,
                    zero_count: zeros.1,
                    zero_threshold: zeros.2,
                    positive,
                    negative,
                }
            },
        )
}

fn summary_point() -> impl Strategy<Value = SummaryDataPoint> {
    let quantile =
        (double(), double()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    (
        attributes(),
        (number(), number(), any::<u32>()),
        number(),
        double(),
        vec(quantile, 0..3),
    )
        .prop_map(
            |(attributes, times, count, sum, quantile_values)| SummaryDataPoint {
                attributes,
                start_time_unix_nano: times.0,
                time_unix_nano: times.1,
                flags: times.2,
                count,
                sum,
                quantile_values,
            },
        )
}

pub(in crate::otlp) fn metrics() -> impl Strategy<Value = ExportMetricsServiceRequest> {
    let data = prop_oneof![
        vec(number_point(), 0..3).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (vec(number_point(), 0..3), any::<i32>(), any::<bool>()).prop_map(
            |(data_points, aggregation_temporality, is_monotonic)| Data::Sum(Sum {
                data_points,
                aggregation_temporality,
                is_monotonic
            })
        ),
        (vec(histogram_point(), 0..3), any::<i32>()).prop_map(
            |(data_points, aggregation_temporality)| {
                Data::Histogram(Histogram {
                    data_points,
                    aggregation_temporality,
                })
            }
        ),
        (vec(exponential_point(), 0..3), any::<i32>()).prop_map(
            |(data_points, aggregation_temporality)| {
                Data::ExponentialHistogram(ExponentialHistogram {
                    data_points,
                    aggregation_temporality,
                })
            }
        ),
        vec(summary_point(), 0..3).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ];
    let metric = (text(), text(), text(), attributes(), of(data)).prop_map(
        |(name, description, unit, metadata, data)| Metric {
            name,
            description,
            unit,
            metadata,
            data,
        },
    );
    let scoped = (scope(), vec(metric, 0..3), text()).prop_map(|(scope, metrics, schema_url)| {
        ScopeMetrics {
            scope,
            metrics,
            schema_url,
        }
    });
    let group = (resource(), vec(scoped, 0..3), text()).prop_map(
        |(resource, scope_metrics, schema_url)| ResourceMetrics {
            resource,
            scope_metrics,
            schema_url,
        },
    );
    vec(group, 0..2).prop_map(|resource_metrics| ExportMetricsServiceRequest { resource_metrics })
}
