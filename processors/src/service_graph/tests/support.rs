//! Builds spans and reads the emitted rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, TimestampNanosecondType, UInt32Type, UInt64Type};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use pipeline::attributes::{MapBuilder, map_from_json};
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{edge_stats, edges, opening, otlp_context, traces};
use pipeline::{Batch, Delivery, Signal, SignalSet};
use prost::Message;
use serde_json::Value as Json;

use crate::service_graph::{Config, ServiceGraph};

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
/// The default start of spans: the start of a minute.
pub(super) const START: u64 = 1_700_000_040 * SECOND;

/// The time that is `seconds` after [`START`].
pub(super) fn at(seconds: u64) -> UnixNanos {
    UnixNanos(START + seconds * SECOND)
}

/// A processor; a downstream component accepts the signals `accepted`.
pub(super) fn graph(yaml: &str, accepted: SignalSet) -> ServiceGraph {
    let host = Host::new("service_graph".parse().unwrap(), accepted, Arc::default());
    let config: Config = serde_json::from_str(yaml).unwrap();
    ServiceGraph::build(config, &host).unwrap()
}

/// A processor with the default configuration; a downstream component accepts all signals.
pub(super) fn default_graph() -> ServiceGraph {
    graph("{}", SignalSet::ALL)
}

/// A span to process.
#[derive(Clone, Debug)]
pub(super) struct TestSpan {
    pub(super) service: &'static str,
    pub(super) kind: i64,
    pub(super) trace: u8,
    pub(super) id: u8,
    pub(super) parent: u8,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) failed: bool,
    pub(super) attributes: Json,
    pub(super) uid: Option<&'static str>,
    pub(super) peer_uid: Option<&'static str>,
}

/// A client span of 1 s without attributes.
pub(super) fn client(service: &'static str, id: u8) -> TestSpan {
    TestSpan {
        service,
        kind: 3,
        trace: 1,
        id,
        parent: 99,
        start: START,
        end: START + SECOND,
        failed: false,
        attributes: Json::Object(serde_json::Map::new()),
        uid: None,
        peer_uid: None,
    }
}

/// A server span whose parent has this id; 0 means no parent.
pub(super) fn server(service: &'static str, parent: u8) -> TestSpan {
    TestSpan {
        kind: 2,
        id: 100 + parent,
        parent,
        ..client(service, 0)
    }
}

impl TestSpan {
    pub(super) fn with(self, attributes: Json) -> TestSpan {
        TestSpan { attributes, ..self }
    }

    pub(super) fn between(self, start: u64, end: u64) -> TestSpan {
        TestSpan { start, end, ..self }
    }
}

/// The cell of an id; null if the id is all zeros.
fn id_cell(id: &[u8]) -> Cell<'_> {
    if id[0] == 0 {
        Cell::Null
    } else {
        Cell::Bytes(id)
    }
}

pub(super) fn batch(spans: &[TestSpan]) -> Batch {
    batch_of(spans, None)
}

/// Spans of `resource`. If it is `None`, each span has a resource that names its service.
pub(super) fn batch_of(spans: &[TestSpan], resource: Option<&Json>) -> Batch {
    let given = resource.and_then(Json::as_object).map(map_from_json);
    let mut rows = Rows::new(Signal::Traces);
    for span in spans {
        let resource = MapBuilder::new()
            .text("service.name", span.service)
            .text("service.namespace", "shop")
            .text("deployment.environment.name", "prod")
            .text("cloud.region", "eu-west-1")
            .finish();
        let resource = given.clone().unwrap_or(resource);
        let attributes = map_from_json(span.attributes.as_object().unwrap());
        let trace = [span.trace; 16];
        let (id, parent) = ([span.id; 8], [span.parent; 8]);
        let cells = [
            (traces::TRACE_ID, id_cell(&trace)),
            (traces::SPAN_ID, id_cell(&id)),
            (traces::PARENT_SPAN_ID, id_cell(&parent)),
            (traces::KIND, Cell::Int(span.kind)),
            (traces::START_TIME_UNIX_NANO, Cell::UInt(span.start)),
            (traces::END_TIME_UNIX_NANO, Cell::UInt(span.end)),
            (
                traces::STATUS_CODE,
                Cell::Int(if span.failed { 2 } else { 0 }),
            ),
            (traces::ATTRIBUTES, Cell::Bytes(&attributes)),
            (traces::PEER_UID, span.peer_uid.into()),
            (otlp_context::SERVICE_NAME, Cell::Text(span.service)),
            (otlp_context::SERVICE_NAMESPACE, Cell::Text("shop")),
            (otlp_context::RESOURCE_ATTRIBUTES, Cell::Bytes(&resource)),
        ];
        rows.push(Some(UnixNanos(span.start)), span.uid, "otlp", &cells);
    }
    rows.finish(Delivery::untracked())
}

/// A span decoded from an OTLP request.
pub(super) fn decoded(service: &str, span: opentelemetry_proto::tonic::trace::v1::Span) -> Batch {
    let name = KeyValue {
        key: "service.name".to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(service.to_owned())),
        }),
        ..KeyValue::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![name],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let bytes = bytes::Bytes::from(request.encode_to_vec());
    pipeline::otlp::decode_traces(bytes, "otlp", Delivery::untracked()).unwrap()
}

/// Processes spans, checks that the processor forwards them, and returns the other emitted batches.
pub(super) fn process_spans(
    graph: &mut ServiceGraph,
    spans: &[TestSpan],
    now: UnixNanos,
) -> Vec<Batch> {
    let mut output = graph.process(batch(spans), now).unwrap();
    let forwarded = output.pop().unwrap();
    assert_eq!(forwarded.signal(), Signal::Traces);
    assert_eq!(forwarded.num_rows(), spans.len());
    output
}

/// The first batch of a signal.
pub(super) fn find_batch(batches: &[Batch], signal: Signal) -> Option<&Batch> {
    batches.iter().find(|batch| batch.signal() == signal)
}

/// A row of `edge_stats`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StatsRow {
    /// The uids without their common prefix, such as `web -> cart`.
    pub(super) edge: String,
    pub(super) connection: String,
    pub(super) time: i64,
    pub(super) chunk: u32,
    pub(super) writer: String,
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) sum: f64,
    pub(super) max: f64,
    pub(super) offset: i32,
    pub(super) counts: Vec<u64>,
}

fn short(uid: &str) -> &str {
    uid.strip_prefix("svc://prod/shop/").unwrap_or(uid)
}

/// All rows of `edge_stats`, sorted by edge, time and chunk.
pub(super) fn stats_rows(batches: &[Batch]) -> Vec<StatsRow> {
    let mut all = Vec::new();
    for batch in batches {
        if batch.signal() != Signal::EdgeStats {
            continue;
        }
        for row in 0..batch.num_rows() {
            let uid = batch.uid().value(row);
            let to = batch.text(edge_stats::TO).value(row);
            let connections = batch.words(edge_stats::CONNECTION_TYPE);
            let connection = connections.keys().value(row) as usize;
            let float = |column| batch.numbers::<Float64Type>(column).value(row);
            let count = |column| batch.numbers::<UInt64Type>(column).value(row);
            let counts = batch.column(edge_stats::DURATION_COUNTS).as_list::<i32>();
            let counts = counts.value(row);
            all.push(StatsRow {
                edge: format!("{} -> {}", short(uid), short(to)),
                connection: connections.values().value(connection).to_owned(),
                time: batch
                    .numbers::<TimestampNanosecondType>(opening::TIME)
                    .value(row),
                chunk: batch.numbers::<UInt32Type>(edge_stats::CHUNK).value(row),
                writer: batch.text(edge_stats::WRITER).value(row).to_owned(),
                calls: count(edge_stats::CALLS),
                errors: count(edge_stats::ERRORS),
                sum: float(edge_stats::DURATION_SUM),
                max: float(edge_stats::DURATION_MAX),
                offset: batch
                    .numbers::<Int32Type>(edge_stats::DURATION_OFFSET)
                    .value(row),
                counts: counts.as_primitive::<UInt64Type>().values().to_vec(),
            });
        }
    }
    all.sort_by(|one, other| {
        (&one.edge, one.time, one.chunk).cmp(&(&other.edge, other.time, other.chunk))
    });
    all
}

/// The edge, such as `web -> cart`, and the connection type of each row of `edge_stats`.
pub(super) fn connections(batches: &[Batch]) -> Vec<(String, String)> {
    let all = stats_rows(batches).into_iter();
    all.map(|row| (row.edge, row.connection)).collect()
}

/// Edge, time and confidence of each row of `edges`.
pub(super) fn edge_rows(batches: &[Batch]) -> Vec<(String, i64, f64)> {
    let Some(batch) = find_batch(batches, Signal::Edges) else {
        return Vec::new();
    };
    let row = |row| {
        let (from, to) = (batch.uid().value(row), batch.text(edges::TO).value(row));
        let times = batch.numbers::<TimestampNanosecondType>(opening::TIME);
        let confidence = batch.numbers::<Float64Type>(edges::CONFIDENCE).value(row);
        let edge = format!("{} -> {}", short(from), short(to));
        (edge, times.value(row), confidence)
    };
    let mut all: Vec<_> = (0..batch.num_rows()).map(row).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}
