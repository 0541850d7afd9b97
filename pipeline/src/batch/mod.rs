//! `Batch`: the unit that components exchange.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, DictionaryArray, FixedSizeBinaryArray, PrimitiveArray,
    RecordBatch, StringArray, StringViewArray, TypedDictionaryArray,
};
use arrow_select::concat::concat_batches;
use bytes::Bytes;

use crate::schema::{opening, traces};
use crate::{Delivery, Signal};

mod conform;
mod cut;
mod original;
mod words;
pub(crate) use cut::Cuts;
pub use original::Original;

/// Rows of one signal with their [`Delivery`]. Cheap to clone: columns are shared.
#[derive(Clone, Debug)]
pub struct Batch {
    signal: Signal,
    rows: RecordBatch,
    delivery: Delivery,
    original: Option<Original>,
}

/// The rows do not have the schema of their signal.
#[derive(Debug, thiserror::Error)]
#[error("rows do not have the schema of {signal}: {difference}")]
pub struct SchemaMismatch {
    signal: Signal,
    difference: String,
}

impl Batch {
    /// Rows of the signal's schema, or of an older or a newer version of it: a missing nullable column
    /// becomes null, and unknown columns are dropped.
    ///
    /// # Errors
    /// When a required column is missing, has nulls or has another type.
    pub fn new(
        signal: Signal,
        rows: RecordBatch,
        delivery: Delivery,
    ) -> Result<Batch, SchemaMismatch> {
        let schema = signal.schema();
        let rows = if Arc::ptr_eq(&schema, rows.schema_ref()) || schema == rows.schema() {
            rows
        } else {
            let mismatch = |difference| SchemaMismatch { signal, difference };
            conform::conform(&schema, &rows).map_err(mismatch)?
        };
        Ok(Batch {
            signal,
            rows,
            delivery,
            original: None,
        })
    }

    /// Keeps the OTLP request (protobuf, uncompressed) from which the rows were decoded, so that it can be
    /// sent on unchanged. [`Batch::with_rows`] drops it.
    pub fn with_original(mut self, request: Bytes) -> Batch {
        self.original = Some(Original::from(request));
        self
    }

    /// Merges the rows of several batches, in order. Views share their buffers, the senders of all parts wait
    /// for the merged batch, and if every part has its original, the merged batch has all of them. A single
    /// batch is returned unchanged; an empty list returns none.
    ///
    /// # Panics
    /// When the signals differ, which is an error of the caller, or when a list would have more than 2³¹
    /// items.
    pub fn concat(mut parts: Vec<Batch>) -> Option<Batch> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let signal = parts[0].signal;
        assert!(
            parts.iter().all(|part| part.signal == signal),
            "batches of different signals cannot be merged"
        );
        let rows = concat_batches(&signal.schema(), parts.iter().map(Batch::rows))
            .and_then(|rows| {
                let columns = rows.columns().iter().map(words::once).collect();
                RecordBatch::try_new(rows.schema(), columns)
            })
            .expect("parts of one signal have one schema");
        let originals: Option<Vec<&Original>> =
            parts.iter().map(|part| part.original.as_ref()).collect();
        let original = originals.map(Original::concat);
        let parts = parts.into_iter();
        let parts = parts.map(|part| (part.rows.num_rows(), part.delivery));
        let delivery = Delivery::merge_rows(parts.map(|(rows, delivery)| (delivery, rows)));
        Some(Batch {
            signal,
            rows,
            delivery,
            original,
        })
    }

    /// A range of the rows, with the senders of these rows. The range of all rows is the batch itself; a
    /// smaller one has no original.
    ///
    /// # Panics
    /// When the range exceeds the batch.
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Batch {
        if rows == (0..self.num_rows()) {
            return self.clone();
        }
        Batch {
            signal: self.signal,
            delivery: self.delivery.slice(self.num_rows(), &rows),
            rows: self.rows.slice(rows.start, rows.len()),
            original: None,
        }
    }

    /// The rows of each sender, where the batch was merged of those of several: see [`Delivery::by_sender`].
    pub fn by_sender(&self) -> Vec<Batch> {
        let parts = self.delivery.by_sender(self.num_rows()).into_iter();
        let part = |(delivery, rows)| self.slice(rows).with_delivery(delivery);
        parts.map(part).collect()
    }

    /// Replaces the rows; signal and senders stay.
    ///
    /// # Errors
    /// When the rows do not have exactly the signal's schema.
    pub fn with_rows(self, rows: RecordBatch) -> Result<Batch, SchemaMismatch> {
        Batch::new(self.signal, rows, self.delivery.unattributed())
    }

    /// Replaces some columns, each named by its constant in [`crate::schema`].
    ///
    /// # Panics
    /// When a column does not have the type of the schema or the length of the batch: an error of the caller,
    /// not of the data.
    pub fn with_columns(
        self,
        changed: impl IntoIterator<Item = (&'static str, ArrayRef)>,
    ) -> Batch {
        let schema = self.rows.schema();
        let mut columns = self.rows.columns().to_vec();
        for (name, column) in changed {
            let index = schema
                .index_of(name)
                .unwrap_or_else(|_| panic!("{} has no column {name}", self.signal));
            columns[index] = column;
        }
        let rows = RecordBatch::try_new(schema, columns)
            .expect("columns have their type and the batch's length");
        Batch {
            rows,
            original: None,
            ..self
        }
    }

    /// Sets the column `uid`. OTLP has no such field, so the batch keeps its original.
    pub fn with_uid(self, uid: StringViewArray) -> Batch {
        self.with_uid_column(opening::UID, uid)
    }

    /// Sets the column `peer_uid` of `traces`. OTLP has no such field, so the batch keeps its original.
    pub fn with_peer_uid(self, uid: StringViewArray) -> Batch {
        self.with_uid_column(traces::PEER_UID, uid)
    }

    /// Sets a column of uids that OTLP does not have.
    fn with_uid_column(self, name: &'static str, uids: StringViewArray) -> Batch {
        let original = self.original.clone();
        Batch {
            original,
            ..self.with_columns([(name, Arc::new(uids) as ArrayRef)])
        }
    }

    /// A batch that was made of this one: the senders of this batch wait for it, too.
    ///
    /// # Errors
    /// When the rows do not have exactly the signal's schema.
    pub fn derive(&self, signal: Signal, rows: RecordBatch) -> Result<Batch, SchemaMismatch> {
        Batch::new(signal, rows, self.delivery.unattributed())
    }

    pub fn with_delivery(self, delivery: Delivery) -> Batch {
        Batch { delivery, ..self }
    }

    pub fn signal(&self) -> Signal {
        self.signal
    }

    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    pub fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// The OTLP request from which the rows were decoded, if they were not changed.
    pub fn original(&self) -> Option<&Original> {
        self.original.as_ref()
    }

    /// A column by its constant in [`crate::schema`].
    ///
    /// # Panics
    /// When the signal has no such column: an error of the caller, not of the data.
    pub fn column(&self, name: &str) -> &ArrayRef {
        self.rows
            .column_by_name(name)
            .unwrap_or_else(|| panic!("{} has no column {name}", self.signal))
    }

    pub fn text(&self, name: &str) -> &StringViewArray {
        self.column(name).as_string_view()
    }

    /// A column of attributes, to read with [`crate::attributes`].
    pub fn bytes(&self, name: &str) -> &BinaryViewArray {
        self.column(name).as_binary_view()
    }

    /// A column of few different words; index it like an array of text.
    pub fn words(&self, name: &str) -> TypedDictionaryArray<'_, Int32Type, StringArray> {
        let dictionary: &DictionaryArray<Int32Type> = self.column(name).as_dictionary();
        dictionary.downcast_dict().expect("words are text")
    }

    pub fn numbers<T: ArrowPrimitiveType>(&self, name: &str) -> &PrimitiveArray<T> {
        self.column(name).as_primitive()
    }

    pub fn ids(&self, name: &str) -> &FixedSizeBinaryArray {
        self.column(name).as_fixed_size_binary()
    }

    pub fn uid(&self) -> &StringViewArray {
        self.text(opening::UID)
    }

    /// The memory that the batch keeps alive, in bytes: each buffer counts once, however many columns share
    /// it.
    pub fn memory(&self) -> usize {
        self.buffers().into_values().sum()
    }

    /// The buffers that the batch keeps alive: their addresses and sizes in bytes.
    pub fn buffers(&self) -> HashMap<usize, usize> {
        let mut buffers = HashMap::new();
        for part in self.original.iter().flat_map(Original::parts) {
            buffers.entry(part.as_ptr() as usize).or_insert(part.len());
        }
        for column in self.rows.columns() {
            add_buffers(&column.to_data(), &mut buffers);
        }
        buffers
    }
}

fn add_buffers(data: &arrow_data::ArrayData, buffers: &mut HashMap<usize, usize>) {
    let validity = data.nulls().map(|nulls| nulls.buffer());
    for buffer in data.buffers().iter().chain(validity) {
        let place = buffer.data_ptr().as_ptr() as usize;
        buffers.entry(place).or_insert(buffer.capacity());
    }
    for child in data.child_data() {
        add_buffers(child, buffers);
    }
}

#[cfg(test)]
mod tests;
