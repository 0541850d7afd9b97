//! Encodes rows of `logs` as log records.

use std::ops::Range;

use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryViewArray, FixedSizeBinaryArray, Int32Array, StringViewArray, UInt32Array,
    UInt64Array,
};

use super::traces::put_id;
use super::writer::ReverseWriter;
use super::{ScopeItems, view_bytes};
use crate::Batch;
use crate::schema::logs as columns;

/// The columns of log records of a batch.
pub(super) struct LogArrays<'a> {
    time: &'a UInt64Array,
    observed: &'a UInt64Array,
    severity: &'a Int32Array,
    severity_text: &'a StringViewArray,
    event_name: &'a StringViewArray,
    trace_id: &'a FixedSizeBinaryArray,
    span_id: &'a FixedSizeBinaryArray,
    flags: &'a UInt32Array,
    body: &'a BinaryViewArray,
    attributes: &'a BinaryViewArray,
    dropped: &'a UInt32Array,
}

impl<'a> LogArrays<'a> {
    pub(super) fn of(batch: &'a Batch) -> LogArrays<'a> {
        LogArrays {
            time: batch.numbers::<UInt64Type>(columns::TIME_UNIX_NANO),
            observed: batch.numbers::<UInt64Type>(columns::OBSERVED_TIME_UNIX_NANO),
            severity: batch.numbers::<Int32Type>(columns::SEVERITY_NUMBER),
            severity_text: batch.text(columns::SEVERITY_TEXT),
            event_name: batch.text(columns::EVENT_NAME),
            trace_id: batch.ids(columns::TRACE_ID),
            span_id: batch.ids(columns::SPAN_ID),
            flags: batch.numbers::<UInt32Type>(columns::FLAGS),
            body: batch.bytes(columns::BODY),
            attributes: batch.bytes(columns::ATTRIBUTES),
            dropped: batch.numbers::<UInt32Type>(columns::DROPPED_ATTRIBUTES_COUNT),
        }
    }
}

/// An estimate of the encoded size in bytes of the fields that most records have.
const FIXED_SIZE: usize = 80;

impl ScopeItems for LogArrays<'_> {
    fn size_estimate(&self) -> usize {
        FIXED_SIZE * self.time.len()
            + view_bytes(self.body.views())
            + view_bytes(self.attributes.views())
            + view_bytes(self.severity_text.views())
            + view_bytes(self.event_name.views())
    }

    fn put(&self, rows: Range<usize>, out: &mut ReverseWriter) {
        for row in rows.rev() {
            out.message(2, |out| self.put_record(row, out));
        }
    }
}

impl LogArrays<'_> {
    fn put_record(&self, row: usize, out: &mut ReverseWriter) {
        out.text(12, self.event_name.value(row));
        out.fixed64(11, self.observed.value(row));
        put_id::<8>(out, 10, self.span_id, row);
        put_id::<16>(out, 9, self.trace_id, row);
        out.fixed32(8, self.flags.value(row));
        out.uint(7, u64::from(self.dropped.value(row)));
        out.run(6, self.attributes.value(row));
        if self.body.is_valid(row) {
            out.bytes(5, self.body.value(row));
        }
        out.text(3, self.severity_text.value(row));
        out.int32(2, self.severity.value(row));
        out.fixed64(1, self.time.value(row));
    }
}
