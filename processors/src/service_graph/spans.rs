//! The columns of `traces` that make calls.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt64Type};
use arrow_array::{Array, BinaryViewArray, FixedSizeBinaryArray, Int32Array, StringViewArray};
use pipeline::Batch;
use pipeline::attributes::Map;
use pipeline::schema::traces::link;
use pipeline::schema::{otlp_context, traces};

use super::halves::Key;
use super::parties::{Parties, Party};

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
    peer_uids: &'a StringViewArray,
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
pub(super) struct Service<'a> {
    pub(super) party: Party,
    pub(super) resource: Map<'a>,
}

/// `Status.code` on the wire.
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
            peer_uids: batch.text(traces::PEER_UID),
            last: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Who sent the span; none where the resource does not say. Where a row has the very views of
    /// the row before, it has that one's service.
    pub(super) fn service(&mut self, row: usize, parties: &mut Parties) -> Option<Service<'a>> {
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
        let service = crate::service::Service::of(resource, text(self.namespaces), name);
        let party = parties.service(uid, &service);
        Some(Service { party, resource })
    }

    pub(super) fn kind(&self, row: usize) -> i32 {
        self.kinds[row]
    }

    pub(super) fn failed(&self, row: usize) -> bool {
        self.status.is_valid(row) && self.status.value(row) == ERROR
    }

    /// Start and end as they came, 0 where not given.
    pub(super) fn times(&self, row: usize) -> (u64, u64) {
        (self.starts[row], self.ends[row])
    }

    pub(super) fn attributes(&self, row: usize) -> &'a [u8] {
        self.attributes.value(row)
    }

    /// Who the other side is, where a processor before this one has found out.
    pub(super) fn peer_uid(&self, row: usize) -> Option<&'a str> {
        self.peer_uids
            .is_valid(row)
            .then(|| self.peer_uids.value(row))
    }

    /// The span itself.
    pub(super) fn own_key(&self, row: usize) -> Option<Key> {
        key(self.trace_ids, self.span_ids, row)
    }

    pub(super) fn has_parent(&self, row: usize) -> bool {
        id(self.parents, row).is_some()
    }

    pub(super) fn parent_key(&self, row: usize) -> Option<Key> {
        key(self.trace_ids, self.parents, row)
    }

    /// The span that the first link leads to.
    pub(super) fn link_key(&self, row: usize) -> Option<Key> {
        self.links.first(row)
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
