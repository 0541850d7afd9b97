//! Export requests of spans. They are encoded once; each request gets new trace ids in the encoded bytes.
//!
//! ```text
//!  turn n:  request of service 0 … request of service 15, all with n in their trace ids
//!           client span k of service s ──▶ server span k of service s + 1
//! ```
//!
//! So a turn has as many calls as client spans, and the two spans of a call are in different requests, like those of
//! two services.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

#[path = "../requests/mod.rs"]
#[allow(dead_code, reason = "this benchmark uses only traces")]
mod realistic;

/// Spans per request.
pub(crate) const SPANS: u64 = 512;
/// Requests per turn.
pub(crate) const SERVICES: u64 = 16;
/// Calls per turn.
pub(crate) const CALLS: u64 = SERVICES * SPANS / 2;

/// The placeholder of the turn number in a trace id; these bytes occur nowhere else in a request.
const TURN: [u8; 8] = *b"\xf1\x9dturn\x9d\xf1";
/// `Span.kind` on the wire.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;

/// Templates of the requests of one turn.
pub(crate) struct Requests {
    templates: Vec<Template>,
}

struct Template {
    bytes: Vec<u8>,
    /// Offsets of the turn number.
    turns: Vec<usize>,
}

impl Requests {
    pub(crate) fn new() -> Requests {
        let template = |service| {
            let bytes = of_service(service).encode_to_vec();
            let turns = bytes
                .windows(TURN.len())
                .enumerate()
                .filter(|(_, window)| *window == TURN)
                .map(|(place, _)| place)
                .collect();
            Template { bytes, turns }
        };
        Requests {
            templates: (0..SERVICES).map(template).collect(),
        }
    }

    /// The request with this number, counted over all turns.
    pub(crate) fn request(&self, number: u64) -> Bytes {
        let template = &self.templates[(number % SERVICES) as usize];
        let turn = (number / SERVICES + 1).to_be_bytes();
        let mut bytes = template.bytes.clone();
        for &place in &template.turns {
            bytes[place..place + turn.len()].copy_from_slice(&turn);
        }
        bytes.into()
    }

    pub(crate) fn bytes_of_a_span(&self) -> u64 {
        let bytes: usize = self.templates.iter().map(|one| one.bytes.len()).sum();
        bytes as u64 / (SERVICES * SPANS)
    }
}

fn of_service(service: u64) -> ExportTraceServiceRequest {
    let mut request = realistic::traces(SPANS as usize);
    let resource = &mut request.resource_spans[0];
    if let Some(attributes) = resource.resource.as_mut() {
        attributes.attributes[0].value = Some(AnyValue {
            value: Some(Value::StringValue(format!("service-{service}"))),
        });
    }
    let before = (service + SERVICES - 1) % SERVICES;
    let spans = &mut resource.scope_spans[0].spans;
    for (call, two) in (0..).zip(spans.chunks_exact_mut(2)) {
        let [server, client] = two else { continue };
        make_side(client, CLIENT, service, call, [0, 1]);
        make_side(server, SERVER, before, call, [1, 2]);
    }
    request
}

/// Makes the span one side of a call by `caller`. `ids` select the ids of the parent and of the span; no span has
/// id 0, so it is the parent of a client span.
fn make_side(span: &mut Span, kind: i32, caller: u64, call: u64, ids: [u64; 2]) {
    let number = (caller << 32) | (call + 1);
    let id = |side: u64| ((side << 56) | number).to_be_bytes().to_vec();
    span.kind = kind;
    span.trace_id = [TURN, number.to_be_bytes()].concat();
    span.parent_span_id = id(ids[0] + 1);
    span.span_id = id(ids[1] + 1);
}
