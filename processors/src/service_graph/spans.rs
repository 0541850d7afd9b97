//! Rows of `traces`, as sides of calls.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt64Type};
use arrow_array::{Array, BinaryViewArray, FixedSizeBinaryArray, Int32Array, StringViewArray};
use pipeline::Batch;
use pipeline::attributes::{Map, MapBuilder, Value};
use pipeline::component::UnixNanos;
use pipeline::schema::traces::link;
use pipeline::schema::{otlp_context, traces};

use super::calls::{Call, Connection};
use super::config::Config;
use super::halves::{Half, Key, Side};
use super::keys::{Keys, Role};
use super::parties::{NO_TEXT, Parties, Party};

/// What a span is to the graph.
#[derive(Debug)]
pub(super) enum Seen {
    /// A call by itself: no other span is needed, or none can be found.
    Call(Call),
    /// One side, whose other has this key.
    Half(Key, Half),
}

/// The columns that are read, once a batch.
#[derive(Debug)]
pub(super) struct Spans<'a> {
    kinds: &'a [i32],
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
    parents: &'a FixedSizeBinaryArray,
    links: Links<'a>,
    starts: &'a [u64],
    ends: &'a [u64],
    status: &'a Int32Array,
    attributes: &'a BinaryViewArray,
    resources: &'a BinaryViewArray,
    names: &'a StringViewArray,
    namespaces: &'a StringViewArray,
    uids: &'a StringViewArray,
    /// The service of the row before: rows of one resource follow each other.
    last: Option<([u128; 4], Option<Service<'a>>)>,
}

/// The column `links`: where each row's begin, and their ids.
#[derive(Debug)]
struct Links<'a> {
    offsets: &'a [i32],
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
}

/// Who sent a span.
#[derive(Clone, Copy, Debug)]
struct Service<'a> {
    party: Party,
    resource: Map<'a>,
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

const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;
const ERROR: i32 = 2;

impl<'a> Spans<'a> {
    pub(super) fn of(batch: &'a Batch) -> Spans<'a> {
        Spans {
            kinds: batch.numbers::<Int32Type>(traces::KIND).values(),
            trace_ids: batch.ids(traces::TRACE_ID),
            span_ids: batch.ids(traces::SPAN_ID),
            parents: batch.ids(traces::PARENT_SPAN_ID),
            links: Links::of(batch),
            starts: batch
                .numbers::<UInt64Type>(traces::START_TIME_UNIX_NANO)
                .values(),
            ends: batch
                .numbers::<UInt64Type>(traces::END_TIME_UNIX_NANO)
                .values(),
            status: batch.numbers::<Int32Type>(traces::STATUS_CODE),
            attributes: batch.bytes(traces::ATTRIBUTES),
            resources: batch.bytes(otlp_context::RESOURCE_ATTRIBUTES),
            names: batch.text(otlp_context::SERVICE_NAME),
            namespaces: batch.text(otlp_context::SERVICE_NAMESPACE),
            uids: batch.uid(),
            last: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Who sent the span; none where the resource does not say. Where a row has the very views of
    /// the row before, it has that one's service.
    fn service(&mut self, row: usize, parties: &mut Parties) -> Option<Service<'a>> {
        let view = |array: &dyn Array, views: &[u128]| {
            if array.is_null(row) { 0 } else { views[row] }
        };
        let views = [
            view(self.resources, self.resources.views()),
            view(self.names, self.names.views()),
            view(self.namespaces, self.namespaces.views()),
            view(self.uids, self.uids.views()),
        ];
        match self.last {
            Some((last, service)) if last == views => service,
            _ => {
                let service = self.find_service(row, parties);
                self.last = Some((views, service));
                service
            }
        }
    }

    fn find_service(&self, row: usize, parties: &mut Parties) -> Option<Service<'a>> {
        let text = |texts: &'a StringViewArray| match texts.is_valid(row) {
            true => texts.value(row),
            false => "",
        };
        let resource = match self.resources.is_valid(row) {
            true => Map::new(self.resources.value(row)),
            false => Map::default(),
        };
        let uid = Some(text(self.uids)).filter(|uid| uid.starts_with("svc://"));
        let name = text(self.names);
        if name.is_empty() && uid.is_none() {
            return None;
        }
        let environment = resource
            .text("deployment.environment.name")
            .or_else(|| resource.text("deployment.environment"))
            .unwrap_or_default();
        let party = parties.service(uid, environment, text(self.namespaces), name);
        Some(Service { party, resource })
    }

    fn has_parent(&self, row: usize) -> bool {
        id(self.parents, row).is_some()
    }
}

impl<'a> Links<'a> {
    fn of(batch: &'a Batch) -> Links<'a> {
        let lists = batch.column(traces::LINKS).as_list::<i32>();
        let links = lists.values().as_struct();
        let ids = |name| {
            let column = links.column_by_name(name);
            column.expect("a link has its ids").as_fixed_size_binary()
        };
        Links {
            offsets: lists.value_offsets(),
            trace_ids: ids(link::TRACE_ID),
            span_ids: ids(link::SPAN_ID),
        }
    }

    /// The first of the row's links.
    fn first(&self, row: usize) -> Option<Key> {
        let (begin, end) = (self.offsets[row], self.offsets[row + 1]);
        let first = usize::try_from(begin).ok()?;
        (begin < end)
            .then(|| key(self.trace_ids, self.span_ids, first))
            .flatten()
    }
}

fn key(
    trace_ids: &FixedSizeBinaryArray,
    span_ids: &FixedSizeBinaryArray,
    row: usize,
) -> Option<Key> {
    let trace = id(trace_ids, row)?;
    let span = id(span_ids, row)?;
    Some(Key {
        trace: u128::from_ne_bytes(trace.try_into().ok()?),
        span: u64::from_ne_bytes(span.try_into().ok()?),
    })
}

/// An id of zeros is none, as W3C has it.
fn id(ids: &FixedSizeBinaryArray, row: usize) -> Option<&[u8]> {
    let id = ids.is_valid(row).then(|| ids.value(row))?;
    id.iter().any(|&byte| byte != 0).then_some(id)
}

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
        match spans.kinds[row] {
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
        let found = self.keys.find(spans.attributes.value(row));
        let mut half = self.half(Side::Client, spans, row, &service, parties, now);
        if let Some(name) = found.database {
            let database = parties.database(name, found.host, found.port);
            let call = Call::outgoing(&half, database, Connection::Database);
            return Some(Seen::Call(call));
        }
        half.peer = match found.peer {
            Some((Role::Service, name)) => parties.peer_service(service.party, name),
            Some((Role::Host, host)) => parties.endpoint(host, found.port),
            Some((Role::Name | Role::Port, name)) => parties.named(name),
            None => parties.unknown,
        };
        match key(spans.trace_ids, spans.span_ids, row) {
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
            let key = key(spans.trace_ids, spans.parents, row)?;
            return Some(Seen::Half(key, half));
        }
        // A consumer may begin a trace of its own, with a link to the producer.
        if let Some(key) = spans.links.first(row).filter(|_| half.messaging) {
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
        let (start, end) = match (spans.starts[row], spans.ends[row]) {
            (0, 0) => (now.0, now.0),
            (0, end) => (end, end),
            (start, 0) => (start, start),
            both => both,
        };
        Half {
            side,
            messaging: matches!(spans.kinds[row], PRODUCER | CONSUMER),
            failed: spans.status.is_valid(row) && spans.status.value(row) == ERROR,
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
        let span = Map::new(spans.attributes.value(row));
        let mut attributes = MapBuilder::new();
        for dimension in &self.dimensions {
            let name = dimension.attribute.as_str();
            let value = service.resource.get(name).or_else(|| span.get(name));
            let Some(text) = value.and_then(in_words) else {
                continue;
            };
            let key = match side {
                Side::Client => &dimension.of_client,
                Side::Server => &dimension.of_server,
            };
            attributes.text(key, &text);
        }
        parties.text(&attributes.finish())
    }
}

fn in_words(value: Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.to_owned()),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Int(int) => Some(int.to_string()),
        Value::Double(double) => Some(double.to_string()),
        _ => None,
    }
}
