//! Finds the rows in an outbox that newer rows replace.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, TimestampNanosecondType, UInt32Type, UInt64Type};
use arrow_array::{Array as _, ArrayAccessor as _, ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::DataType;
use arrow_select::filter::filter_record_batch;

use crate::batch::cells;
use crate::schema::{edge_stats, metrics, opening, otlp_context};
use crate::{Batch, Signal};

/// The signals in which a newer row can replace an older row.
pub(super) const SIGNALS: [Signal; 2] = [Signal::EdgeStats, Signal::Metrics];

/// The index of a signal in [`SIGNALS`].
pub(super) fn index(signal: Signal) -> Option<usize> {
    SIGNALS.iter().position(|other| *other == signal)
}

/// `aggregation_temporality` on the wire (opentelemetry/proto/metrics/v1/metrics.proto).
const CUMULATIVE: i32 = 2;

/// Returns for each row of each batch whether to keep it: whether no newer row has the same key. All batches have
/// `signal`. Rows without a key are kept.
pub(super) fn kept_rows(signal: Signal, batches: &[&Batch]) -> Vec<Vec<bool>> {
    let mut keep: Vec<Vec<bool>> = batches
        .iter()
        .map(|batch| vec![true; batch.num_rows()])
        .collect();
    // The version of the newest row of each key, the index of its batch, and its row.
    let mut newest: HashMap<Vec<u8>, (u64, usize, usize)> = HashMap::new();
    for (index, batch) in batches.iter().enumerate() {
        for row in 0..batch.num_rows() {
            let (key, version) = match signal {
                Signal::EdgeStats => (stats_key(batch, row), calls(batch, row)),
                _ => match series_key(batch, row) {
                    Some(key) => (key, time(batch, row)),
                    None => continue,
                },
            };
            match newest.get_mut(&key) {
                // Of rows with the same version, the last one is kept.
                Some(replaced) if replaced.0 <= version => {
                    keep[replaced.1][replaced.2] = false;
                    *replaced = (version, index, row);
                }
                Some(_) => keep[index][row] = false,
                None => {
                    newest.insert(key, (version, index, row));
                }
            }
        }
    }
    keep
}

/// Returns a batch of the rows to keep; `None` if all rows are kept.
pub(super) fn retain_rows(batch: &Batch, keep: &[bool]) -> Option<Batch> {
    if keep.iter().all(|kept| *kept) {
        return None;
    }
    let rows = filter_record_batch(batch.rows(), &BooleanArray::from(keep.to_vec())).ok()?;
    compact(&batch.clone().with_rows(rows).ok()?)
}

/// Copies the rows into new buffers, since a view keeps all of its buffers alive.
pub(super) fn compact(batch: &Batch) -> Option<Batch> {
    let rows = batch.rows();
    let columns = rows.columns().iter().map(|column| -> ArrayRef {
        match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()),
            DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
            _ => column.clone(),
        }
    });
    let rows = RecordBatch::try_new(rows.schema(), columns.collect()).ok()?;
    batch.clone().with_rows(rows).ok()
}

/// The version of a row of statistics: of two rows with the same key, the one with more calls is newer.
fn calls(batch: &Batch, row: usize) -> u64 {
    batch.numbers::<UInt64Type>(edge_stats::CALLS).value(row)
}

/// The key of a row of statistics: edge, writer, minute and chunk.
fn stats_key(batch: &Batch, row: usize) -> Vec<u8> {
    let mut key = CoalesceKey::default();
    key.text(cells::text(batch.uid(), row).map(str::as_bytes));
    for column in [edge_stats::TO, edge_stats::WRITER] {
        key.text(Some(batch.text(column).value(row).as_bytes()));
    }
    for column in [edge_stats::KIND, edge_stats::CONNECTION_TYPE] {
        key.text(Some(batch.words(column).value(row).as_bytes()));
    }
    let times = batch.numbers::<TimestampNanosecondType>(opening::TIME);
    key.number(times.value(row).cast_unsigned());
    key.number(u64::from(
        batch.numbers::<UInt32Type>(edge_stats::CHUNK).value(row),
    ));
    key.0
}

fn time(batch: &Batch, row: usize) -> u64 {
    batch
        .numbers::<UInt64Type>(metrics::TIME_UNIX_NANO)
        .value(row)
}

/// The key of a point's series; `None` if the series is not cumulative. Points with different start times belong to
/// different series.
fn series_key(batch: &Batch, row: usize) -> Option<Vec<u8>> {
    let temporality = batch.numbers::<Int32Type>(metrics::AGGREGATION_TEMPORALITY);
    if temporality.is_null(row) || temporality.value(row) != CUMULATIVE {
        return None;
    }
    let mut key = CoalesceKey::default();
    let text = |column: &str| cells::text(batch.text(column), row).map(str::as_bytes);
    for column in [
        metrics::NAME,
        metrics::UNIT,
        otlp_context::SCOPE_NAME,
        otlp_context::SCOPE_VERSION,
    ] {
        key.text(text(column));
    }
    for column in [
        metrics::ATTRIBUTES,
        otlp_context::RESOURCE_ATTRIBUTES,
        otlp_context::SCOPE_ATTRIBUTES,
    ] {
        key.text(cells::bytes(batch.bytes(column), row));
    }
    key.text(Some(batch.words(metrics::TYPE).value(row).as_bytes()));
    key.number(
        batch
            .numbers::<UInt64Type>(metrics::START_TIME_UNIX_NANO)
            .value(row),
    );
    // Points with different buckets belong to different series.
    let bounds = batch.column(metrics::EXPLICIT_BOUNDS);
    if bounds.is_valid(row) {
        let bounds = bounds.as_list::<i32>().value(row);
        for bound in bounds.as_primitive::<Float64Type>().values() {
            key.number(bound.to_bits());
        }
    }
    Some(key.0)
}

/// A key that is built of several parts. The length precedes each text, so that different parts give different keys.
#[derive(Default)]
struct CoalesceKey(Vec<u8>);

impl CoalesceKey {
    fn text(&mut self, text: Option<&[u8]>) {
        match text {
            None => self.number(u64::MAX),
            Some(text) => {
                self.number(text.len() as u64);
                self.0.extend_from_slice(text);
            }
        }
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }
}
