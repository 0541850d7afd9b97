//! Converts each span to a call, or to one side of a call that needs the span of the other side.

use pipeline::attributes::{Map, MapBuilder, to_text};
use pipeline::component::UnixNanos;

use super::calls::{Call, ConnectionType};
use super::config::Config;
use super::parties::{NO_TEXT, Parties, UNKNOWN};
use super::peer_attributes::{PeerKeys, PeerRole};
use super::pending::{CallKey, CallSide, CallSpan};
use super::spans::{SpanColumns, SpanService};

/// The result of reading a span.
#[derive(Debug)]
pub(super) enum ReadSpan {
    /// A call that needs no other span, or whose server span cannot be found, since the client span has no valid id.
    Call(Call),
    /// One side of a call. The span of the other side has the same key.
    OneSide(CallKey, CallSpan),
}

/// Reads spans by the configuration.
#[derive(Debug)]
pub(super) struct SpanReader {
    keys: PeerKeys,
    dimensions: Vec<Dimension>,
    /// Whether calls with a virtual node are counted.
    virtual_nodes: bool,
}

/// An attribute that is added to the metrics.
#[derive(Debug)]
struct Dimension {
    attribute: String,
    /// The key in the metrics if the client span has the attribute.
    client_key: String,
    /// The key in the metrics if the server span has the attribute.
    server_key: String,
}

/// The numbers of `SpanKind` in OTLP.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

impl SpanReader {
    pub(super) fn new(config: &Config, with_metrics: bool) -> SpanReader {
        let dimension = |attribute: &String| Dimension {
            attribute: attribute.clone(),
            client_key: format!("client_{attribute}"),
            server_key: format!("server_{attribute}"),
        };
        let dimensions = config.dimensions.iter().filter(|_| with_metrics);
        SpanReader {
            keys: PeerKeys::new(config),
            dimensions: dimensions.map(dimension).collect(),
            virtual_nodes: !config.virtual_node_peer_attributes.is_empty(),
        }
    }

    /// Reads the span of a row. `None` if the span is not counted.
    pub(super) fn read(
        &self,
        spans: &mut SpanColumns<'_>,
        row: usize,
        parties: &mut Parties,
        now: UnixNanos,
    ) -> Option<ReadSpan> {
        match spans.kind(row) {
            CLIENT | PRODUCER => self.read_client(spans, row, parties, now),
            SERVER | CONSUMER => self.read_server(spans, row, parties, now),
            _ => None,
        }
    }

    /// The call of a span whose partner did not arrive within `ttl`. `None` if such a span is not counted.
    pub(super) fn expired(&self, span: &CallSpan) -> Option<Call> {
        // A server span with a lost parent is not counted: its client is an unknown service and not `user`.
        (self.virtual_nodes && span.side == CallSide::Client)
            .then(|| Call::outgoing(span, span.peer, ConnectionType::VirtualServer))
    }

    fn read_client(
        &self,
        spans: &mut SpanColumns<'_>,
        row: usize,
        parties: &mut Parties,
        now: UnixNanos,
    ) -> Option<ReadSpan> {
        let service = spans.service(row, parties)?;
        let named = self.keys.read(spans.attributes(row));
        let mut span = self.call_span(CallSide::Client, spans, row, &service, parties, now);
        let resolved = spans.peer_uid(row);
        if let Some(name) = named.database {
            let database = match resolved {
                Some(uid) => parties.resolved(uid, name),
                None => parties.database(name, named.host, named.port),
            };
            let call = Call::outgoing(&span, database, ConnectionType::Database);
            return Some(ReadSpan::Call(call));
        }
        span.peer = match (named.peer, resolved) {
            (Some((PeerRole::Service, name)), _) => parties.peer_service(service.party, name),
            (Some((_, name)), Some(uid)) => parties.resolved(uid, name),
            (Some((PeerRole::Host, host)), None) => parties.endpoint(host, named.port),
            (Some((PeerRole::Name | PeerRole::Port, name)), None) => parties.named_server(name),
            (None, Some(uid)) => parties.resolved(uid, UNKNOWN),
            (None, None) => parties.unknown,
        };
        match spans.key_as_client(row) {
            Some(key) => Some(ReadSpan::OneSide(key, span)),
            None => self.expired(&span).map(ReadSpan::Call),
        }
    }

    fn read_server(
        &self,
        spans: &mut SpanColumns<'_>,
        row: usize,
        parties: &mut Parties,
        now: UnixNanos,
    ) -> Option<ReadSpan> {
        let service = spans.service(row, parties)?;
        let span = self.call_span(CallSide::Server, spans, row, &service, parties, now);
        if spans.has_parent(row) {
            let key = spans.parent_key(row)?;
            return Some(ReadSpan::OneSide(key, span));
        }
        // A consumer can start a new trace and link to the producer.
        if let Some(key) = spans.link_key(row).filter(|_| span.messaging) {
            return Some(ReadSpan::OneSide(key, span));
        }
        // A root span has no client span to wait for.
        let call = Call::incoming(&span, parties.user);
        self.virtual_nodes.then_some(ReadSpan::Call(call))
    }

    /// One side of a call, with an unknown peer. A missing start equals the end, a missing end the start; if both are
    /// missing, they are `now`.
    fn call_span(
        &self,
        side: CallSide,
        spans: &SpanColumns<'_>,
        row: usize,
        service: &SpanService<'_>,
        parties: &mut Parties,
        now: UnixNanos,
    ) -> CallSpan {
        let (start, end) = match spans.times(row) {
            (0, 0) => (now.0, now.0),
            (0, end) => (end, end),
            (start, 0) => (start, start),
            both => both,
        };
        CallSpan {
            side,
            messaging: matches!(spans.kind(row), PRODUCER | CONSUMER),
            failed: spans.failed(row),
            party: service.party,
            peer: parties.unknown,
            dimensions: self.dimensions(side, spans, row, service, parties),
            start,
            end,
        }
    }

    /// Interns the dimensions of a span. A resource attribute takes precedence over a span attribute.
    fn dimensions(
        &self,
        side: CallSide,
        spans: &SpanColumns<'_>,
        row: usize,
        service: &SpanService<'_>,
        parties: &mut Parties,
    ) -> u32 {
        if self.dimensions.is_empty() {
            return NO_TEXT;
        }
        let span = Map::new(spans.attributes(row));
        let mut attributes = MapBuilder::new();
        for dimension in &self.dimensions {
            let name = dimension.attribute.as_str();
            let Some(value) = service.resource.get(name).or_else(|| span.get(name)) else {
                continue;
            };
            let key = match side {
                CallSide::Client => &dimension.client_key,
                CallSide::Server => &dimension.server_key,
            };
            attributes.text(key, &to_text(value));
        }
        parties.intern_text(&attributes.finish())
    }
}
