//! `traces` → spans.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryViewArray, FixedSizeBinaryArray, Int32Array, ListArray, StringViewArray,
    StructArray, UInt32Array, UInt64Array,
};

use super::{Items, put};
use crate::Batch;
use crate::schema::traces as columns;

pub(super) struct Spans<'a> {
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
    events: &'a ListArray,
    dropped_events: &'a UInt32Array,
    links: &'a ListArray,
    dropped_links: &'a UInt32Array,
}

impl<'a> Spans<'a> {
    pub(super) fn of(batch: &'a Batch) -> Spans<'a> {
        Spans {
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
            events: batch.column(columns::EVENTS).as_list(),
            dropped_events: batch.numbers::<UInt32Type>(columns::DROPPED_EVENTS_COUNT),
            links: batch.column(columns::LINKS).as_list(),
            dropped_links: batch.numbers::<UInt32Type>(columns::DROPPED_LINKS_COUNT),
        }
    }
}

impl Items for Spans<'_> {
    fn put(&self, rows: Range<usize>, out: &mut Vec<u8>) {
        let (events, links) = (
            self.events.values().as_struct(),
            self.links.values().as_struct(),
        );
        let (mut span, mut item) = (Vec::new(), Vec::new());
        for row in rows {
            span.clear();
            put_id(&mut span, 1, self.trace_id, row);
            put_id(&mut span, 2, self.span_id, row);
            put::text(&mut span, 3, self.trace_state.value(row).as_bytes());
            put_id(&mut span, 4, self.parent_span_id, row);
            put::text(&mut span, 5, self.name.value(row).as_bytes());
            put::int32(&mut span, 6, self.kind.value(row));
            put::fixed64(&mut span, 7, self.start.value(row));
            put::fixed64(&mut span, 8, self.end.value(row));
            put::run(&mut span, 9, self.attributes.value(row));
            put::uint(&mut span, 10, u64::from(self.dropped_attributes.value(row)));
            for event in items(self.events, row) {
                item.clear();
                put_event(&mut item, events, event);
                put::bytes(&mut span, 11, &item);
            }
            put::uint(&mut span, 12, u64::from(self.dropped_events.value(row)));
            for link in items(self.links, row) {
                item.clear();
                put_link(&mut item, links, link);
                put::bytes(&mut span, 13, &item);
            }
            put::uint(&mut span, 14, u64::from(self.dropped_links.value(row)));
            if self.status_code.is_valid(row) {
                item.clear();
                put::text(&mut item, 2, self.status_message.value(row).as_bytes());
                put::int32(&mut item, 3, self.status_code.value(row));
                put::bytes(&mut span, 15, &item);
            }
            put::fixed32(&mut span, 16, self.flags.value(row));
            put::bytes(out, 2, &span);
        }
    }
}

pub(super) fn put_id(out: &mut Vec<u8>, number: u32, ids: &FixedSizeBinaryArray, row: usize) {
    if ids.is_valid(row) {
        put::bytes(out, number, ids.value(row));
    }
}

/// Where a row's items stand in the list's values.
pub(super) fn items(list: &ListArray, row: usize) -> Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

fn put_event(out: &mut Vec<u8>, events: &StructArray, event: usize) {
    put::fixed64(
        out,
        1,
        events.column(0).as_primitive::<UInt64Type>().value(event),
    );
    put::text(
        out,
        2,
        events.column(1).as_string_view().value(event).as_bytes(),
    );
    put::run(out, 3, events.column(2).as_binary_view().value(event));
    put::uint(
        out,
        4,
        u64::from(events.column(3).as_primitive::<UInt32Type>().value(event)),
    );
}

fn put_link(out: &mut Vec<u8>, links: &StructArray, link: usize) {
    put_id(out, 1, links.column(0).as_fixed_size_binary(), link);
    put_id(out, 2, links.column(1).as_fixed_size_binary(), link);
    put::text(
        out,
        3,
        links.column(2).as_string_view().value(link).as_bytes(),
    );
    put::run(out, 4, links.column(3).as_binary_view().value(link));
    put::uint(
        out,
        5,
        u64::from(links.column(4).as_primitive::<UInt32Type>().value(link)),
    );
    put::fixed32(
        out,
        6,
        links.column(5).as_primitive::<UInt32Type>().value(link),
    );
}
