//! The rows of one signal that windows still need, each kept for its own time.

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

pub(super) struct Held {
    pub(super) signal: Signal,
    /// The columns that are kept, by their places in the signal.
    columns: Vec<usize>,
    schema: SchemaRef,
    /// Where the time is, among those.
    time: usize,
    chunks: VecDeque<Chunk>,
    /// Of all chunks.
    bytes: usize,
    /// The first time that a window is still to see, of all chunks.
    awaited: Option<i64>,
}

/// Rows that came together, with their first and last time in nanoseconds since 1970.
struct Chunk {
    rows: RecordBatch,
    first: i64,
    last: i64,
    /// The first time that a window is still to see.
    awaited: i64,
    bytes: usize,
}

/// What became of a batch's rows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Kept {
    /// Of the newest row that is not late, also where there is no room for it: or the windows that
    /// would make room never ended.
    pub(super) newest: Option<i64>,
    /// Whose windows have all been asked.
    pub(super) late: usize,
    pub(super) without_time: usize,
    pub(super) no_room: usize,
}

impl Held {
    pub(super) fn new(signal: Signal, query: &Query, on: &str) -> Held {
        let schema = signal.schema();
        let on = schema
            .index_of(on)
            .expect("checked when the query was planned");
        let mut columns = query.columns(signal).to_vec();
        if !columns.contains(&on) {
            columns.push(on);
            columns.sort_unstable();
        }
        let kept = schema.project(&columns).expect("places of its own columns");
        Held {
            signal,
            time: columns
                .iter()
                .position(|&column| column == on)
                .unwrap_or_default(),
            columns,
            schema: Arc::new(kept),
            chunks: VecDeque::new(),
            bytes: 0,
            awaited: None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps the rows from `earliest` on, if they need no more than `room` bytes.
    pub(super) fn keep(&mut self, batch: &Batch, earliest: Option<i64>, room: usize) -> Kept {
        let mut kept = Kept::default();
        let columns = self
            .columns
            .iter()
            .map(|&column| batch.rows().column(column).clone());
        let rows = RecordBatch::try_new(self.schema.clone(), columns.collect())
            .expect("columns of the signal's own schema");
        let times = rows
            .column(self.time)
            .as_primitive::<TimestampNanosecondType>();
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let wanted = times.iter().map(|time| {
            let Some(time) = time else {
                kept.without_time += 1;
                return false;
            };
            if earliest.is_some_and(|earliest| time < earliest) {
                kept.late += 1;
                return false;
            }
            (first, last) = (first.min(time), last.max(time));
            true
        });
        let wanted: BooleanArray = wanted.map(Some).collect();
        let rows = match wanted.true_count() {
            0 => return kept,
            all if all == rows.num_rows() => rows,
            _ => filter_record_batch(&rows, &wanted).expect("a mask of its length"),
        };
        let rows = alone(&rows);
        let bytes = rows.get_array_memory_size();
        kept.newest = Some(last);
        if bytes > room {
            kept.no_room = rows.num_rows();
            return kept;
        }
        self.bytes += bytes;
        self.awaited = Some(self.awaited.map_or(first, |awaited| awaited.min(first)));
        self.chunks.push_back(Chunk {
            rows,
            first,
            last,
            awaited: first,
            bytes,
        });
        kept
    }

    /// The first time that a window is still to see.
    pub(super) fn earliest(&self) -> Option<i64> {
        self.awaited
    }

    /// The rows from `start` on and before `end`.
    pub(super) fn within(&self, start: i64, end: i64) -> Vec<RecordBatch> {
        let touched = self
            .chunks
            .iter()
            .filter(|chunk| chunk.last >= start && chunk.first < end);
        let rows = touched.map(|chunk| {
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
            filter_record_batch(&chunk.rows, &within.collect()).expect("a mask of its length")
        });
        rows.filter(|rows| rows.num_rows() > 0).collect()
    }

    /// Lets go of what no window from `start` on needs.
    pub(super) fn forget_before(&mut self, start: i64) {
        self.chunks.retain(|chunk| chunk.last >= start);
        for chunk in self.chunks.iter_mut().filter(|chunk| chunk.awaited < start) {
            let times = chunk
                .rows
                .column(self.time)
                .as_primitive::<TimestampNanosecondType>();
            let is_needed = |&&time: &&i64| time >= start;
            let awaited = times.values().iter().filter(is_needed).min();
            chunk.awaited = awaited.copied().unwrap_or(chunk.last);
            let needed: BooleanArray = times
                .values()
                .iter()
                .map(|&time| Some(time >= start))
                .collect();
            // A copy is worth it where half can go.
            if needed.true_count() * 2 > needed.len() {
                continue;
            }
            let rows = filter_record_batch(&chunk.rows, &needed).expect("a mask of its length");
            chunk.rows = alone(&rows);
            chunk.first = chunk.awaited;
            chunk.bytes = chunk.rows.get_array_memory_size();
        }
        self.bytes = self.chunks.iter().map(|chunk| chunk.bytes).sum();
        self.awaited = self.chunks.iter().map(|chunk| chunk.awaited).min();
    }
}

/// The same rows without the requests that they are views of.
fn alone(rows: &RecordBatch) -> RecordBatch {
    let columns = rows.columns().iter().map(collected).collect();
    RecordBatch::try_new(rows.schema(), columns).expect("the same types and lengths")
}

fn collected(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        DataType::List(item) => {
            let list = column.as_list::<i32>();
            let (_, offsets, values, nulls) = list.clone().into_parts();
            let values = collected(&values);
            Arc::new(arrow_array::ListArray::new(
                item.clone(),
                offsets,
                values,
                nulls,
            ))
        }
        DataType::Struct(_) => {
            let (fields, columns, nulls) = column.as_struct().clone().into_parts();
            let columns = columns.iter().map(collected).collect();
            Arc::new(arrow_array::StructArray::new(fields, columns, nulls))
        }
        // Vectors that were grown have room to spare.
        _ => {
            let all = UInt32Array::from_iter_values(0..column.len() as u32);
            take(column, &all, None).expect("places of its own rows")
        }
    }
}
