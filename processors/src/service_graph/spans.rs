//! Reads the columns of `traces` that `service_graph` needs.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt64Type};
use arrow_array::{Array, BinaryViewArray, FixedSizeBinaryArray, Int32Array, StringViewArray};
use pipeline::Batch;
use pipeline::attributes::Map;
use pipeline::batch::cells;
use pipeline::schema::traces::link;
use pipeline::schema::{otlp_context, traces};

use super::parties::{Parties, Party};
use super::pending::CallKey;

/// The columns of one batch.
#[derive(Debug)]
pub(super) struct SpanColumns<'a> {
    kinds: &'a [i32],
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
    parents: &'a FixedSizeBinaryArray,
    links: LinkColumns<'a>,
    starts: &'a [u64],
    ends: &'a [u64],
    status: &'a Int32Array,
    attributes: &'a BinaryViewArray,
    resources: &'a BinaryViewArray,
    names: &'a StringViewArray,
    namespaces: &'a StringViewArray,
    uids: &'a StringViewArray,
    peer_uids: &'a StringViewArray,
    /// The views and the service of the previous row: rows of one resource are consecutive.
    last: Option<([u128; 4], Option<SpanService<'a>>)>,
}

/// The column `links`: the offset of each row's first link, and the ids of all links.
#[derive(Debug)]
struct LinkColumns<'a> {
    offsets: &'a [i32],
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
}

/// The service that sent a span, and its resource attributes.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpanService<'a> {
    pub(super) party: Party,
    pub(super) resource: Map<'a>,
}

/// The number of `STATUS_CODE_ERROR` in OTLP.
const ERROR: i32 = 2;

impl<'a> SpanColumns<'a> {
    pub(super) fn of(batch: &'a Batch) -> SpanColumns<'a> {
        SpanColumns {
            kinds: batch.numbers::<Int32Type>(traces::KIND).values(),
            trace_ids: batch.ids(traces::TRACE_ID),
            span_ids: batch.ids(traces::SPAN_ID),
            parents: batch.ids(traces::PARENT_SPAN_ID),
            links: LinkColumns::of(batch),
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
            peer_uids: batch.text(traces::PEER_UID),
            last: None,
        }
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The service that sent the span; `None` if neither `uid` nor the resource names one. A row whose views equal
    /// those of the previous row has the same service.
    pub(super) fn service(&mut self, row: usize, parties: &mut Parties) -> Option<SpanService<'a>> {
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

    fn find_service(&self, row: usize, parties: &mut Parties) -> Option<SpanService<'a>> {
        let text = |texts: &'a StringViewArray| cells::text(texts, row).unwrap_or_default();
        let resource = cells::bytes(self.resources, row);
        let resource = resource.map(Map::new).unwrap_or_default();
        let uid = Some(text(self.uids)).filter(|uid| uid.starts_with("svc://"));
        let name = text(self.names);
        if name.is_empty() && uid.is_none() {
            return None;
        }
        let service = crate::service::Service::of(resource, text(self.namespaces), name);
        let party = parties.service(uid, &service);
        Some(SpanService { party, resource })
    }

    /// The number of the `SpanKind` in OTLP.
    pub(super) fn kind(&self, row: usize) -> i32 {
        self.kinds[row]
    }

    pub(super) fn failed(&self, row: usize) -> bool {
        cells::number(self.status, row) == Some(ERROR)
    }

    /// Start and end in nanoseconds since 1970, as received; 0 if not set.
    pub(super) fn times(&self, row: usize) -> (u64, u64) {
        (self.starts[row], self.ends[row])
    }

    /// The encoded attributes of the span.
    pub(super) fn attributes(&self, row: usize) -> &'a [u8] {
        self.attributes.value(row)
    }

    /// The uid of the peer, if an earlier processor resolved it.
    pub(super) fn peer_uid(&self, row: usize) -> Option<&'a str> {
        cells::text(self.peer_uids, row)
    }

    /// The key of the call, if this span is its client span.
    pub(super) fn key_as_client(&self, row: usize) -> Option<CallKey> {
        key(self.trace_ids, self.span_ids, row)
    }

    pub(super) fn has_parent(&self, row: usize) -> bool {
        id(self.parents, row).is_some()
    }

    /// The key of the call, if the parent of this span is its client span.
    pub(super) fn parent_key(&self, row: usize) -> Option<CallKey> {
        key(self.trace_ids, self.parents, row)
    }

    /// The key of the call, if the span of the first link is its client span.
    pub(super) fn link_key(&self, row: usize) -> Option<CallKey> {
        self.links.first(row)
    }
}

impl<'a> LinkColumns<'a> {
    fn of(batch: &'a Batch) -> LinkColumns<'a> {
        let lists = batch.column(traces::LINKS).as_list::<i32>();
        let links = lists.values().as_struct();
        let ids = |name| {
            let column = links.column_by_name(name);
            column
                .expect("the schema of links has ids")
                .as_fixed_size_binary()
        };
        LinkColumns {
            offsets: lists.value_offsets(),
            trace_ids: ids(link::TRACE_ID),
            span_ids: ids(link::SPAN_ID),
        }
    }

    fn first(&self, row: usize) -> Option<CallKey> {
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
) -> Option<CallKey> {
    let trace = id(trace_ids, row)?;
    let span = id(span_ids, row)?;
    Some(CallKey {
        trace: u128::from_ne_bytes(trace.try_into().ok()?),
        span: u64::from_ne_bytes(span.try_into().ok()?),
    })
}

/// The id in a row; `None` if it is null or all zeros, which is invalid (W3C Trace Context).
fn id(ids: &FixedSizeBinaryArray, row: usize) -> Option<&[u8]> {
    let id = cells::id(ids, row)?;
    id.iter().any(|&byte| byte != 0).then_some(id)
}
