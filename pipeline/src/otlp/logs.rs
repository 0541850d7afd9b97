//! Decodes an `ExportLogsServiceRequest` to rows of `logs`.

use arrow_array::RecordBatch;
use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_buffer::Buffer;
use bytes::Bytes;

use super::columns::{
    AnyValueField, AttributeRun, EMPTY, IdColumn, NullableColumn, ViewBuffers, bytes, numbers,
    texts, times, timestamps, view,
};
use super::context::{ContextColumns, ResourceFields, ScopeFields, opening};
use super::wire::keys::{
    BYTES_1, BYTES_2, BYTES_3, BYTES_5, BYTES_6, BYTES_9, BYTES_10, BYTES_12, FIXED32_8, FIXED64_1,
    FIXED64_11, VARINT_2, VARINT_7,
};
use super::wire::{Result, WireReader, number_bits};
use crate::Signal;

/// The field numbers of the request.
const REQUEST_FIELDS: u64 = number_bits([1]);
/// For `ResourceLogs` and `ScopeLogs`, which have the same field numbers.
const GROUP_FIELDS: u64 = number_bits([1, 2, 3]);
const RECORD_FIELDS: u64 = number_bits([1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]);

/// The columns of `logs` while a request is decoded.
struct LogColumns {
    view_buffers: ViewBuffers,
    context: ContextColumns,
    time: Vec<u64>,
    observed: Vec<u64>,
    severity: Vec<i32>,
    severity_text: Vec<u128>,
    event_name: Vec<u128>,
    trace_id: IdColumn,
    span_id: IdColumn,
    flags: Vec<u32>,
    body: NullableColumn<u128>,
    attributes: Vec<u128>,
    dropped: Vec<u32>,
}

/// Decodes a request in one pass over its bytes.
pub(super) fn decode(request: &Bytes, source: &str) -> Result<RecordBatch> {
    let mut records = LogColumns {
        view_buffers: ViewBuffers::default(),
        context: ContextColumns::new(),
        time: Vec::new(),
        observed: Vec::new(),
        severity: Vec::new(),
        severity_text: Vec::new(),
        event_name: Vec::new(),
        trace_id: IdColumn::new(16),
        span_id: IdColumn::new(8),
        flags: Vec::new(),
        body: NullableColumn::new(),
        attributes: Vec::new(),
        dropped: Vec::new(),
    };
    let mut reader = WireReader::new(request);
    while let Some(field) = reader.next_key()? {
        match field {
            BYTES_1 => records.resource_logs(reader.message()?)?,
            other => reader.skip(other, REQUEST_FIELDS)?,
        }
    }
    Ok(records.finish(request, source))
}

impl LogColumns {
    fn resource_logs(&mut self, mut group: WireReader<'_>) -> Result<()> {
        let first = self.time.len();
        let mut resource = ResourceFields::default();
        while let Some(field) = group.next_key()? {
            match field {
                BYTES_1 => resource.read(group.message()?)?,
                BYTES_2 => self.scope_logs(group.message()?)?,
                BYTES_3 => resource.read_schema_url(&mut group)?,
                other => group.skip(other, GROUP_FIELDS)?,
            }
        }
        let rows = self.time.len() - first;
        self.context
            .resource(&group, &mut self.view_buffers, &resource, rows);
        Ok(())
    }

    fn scope_logs(&mut self, mut group: WireReader<'_>) -> Result<()> {
        let first = self.time.len();
        let mut scope = ScopeFields::default();
        while let Some(field) = group.next_key()? {
            match field {
                BYTES_1 => scope.read(group.message()?)?,
                BYTES_2 => self.record(group.message()?)?,
                BYTES_3 => scope.read_schema_url(&mut group)?,
                other => group.skip(other, GROUP_FIELDS)?,
            }
        }
        let rows = self.time.len() - first;
        self.context
            .scope(&group, &mut self.view_buffers, &scope, rows);
        Ok(())
    }

    fn record(&mut self, mut record: WireReader<'_>) -> Result<()> {
        let (mut time, mut observed, mut severity, mut flags, mut dropped) = (0, 0, 0, 0, 0);
        let (mut severity_text, mut event_name) = (EMPTY, EMPTY);
        let (mut trace_id, mut span_id) = (None, None);
        let mut body = AnyValueField::default();
        let mut attributes = AttributeRun::default();
        loop {
            // Where the key of the field begins.
            let start = record.pos();
            let Some(field) = record.next_key()? else {
                break;
            };
            match field {
                FIXED64_1 => time = record.fixed64()?,
                VARINT_2 => severity = record.uint32()? as i32,
                BYTES_3 => severity_text = record.text().map(|range| view(&record, range))?,
                BYTES_5 => body.add(&mut record)?,
                BYTES_6 => attributes.add(&mut record, start)?,
                VARINT_7 => dropped = record.uint32()?,
                FIXED32_8 => flags = record.fixed32()?,
                BYTES_9 => trace_id = record.id(16, "trace id")?,
                BYTES_10 => span_id = record.id(8, "span id")?,
                FIXED64_11 => observed = record.fixed64()?,
                BYTES_12 => event_name = record.text().map(|range| view(&record, range))?,
                other => record.skip(other, RECORD_FIELDS)?,
            }
        }
        self.time.push(time);
        self.observed.push(observed);
        self.severity.push(severity);
        self.severity_text.push(severity_text);
        self.event_name.push(event_name);
        self.trace_id.push(trace_id);
        self.span_id.push(span_id);
        self.flags.push(flags);
        self.body.push(body.finish(&record, &mut self.view_buffers));
        self.attributes
            .push(attributes.finish(&record, &mut self.view_buffers));
        self.dropped.push(dropped);
        Ok(())
    }

    fn finish(mut self, request: &Bytes, source: &str) -> RecordBatch {
        let rows = self.time.len();
        let buffers = &self.view_buffers.buffers(Buffer::from(request.clone()));
        // A record without a time gets the time at which it was observed; `wire_time` keeps the 0 of the request.
        let (time, wire_time) = if self.time.contains(&0) {
            let pairs = self.time.iter().zip(&self.observed);
            let known_times =
                pairs.map(|(&time, &observed)| if time == 0 { observed } else { time });
            (
                timestamps(known_times.collect()),
                numbers::<UInt64Type>(self.time),
            )
        } else {
            times(self.time)
        };
        let (bodies, body_nulls) = self.body.finish();
        let mut columns = opening(time, source, rows);
        columns.extend([
            wire_time,
            numbers::<UInt64Type>(self.observed),
            numbers::<Int32Type>(self.severity),
            texts(self.severity_text, buffers, None),
            texts(self.event_name, buffers, None),
            self.trace_id.finish(),
            self.span_id.finish(),
            numbers::<UInt32Type>(self.flags),
            bytes(bodies, buffers, body_nulls),
            bytes(self.attributes, buffers, None),
            numbers::<UInt32Type>(self.dropped),
        ]);
        columns.extend(self.context.finish(buffers));
        RecordBatch::try_new(Signal::Logs.schema(), columns)
            .expect("the columns are those of the schema and have one length")
    }
}
