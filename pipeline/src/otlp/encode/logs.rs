//! `logs` → log records.

use std::ops::Range;

use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryViewArray, FixedSizeBinaryArray, Int32Array, StringViewArray, UInt32Array,
    UInt64Array,
};

use super::traces::put_id;
use super::{Items, put};
use crate::Batch;
use crate::schema::logs as columns;

pub(super) struct Records<'a> {
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

impl<'a> Records<'a> {
    pub(super) fn of(batch: &'a Batch) -> Records<'a> {
        Records {
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

impl Items for Records<'_> {
    fn put(&self, rows: Range<usize>, out: &mut Vec<u8>) {
        let mut record = Vec::new();
        for row in rows {
            record.clear();
            put::fixed64(&mut record, 1, self.time.value(row));
            put::int32(&mut record, 2, self.severity.value(row));
            put::text(&mut record, 3, self.severity_text.value(row).as_bytes());
            if self.body.is_valid(row) {
                put::bytes(&mut record, 5, self.body.value(row));
            }
            put::run(&mut record, 6, self.attributes.value(row));
            put::uint(&mut record, 7, u64::from(self.dropped.value(row)));
            put::fixed32(&mut record, 8, self.flags.value(row));
            put_id(&mut record, 9, self.trace_id, row);
            put_id(&mut record, 10, self.span_id, row);
            put::fixed64(&mut record, 11, self.observed.value(row));
            put::text(&mut record, 12, self.event_name.value(row).as_bytes());
            put::bytes(out, 2, &record);
        }
    }
}
