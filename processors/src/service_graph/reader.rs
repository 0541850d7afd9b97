//! What each span is to the graph: a side of a call, or a call by itself.

use pipeline::attributes::{Map, MapBuilder, Value, to_json};
use pipeline::component::UnixNanos;
use serde_json::Value as Json;

use super::calls::{Call, Connection};
use super::config::Config;
use super::halves::{Half, Key, Side};
use super::keys::{Keys, Role};
use super::parties::{NO_TEXT, Parties, UNKNOWN};
use super::spans::{Service, Spans};

/// What a span is to the graph.
#[derive(Debug)]
pub(super) enum Seen {
    /// A call by itself: no other span is needed, or none can be found.
    Call(Call),
    /// One side, whose other has this key.
    Half(Key, Half),
}

/// What is asked of spans.
#[derive(Debug)]
pub(super) struct Reader {
    keys: Keys,
    dimensions: Vec<Dimension>,
    virtual_nodes: bool,
}

#[derive(Debug)]
struct Dimension {
    attribute: String,
    of_client: String,
    of_server: String,
}

/// `Span.kind` on the wire.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

impl Reader {
    pub(super) fn new(config: &Config, with_metrics: bool) -> Reader {
        let dimension = |attribute: &String| Dimension {
            attribute: attribute.clone(),
            of_client: format!("client_{attribute}"),
            of_server: format!("server_{attribute}"),
        };
        let dimensions = config.dimensions.iter().filter(|_| with_metrics);
        Reader {
            keys: Keys::new(config),
            dimensions: dimensions.map(dimension).collect(),
            virtual_nodes: !config.virtual_node_peer_attributes.is_empty(),
        }
    }

    /// None where the span is no side of a call.
    pub(super) fn read(
        &self,
        spans: &mut Spans<'_>,
        row: usize,
        parties: &mut Parties,
        now: UnixNanos,
    ) -> Option<Seen> {
        match spans.kind(row) {
            CLIENT | PRODUCER => self.read_client(spans, row, parties, now),
            SERVER | CONSUMER => self.read_server(spans, row, parties, now),
            _ => None,
        }
    }

    /// The call that a half is by itself, when its partner has not come in time.
    pub(super) fn expired(&self, half: &Half) -> Option<Call> {
        // A server with a parent that nobody has seen was called by a service, not by a user.
        (self.virtual_nodes && half.side == Side::Client)
            .then(|| Call::outgoing(half, half.peer, Connection::VirtualServer))
    }

    fn read_client(
        &self,
        spans: &mut Spans<'_>,
        row: usize,
        parties: &mut Parties,
        now: UnixNanos,
    ) -> Option<Seen> {
        let service = spans.service(row, parties)?;
        let found = self.keys.find(spans.attributes(row));
        let mut half = self.half(Side::Client, spans, row, &service, parties, now);
        let resolved = spans.peer_uid(row);
        if let Some(name) = found.database {
            let database = match resolved {
                Some(uid) => parties.resolved(uid, name),
                None => parties.database(name, found.host, found.port),
            };
            let call = Call::outgoing(&half, database, Connection::Database);
            return Some(Seen::Call(call));
        }
        half.peer = match (found.peer, resolved) {
            (Some((Role::Service, name)), _) => parties.peer_service(service.party, name),
            (Some((_, name)), Some(uid)) => parties.resolved(uid, name),
            (Some((Role::Host, host)), None) => parties.endpoint(host, found.port),
            (Some((Role::Name | Role::Port, name)), None) => parties.named(name),
            (None, Some(uid)) => parties.resolved(uid, UNKNOWN),
            (None, None) => parties.unknown,
        };
        match spans.own_key(row) {
            Some(key) => Some(Seen::Half(key, half)),
            None => self.expired(&half).map(Seen::Call),
        }
    }

    fn read_server(
        &self,
        spans: &mut Spans<'_>,
        row: usize,
        parties: &mut Parties,
        now: UnixNanos,
    ) -> Option<Seen> {
        let service = spans.service(row, parties)?;
        let half = self.half(Side::Server, spans, row, &service, parties, now);
        if spans.has_parent(row) {
            let key = spans.parent_key(row)?;
            return Some(Seen::Half(key, half));
        }
        // A consumer may begin a trace of its own, with a link to the producer.
        if let Some(key) = spans.link_key(row).filter(|_| half.messaging) {
            return Some(Seen::Half(key, half));
        }
        // A root has no other side that it could wait for.
        let call = Call::incoming(&half, parties.user);
        self.virtual_nodes.then_some(Seen::Call(call))
    }

    fn half(
        &self,
        side: Side,
        spans: &Spans<'_>,
        row: usize,
        service: &Service<'_>,
        parties: &mut Parties,
        now: UnixNanos,
    ) -> Half {
        let (start, end) = match spans.times(row) {
            (0, 0) => (now.0, now.0),
            (0, end) => (end, end),
            (start, 0) => (start, start),
            both => both,
        };
        Half {
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

    /// The resource's attribute goes before the span's.
    fn dimensions(
        &self,
        side: Side,
        spans: &Spans<'_>,
        row: usize,
        service: &Service<'_>,
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
                Side::Client => &dimension.of_client,
                Side::Server => &dimension.of_server,
            };
            attributes.text(key, &in_words(value));
        }
        parties.text(&attributes.finish())
    }
}

/// As the Collector says it: lists and maps as JSON, bytes in base64, and what is empty as no text.
/// Source: `Value.AsString` of pdata.
fn in_words(value: Value<'_>) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Double(double) => double_in_words(double),
        other => match to_json(other) {
            Json::String(text) => text,
            json => json.to_string(),
        },
    }
}

/// ECMAScript's form: an exponent below 1e-6 and from 1e21 on.
fn double_in_words(double: f64) -> String {
    let abs = double.abs();
    if abs.is_infinite() {
        return if double > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    if abs >= 1e21 {
        return format!("{double:e}").replace('e', "e+");
    }
    if abs > 0.0 && abs < 1e-6 {
        return format!("{double:e}");
    }
    double.to_string()
}
