//! Decodes an `ExportTraceServiceRequest` to rows of `traces`.

use arrow_array::types::{Int32Type, UInt32Type};
use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_buffer::Buffer;
use bytes::Bytes;

use super::columns::{
    AttributeRun, EMPTY, IdColumn, NullableColumn, ViewBuffers, bytes, list, nullable_numbers,
    numbers, texts, times, view,
};
use super::context::{ContextColumns, ResourceFields, ScopeFields, opening};
use super::wire::keys::{
    BYTES_1, BYTES_2, BYTES_3, BYTES_4, BYTES_5, BYTES_9, BYTES_11, BYTES_13, BYTES_15, FIXED32_6,
    FIXED32_16, FIXED64_1, FIXED64_7, FIXED64_8, VARINT_3, VARINT_4, VARINT_5, VARINT_6, VARINT_10,
    VARINT_12, VARINT_14,
};
use super::wire::{Result, WireReader, number_bits};
use super::{item_of, struct_fields};
use crate::Signal;
use crate::schema::traces;

/// The field numbers of the request.
const REQUEST_FIELDS: u64 = number_bits([1]);
/// For `ResourceSpans` and `ScopeSpans`, which have the same field numbers.
const GROUP_FIELDS: u64 = number_bits([1, 2, 3]);
const SPAN_FIELDS: u64 = number_bits([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const EVENT_FIELDS: u64 = number_bits([1, 2, 3, 4]);
const LINK_FIELDS: u64 = number_bits([1, 2, 3, 4, 5, 6]);
const STATUS_FIELDS: u64 = number_bits([2, 3]);

/// The columns of `traces` while a request is decoded.
struct SpanColumns {
    view_buffers: ViewBuffers,
    context: ContextColumns,
    trace_id: IdColumn,
    span_id: IdColumn,
    parent_span_id: IdColumn,
    trace_state: Vec<u128>,
    flags: Vec<u32>,
    name: Vec<u128>,
    kind: Vec<i32>,
    start: Vec<u64>,
    end: Vec<u64>,
    status_code: NullableColumn<i32>,
    status_message: NullableColumn<u128>,
    attributes: Vec<u128>,
    dropped_attributes: Vec<u32>,
    events: EventColumns,
    dropped_events: Vec<u32>,
    links: LinkColumns,
    dropped_links: Vec<u32>,
}

/// The events of all spans.
struct EventColumns {
    /// The end of each span's events.
    ends: Vec<i32>,
    time: Vec<u64>,
    name: Vec<u128>,
    attributes: Vec<u128>,
    dropped: Vec<u32>,
}

/// The links of all spans.
struct LinkColumns {
    /// The end of each span's links.
    ends: Vec<i32>,
    trace_id: IdColumn,
    span_id: IdColumn,
    trace_state: Vec<u128>,
    attributes: Vec<u128>,
    dropped: Vec<u32>,
    flags: Vec<u32>,
}

/// Decodes a request in one walk.
pub(super) fn decode(request: &Bytes, source: &str) -> Result<RecordBatch> {
    let mut spans = SpanColumns::new();
    let mut reader = WireReader::new(request);
    while let Some(field) = reader.next_key()? {
        match field {
            BYTES_1 => spans.resource_spans(reader.message()?)?,
            other => reader.skip(other, REQUEST_FIELDS)?,
        }
    }
    Ok(spans.finish(request, source))
}

impl SpanColumns {
    fn new() -> SpanColumns {
        SpanColumns {
            view_buffers: ViewBuffers::default(),
            context: ContextColumns::new(),
            trace_id: IdColumn::new(16),
            span_id: IdColumn::new(8),
            parent_span_id: IdColumn::new(8),
            trace_state: Vec::new(),
            flags: Vec::new(),
            name: Vec::new(),
            kind: Vec::new(),
            start: Vec::new(),
            end: Vec::new(),
            status_code: NullableColumn::new(),
            status_message: NullableColumn::new(),
            attributes: Vec::new(),
            dropped_attributes: Vec::new(),
            events: EventColumns {
                ends: vec![0],
                time: Vec::new(),
                name: Vec::new(),
                attributes: Vec::new(),
                dropped: Vec::new(),
            },
            dropped_events: Vec::new(),
            links: LinkColumns {
                ends: vec![0],
                trace_id: IdColumn::new(16),
                span_id: IdColumn::new(8),
                trace_state: Vec::new(),
                attributes: Vec::new(),
                dropped: Vec::new(),
                flags: Vec::new(),
            },
            dropped_links: Vec::new(),
        }
    }

    fn resource_spans(&mut self, mut group: WireReader<'_>) -> Result<()> {
        let first = self.kind.len();
        let mut resource = ResourceFields::default();
        while let Some(field) = group.next_key()? {
            match field {
                BYTES_1 => resource.read(group.message()?)?,
                BYTES_2 => self.scope_spans(group.message()?)?,
                BYTES_3 => resource.read_schema_url(&mut group)?,
                other => group.skip(other, GROUP_FIELDS)?,
            }
        }
        let rows = self.kind.len() - first;
        self.context
            .resource(&group, &mut self.view_buffers, &resource, rows);
        Ok(())
    }

    fn scope_spans(&mut self, mut group: WireReader<'_>) -> Result<()> {
        let first = self.kind.len();
        let mut scope = ScopeFields::default();
        while let Some(field) = group.next_key()? {
            match field {
                BYTES_1 => scope.read(group.message()?)?,
                BYTES_2 => self.span(group.message()?)?,
                BYTES_3 => scope.read_schema_url(&mut group)?,
                other => group.skip(other, GROUP_FIELDS)?,
            }
        }
        let rows = self.kind.len() - first;
        self.context
            .scope(&group, &mut self.view_buffers, &scope, rows);
        Ok(())
    }

    fn span(&mut self, mut span: WireReader<'_>) -> Result<()> {
        let (mut trace_id, mut span_id, mut parent_span_id) = (None, None, None);
        let (mut trace_state, mut name) = (EMPTY, EMPTY);
        let (mut flags, mut kind, mut start, mut end) = (0, 0, 0, 0);
        let mut status: Option<(i32, u128)> = None;
        let mut attributes = AttributeRun::default();
        let (mut dropped_attributes, mut dropped_events, mut dropped_links) = (0, 0, 0);
        loop {
            let field_start = span.pos();
            let Some(field) = span.next_key()? else { break };
            match field {
                BYTES_1 => trace_id = span.id(16, "trace id")?,
                BYTES_2 => span_id = span.id(8, "span id")?,
                BYTES_3 => trace_state = span.text().map(|range| view(&span, range))?,
                BYTES_4 => parent_span_id = span.id(8, "parent span id")?,
                BYTES_5 => name = span.text().map(|range| view(&span, range))?,
                VARINT_6 => kind = span.uint32()? as i32,
                FIXED64_7 => start = span.fixed64()?,
                FIXED64_8 => end = span.fixed64()?,
                BYTES_9 => attributes.add(&mut span, field_start)?,
                VARINT_10 => dropped_attributes = span.uint32()?,
                BYTES_11 => self.events.read(span.message()?, &mut self.view_buffers)?,
                VARINT_12 => dropped_events = span.uint32()?,
                BYTES_13 => self.links.read(span.message()?, &mut self.view_buffers)?,
                VARINT_14 => dropped_links = span.uint32()?,
                BYTES_15 => {
                    let status = status.get_or_insert((0, EMPTY));
                    read_status(span.message()?, status)?;
                }
                FIXED32_16 => flags = span.fixed32()?,
                other => span.skip(other, SPAN_FIELDS)?,
            }
        }
        self.trace_id.push(trace_id);
        self.span_id.push(span_id);
        self.parent_span_id.push(parent_span_id);
        self.trace_state.push(trace_state);
        self.flags.push(flags);
        self.name.push(name);
        self.kind.push(kind);
        self.start.push(start);
        self.end.push(end);
        self.status_code.push(status.map(|(code, _)| code));
        self.status_message.push(status.map(|(_, message)| message));
        self.attributes
            .push(attributes.finish(&span, &mut self.view_buffers));
        self.dropped_attributes.push(dropped_attributes);
        self.events.ends.push(self.events.time.len() as i32);
        self.dropped_events.push(dropped_events);
        self.links.ends.push(self.links.flags.len() as i32);
        self.dropped_links.push(dropped_links);
        Ok(())
    }

    fn finish(self, request: &Bytes, source: &str) -> RecordBatch {
        let rows = self.kind.len();
        let buffers = &self.view_buffers.buffers(Buffer::from(request.clone()));
        let schema = Signal::Traces.schema();
        let (time, start) = times(self.start);
        let mut columns = opening(time, source, rows);
        // The column `peer_uid` consists of nulls, as the column `uid`, and shares its buffers.
        let peer_uid = columns[1].clone();
        let mut status_message = self.status_message;
        let (messages, message_nulls) = status_message.finish();
        columns.extend([
            self.trace_id.finish(),
            self.span_id.finish(),
            self.parent_span_id.finish(),
            texts(self.trace_state, buffers, None),
            numbers::<UInt32Type>(self.flags),
            texts(self.name, buffers, None),
            numbers::<Int32Type>(self.kind),
            start,
            numbers::<arrow_array::types::UInt64Type>(self.end),
            nullable_numbers::<Int32Type>(self.status_code),
            texts(messages, buffers, message_nulls),
            bytes(self.attributes, buffers, None),
            numbers::<UInt32Type>(self.dropped_attributes),
            self.events.finish(buffers),
            numbers::<UInt32Type>(self.dropped_events),
            self.links.finish(buffers),
            numbers::<UInt32Type>(self.dropped_links),
            peer_uid,
        ]);
        columns.extend(self.context.finish(buffers));
        RecordBatch::try_new(schema, columns)
            .expect("the columns are those of the schema and have one length")
    }
}

fn read_status(mut message: WireReader<'_>, (code, text): &mut (i32, u128)) -> Result<()> {
    while let Some(field) = message.next_key()? {
        match field {
            BYTES_2 => *text = message.text().map(|range| view(&message, range))?,
            VARINT_3 => *code = message.uint32()? as i32,
            other => message.skip(other, STATUS_FIELDS)?,
        }
    }
    Ok(())
}

impl EventColumns {
    fn read(&mut self, mut event: WireReader<'_>, view_buffers: &mut ViewBuffers) -> Result<()> {
        let (mut time, mut name, mut dropped) = (0, EMPTY, 0);
        let mut attributes = AttributeRun::default();
        loop {
            let start = event.pos();
            let Some(field) = event.next_key()? else {
                break;
            };
            match field {
                FIXED64_1 => time = event.fixed64()?,
                BYTES_2 => name = event.text().map(|range| view(&event, range))?,
                BYTES_3 => attributes.add(&mut event, start)?,
                VARINT_4 => dropped = event.uint32()?,
                other => event.skip(other, EVENT_FIELDS)?,
            }
        }
        self.time.push(time);
        self.name.push(name);
        self.attributes
            .push(attributes.finish(&event, view_buffers));
        self.dropped.push(dropped);
        Ok(())
    }

    fn finish(self, buffers: &[Buffer]) -> ArrayRef {
        let item = item_of(Signal::Traces, traces::EVENTS);
        let columns = vec![
            numbers::<arrow_array::types::UInt64Type>(self.time),
            texts(self.name, buffers, None),
            bytes(self.attributes, buffers, None),
            numbers::<UInt32Type>(self.dropped),
        ];
        let items = StructArray::new(struct_fields(&item), columns, None);
        list(&item, self.ends, std::sync::Arc::new(items), None)
    }
}

impl LinkColumns {
    fn read(&mut self, mut link: WireReader<'_>, view_buffers: &mut ViewBuffers) -> Result<()> {
        let (mut trace_id, mut span_id, mut trace_state) = (None, None, EMPTY);
        let (mut dropped, mut flags) = (0, 0);
        let mut attributes = AttributeRun::default();
        loop {
            let start = link.pos();
            let Some(field) = link.next_key()? else { break };
            match field {
                BYTES_1 => trace_id = link.id(16, "trace id of a link")?,
                BYTES_2 => span_id = link.id(8, "span id of a link")?,
                BYTES_3 => trace_state = link.text().map(|range| view(&link, range))?,
                BYTES_4 => attributes.add(&mut link, start)?,
                VARINT_5 => dropped = link.uint32()?,
                FIXED32_6 => flags = link.fixed32()?,
                other => link.skip(other, LINK_FIELDS)?,
            }
        }
        self.trace_id.push(trace_id);
        self.span_id.push(span_id);
        self.trace_state.push(trace_state);
        self.attributes.push(attributes.finish(&link, view_buffers));
        self.dropped.push(dropped);
        self.flags.push(flags);
        Ok(())
    }

    fn finish(self, buffers: &[Buffer]) -> ArrayRef {
        let item = item_of(Signal::Traces, traces::LINKS);
        let columns = vec![
            self.trace_id.finish(),
            self.span_id.finish(),
            texts(self.trace_state, buffers, None),
            bytes(self.attributes, buffers, None),
            numbers::<UInt32Type>(self.dropped),
            numbers::<UInt32Type>(self.flags),
        ];
        let items = StructArray::new(struct_fields(&item), columns, None);
        list(&item, self.ends, std::sync::Arc::new(items), None)
    }
}
