//! Holds the rows of one signal until no open window needs them.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow_select::filter::filter_record_batch;
use arrow_select::take::take;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use pipeline::{Batch, Signal};

use crate::query::Query;

/// The rows of one signal that open windows need. All times are in nanoseconds since 1970.
pub(super) struct WindowBuffer {
    pub(super) signal: Signal,
    /// The indexes of the held columns in the signal.
    columns: Vec<usize>,
    schema: SchemaRef,
    /// The index of the time column among the held columns.
    time: usize,
    chunks: VecDeque<HeldChunk>,
    /// The size of all chunks.
    bytes: usize,
    /// The time of the oldest row in any chunk that an open window needs.
    oldest_needed: Option<i64>,
}

/// The held rows of one batch.
struct HeldChunk {
    rows: RecordBatch,
    /// The time of the oldest row.
    first: i64,
    /// The time of the newest row.
    last: i64,
    /// The time of the oldest row that an open window needs.
    oldest_needed: i64,
    bytes: usize,
}

/// The result of [`WindowBuffer::hold`].
#[derive(Debug, Default, PartialEq)]
pub(super) struct HoldOutcome {
    /// The time of the newest row that is not late. It is set even if there is no room for the row. Otherwise event
    /// time would not advance, and no window would close and free memory.
    pub(super) newest: Option<i64>,
    /// The number of rows whose windows have all been closed.
    pub(super) late: usize,
    /// The number of rows with a null time.
    pub(super) without_time: usize,
    /// The number of rows beyond `max_bytes`.
    pub(super) no_room: usize,
}

impl WindowBuffer {
    /// A buffer of the columns of a signal that the query reads, and of the time column `on`.
    pub(super) fn new(signal: Signal, query: &Query, on: &str) -> WindowBuffer {
        let schema = signal.schema();
        let on = schema
            .index_of(on)
            .expect("checked when the query was planned");
        let mut columns = query.columns(signal).to_vec();
        if !columns.contains(&on) {
            columns.push(on);
            columns.sort_unstable();
        }
        let projected = schema
            .project(&columns)
            .expect("the indexes are those of the schema");
        WindowBuffer {
            signal,
            time: columns
                .iter()
                .position(|&column| column == on)
                .unwrap_or_default(),
            columns,
            schema: Arc::new(projected),
            chunks: VecDeque::new(),
            bytes: 0,
            oldest_needed: None,
        }
    }

    /// The size of the held rows in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds the rows of a batch whose time is at least `earliest`, if all of them need at most `room` bytes.
    pub(super) fn hold(
        &mut self,
        batch: &Batch,
        earliest: Option<i64>,
        room: usize,
    ) -> HoldOutcome {
        let mut outcome = HoldOutcome::default();
        let columns = self
            .columns
            .iter()
            .map(|&column| batch.rows().column(column).clone());
        let rows = RecordBatch::try_new(self.schema.clone(), columns.collect())
            .expect("the columns have the types of the schema");
        let times = rows
            .column(self.time)
            .as_primitive::<TimestampNanosecondType>();
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let mask = times.iter().map(|time| {
            let Some(time) = time else {
                outcome.without_time += 1;
                return false;
            };
            if earliest.is_some_and(|earliest| time < earliest) {
                outcome.late += 1;
                return false;
            }
            (first, last) = (first.min(time), last.max(time));
            true
        });
        let mask: BooleanArray = mask.map(Some).collect();
        let rows = match mask.true_count() {
            0 => return outcome,
            all if all == rows.num_rows() => rows,
            _ => filter_record_batch(&rows, &mask).expect("the mask has one bit per row"),
        };
        let rows = compact(&rows);
        let bytes = rows.get_array_memory_size();
        outcome.newest = Some(last);
        if bytes > room {
            outcome.no_room = rows.num_rows();
            return outcome;
        }
        self.bytes += bytes;
        self.oldest_needed = Some(
            self.oldest_needed
                .map_or(first, |oldest_needed| oldest_needed.min(first)),
        );
        self.chunks.push_back(HeldChunk {
            rows,
            first,
            last,
            oldest_needed: first,
            bytes,
        });
        outcome
    }

    /// The time of the oldest row that an open window needs.
    pub(super) fn oldest_needed(&self) -> Option<i64> {
        self.oldest_needed
    }

    /// The rows whose time is in `start..end`.
    pub(super) fn within(&self, start: i64, end: i64) -> Vec<RecordBatch> {
        let overlapping = self
            .chunks
            .iter()
            .filter(|chunk| chunk.last >= start && chunk.first < end);
        let rows = overlapping.map(|chunk| {
            if chunk.first >= start && chunk.last < end {
                return chunk.rows.clone();
            }
            let times = chunk
                .rows
                .column(self.time)
                .as_primitive::<TimestampNanosecondType>();
            let within = times
                .values()
                .iter()
                .map(|&time| Some(time >= start && time < end));
            filter_record_batch(&chunk.rows, &within.collect())
                .expect("the mask has one bit per row")
        });
        rows.filter(|rows| rows.num_rows() > 0).collect()
    }

    /// Removes the rows before `start`. A chunk stays whole if less than half of its rows are before `start`.
    pub(super) fn drop_before(&mut self, start: i64) {
        self.chunks.retain(|chunk| chunk.last >= start);
        for chunk in self
            .chunks
            .iter_mut()
            .filter(|chunk| chunk.oldest_needed < start)
        {
            let times = chunk
                .rows
                .column(self.time)
                .as_primitive::<TimestampNanosecondType>();
            let is_needed = |&&time: &&i64| time >= start;
            let oldest_needed = times.values().iter().filter(is_needed).min();
            chunk.oldest_needed = oldest_needed.copied().unwrap_or(chunk.last);
            let needed: BooleanArray = times
                .values()
                .iter()
                .map(|&time| Some(time >= start))
                .collect();
            // A copy pays off only if it removes at least half of the rows.
            if needed.true_count() * 2 > needed.len() {
                continue;
            }
            let rows =
                filter_record_batch(&chunk.rows, &needed).expect("the mask has one bit per row");
            chunk.rows = compact(&rows);
            chunk.first = chunk.oldest_needed;
            chunk.bytes = chunk.rows.get_array_memory_size();
        }
        self.bytes = self.chunks.iter().map(|chunk| chunk.bytes).sum();
        self.oldest_needed = self.chunks.iter().map(|chunk| chunk.oldest_needed).min();
    }
}

/// Copies rows, so that views in them do not keep a request in memory.
fn compact(rows: &RecordBatch) -> RecordBatch {
    let columns = rows.columns().iter().map(compact_column).collect();
    RecordBatch::try_new(rows.schema(), columns).expect("the same types and lengths")
}

fn compact_column(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        DataType::List(item) => {
            let list = column.as_list::<i32>();
            let (_, offsets, values, nulls) = list.clone().into_parts();
            let values = compact_column(&values);
            Arc::new(arrow_array::ListArray::new(
                item.clone(),
                offsets,
                values,
                nulls,
            ))
        }
        DataType::Struct(_) => {
            let (fields, columns, nulls) = column.as_struct().clone().into_parts();
            let columns = columns.iter().map(compact_column).collect();
            Arc::new(arrow_array::StructArray::new(fields, columns, nulls))
        }
        // Other types are copied as well, since a vector that has grown has unused capacity.
        _ => {
            let all = UInt32Array::from_iter_values(0..column.len() as u32);
            take(column, &all, None).expect("the indexes are those of the rows")
        }
    }
}
