//! Encodes rows of `traces` as spans.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryViewArray, FixedSizeBinaryArray, Int32Array, ListArray, StringViewArray,
    UInt32Array, UInt64Array,
};

use super::writer::ReverseWriter;
use super::{ScopeItems, view_bytes};
use crate::Batch;
use crate::schema::traces as columns;

/// The columns of spans of a batch.
pub(super) struct SpanArrays<'a> {
    trace_id: &'a FixedSizeBinaryArray,
    span_id: &'a FixedSizeBinaryArray,
    parent_span_id: &'a FixedSizeBinaryArray,
    trace_state: &'a StringViewArray,
    flags: &'a UInt32Array,
    name: &'a StringViewArray,
    kind: &'a Int32Array,
    start: &'a UInt64Array,
    end: &'a UInt64Array,
    status_code: &'a Int32Array,
    status_message: &'a StringViewArray,
    attributes: &'a BinaryViewArray,
    dropped_attributes: &'a UInt32Array,
    events: EventArrays<'a>,
    dropped_events: &'a UInt32Array,
    links: LinkArrays<'a>,
    dropped_links: &'a UInt32Array,
}

impl<'a> SpanArrays<'a> {
    pub(super) fn of(batch: &'a Batch) -> SpanArrays<'a> {
        SpanArrays {
            trace_id: batch.ids(columns::TRACE_ID),
            span_id: batch.ids(columns::SPAN_ID),
            parent_span_id: batch.ids(columns::PARENT_SPAN_ID),
            trace_state: batch.text(columns::TRACE_STATE),
            flags: batch.numbers::<UInt32Type>(columns::FLAGS),
            name: batch.text(columns::NAME),
            kind: batch.numbers::<Int32Type>(columns::KIND),
            start: batch.numbers::<UInt64Type>(columns::START_TIME_UNIX_NANO),
            end: batch.numbers::<UInt64Type>(columns::END_TIME_UNIX_NANO),
            status_code: batch.numbers::<Int32Type>(columns::STATUS_CODE),
            status_message: batch.text(columns::STATUS_MESSAGE),
            attributes: batch.bytes(columns::ATTRIBUTES),
            dropped_attributes: batch.numbers::<UInt32Type>(columns::DROPPED_ATTRIBUTES_COUNT),
            events: EventArrays::of(batch.column(columns::EVENTS).as_list()),
            dropped_events: batch.numbers::<UInt32Type>(columns::DROPPED_EVENTS_COUNT),
            links: LinkArrays::of(batch.column(columns::LINKS).as_list()),
            dropped_links: batch.numbers::<UInt32Type>(columns::DROPPED_LINKS_COUNT),
        }
    }
}

/// The events of spans.
struct EventArrays<'a> {
    lists: &'a ListArray,
    time: &'a UInt64Array,
    name: &'a StringViewArray,
    attributes: &'a BinaryViewArray,
    dropped: &'a UInt32Array,
}

/// The links of spans.
struct LinkArrays<'a> {
    lists: &'a ListArray,
    trace_id: &'a FixedSizeBinaryArray,
    span_id: &'a FixedSizeBinaryArray,
    trace_state: &'a StringViewArray,
    attributes: &'a BinaryViewArray,
    dropped: &'a UInt32Array,
    flags: &'a UInt32Array,
}

/// Estimates of encoded sizes in bytes: of the fields that most spans have, of an event, and of a link.
const FIXED_SIZE: [usize; 3] = [96, 24, 48];

impl ScopeItems for SpanArrays<'_> {
    fn size_estimate(&self) -> usize {
        let [span, event, link] = FIXED_SIZE;
        span * self.kind.len()
            + view_bytes(self.trace_state.views())
            + view_bytes(self.name.views())
            + view_bytes(self.status_message.views())
            + view_bytes(self.attributes.views())
            + event * self.events.time.len()
            + view_bytes(self.events.name.views())
            + view_bytes(self.events.attributes.views())
            + link * self.links.flags.len()
            + view_bytes(self.links.trace_state.views())
            + view_bytes(self.links.attributes.views())
    }

    fn put(&self, rows: Range<usize>, out: &mut ReverseWriter) {
        for row in rows.rev() {
            out.message(2, |out| self.put_span(row, out));
        }
    }
}

impl SpanArrays<'_> {
    fn put_span(&self, row: usize, out: &mut ReverseWriter) {
        out.fixed32(16, self.flags.value(row));
        if self.status_code.is_valid(row) {
            out.message(15, |out| {
                out.int32(3, self.status_code.value(row));
                out.text(2, self.status_message.value(row));
            });
        }
        out.uint(14, u64::from(self.dropped_links.value(row)));
        for link in items(self.links.lists, row).rev() {
            out.message(13, |out| self.links.put(link, out));
        }
        out.uint(12, u64::from(self.dropped_events.value(row)));
        for event in items(self.events.lists, row).rev() {
            out.message(11, |out| self.events.put(event, out));
        }
        out.uint(10, u64::from(self.dropped_attributes.value(row)));
        out.run(9, self.attributes.value(row));
        out.fixed64(8, self.end.value(row));
        out.fixed64(7, self.start.value(row));
        out.int32(6, self.kind.value(row));
        out.text(5, self.name.value(row));
        put_id::<8>(out, 4, self.parent_span_id, row);
        out.text(3, self.trace_state.value(row));
        put_id::<8>(out, 2, self.span_id, row);
        put_id::<16>(out, 1, self.trace_id, row);
    }
}

impl<'a> EventArrays<'a> {
    fn of(lists: &'a ListArray) -> EventArrays<'a> {
        let all = lists.values().as_struct();
        EventArrays {
            lists,
            time: all.column(0).as_primitive::<UInt64Type>(),
            name: all.column(1).as_string_view(),
            attributes: all.column(2).as_binary_view(),
            dropped: all.column(3).as_primitive::<UInt32Type>(),
        }
    }

    fn put(&self, event: usize, out: &mut ReverseWriter) {
        out.uint(4, u64::from(self.dropped.value(event)));
        out.run(3, self.attributes.value(event));
        out.text(2, self.name.value(event));
        out.fixed64(1, self.time.value(event));
    }
}

impl<'a> LinkArrays<'a> {
    fn of(lists: &'a ListArray) -> LinkArrays<'a> {
        let all = lists.values().as_struct();
        LinkArrays {
            lists,
            trace_id: all.column(0).as_fixed_size_binary(),
            span_id: all.column(1).as_fixed_size_binary(),
            trace_state: all.column(2).as_string_view(),
            attributes: all.column(3).as_binary_view(),
            dropped: all.column(4).as_primitive::<UInt32Type>(),
            flags: all.column(5).as_primitive::<UInt32Type>(),
        }
    }

    fn put(&self, link: usize, out: &mut ReverseWriter) {
        out.fixed32(6, self.flags.value(link));
        out.uint(5, u64::from(self.dropped.value(link)));
        out.run(4, self.attributes.value(link));
        out.text(3, self.trace_state.value(link));
        put_id::<8>(out, 2, self.span_id, link);
        put_id::<16>(out, 1, self.trace_id, link);
    }
}

#[inline]
pub(super) fn put_id<const LENGTH: usize>(
    out: &mut ReverseWriter,
    number: u32,
    ids: &FixedSizeBinaryArray,
    row: usize,
) {
    if ids.is_valid(row) {
        let id: [u8; LENGTH] = ids
            .value(row)
            .try_into()
            .expect("ids have their column's length");
        out.id(number, id);
    }
}

/// The range of a row's items in the values of a list column.
#[inline]
pub(super) fn items(list: &ListArray, row: usize) -> Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}
