//! `Batch`: the one thing that travels between components.

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

/// Rows of one signal, and who waits for them. Cheap to clone: columns are shared.
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
    /// Rows of the signal's schema, or of an older or a newer version of it: a nullable column that is missing is
    /// null, and unknown ones are left out.
    ///
    /// # Errors
    /// When a column that must be there is missing, has nulls or another type.
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

    /// Keeps the OTLP request (protobuf, uncompressed) that these rows are, so that it can be sent
    /// on as it came. [`Batch::with_rows`] forgets it.
    pub fn with_original(mut self, request: Bytes) -> Batch {
        self.original = Some(Original::from(request));
        self
    }

    /// Puts the rows of several batches together, in order: views share their buffers, all who
    /// wait for a part wait for the whole, and where every part has its original the whole has
    /// them all. One batch stays as it is; of none there is none.
    ///
    /// # Panics
    /// When the signals differ, which is a mistake of the caller's, or where a list would have
    /// more than 2³¹ items.
    pub fn concat(mut parts: Vec<Batch>) -> Option<Batch> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let signal = parts[0].signal;
        assert!(
            parts.iter().all(|part| part.signal == signal),
            "batches of different signals cannot be one"
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

    /// Some of the rows, for those who wait for them. All the rows are the batch itself; a
    /// part of them has no original.
    ///
    /// # Panics
    /// When the batch has not as many rows.
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

    /// The rows of each sender, where the batch was put together of those of several: see
    /// [`Delivery::by_sender`].
    pub fn by_sender(&self) -> Vec<Batch> {
        let parts = self.delivery.by_sender(self.num_rows()).into_iter();
        let part = |(delivery, rows)| self.slice(rows).with_delivery(delivery);
        parts.map(part).collect()
    }

    /// Changes the rows: the signal and those who wait stay.
    ///
    /// # Errors
    /// When the rows do not have exactly the signal's schema.
    pub fn with_rows(self, rows: RecordBatch) -> Result<Batch, SchemaMismatch> {
        Batch::new(self.signal, rows, self.delivery.unattributed())
    }

    /// Changes some columns, each by its constant in [`crate::schema`]; they have its type and as
    /// many rows.
    ///
    /// # Panics
    /// When they do not: a mistake of the caller's, not of the data.
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

    /// Sets the column `uid`. OTLP has no such field, so the original stays what these rows are.
    pub fn with_uid(self, uid: StringViewArray) -> Batch {
        self.with_own(opening::UID, uid)
    }

    /// Sets the column `peer_uid` of `traces`, likewise.
    pub fn with_peer_uid(self, uid: StringViewArray) -> Batch {
        self.with_own(traces::PEER_UID, uid)
    }

    /// Sets a column of uids that OTLP does not know.
    fn with_own(self, name: &'static str, uids: StringViewArray) -> Batch {
        let original = self.original.clone();
        Batch {
            original,
            ..self.with_columns([(name, Arc::new(uids) as ArrayRef)])
        }
    }

    /// A batch that was made of this one: those who wait for this one wait for it too.
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

    /// The OTLP request that these rows are, where nothing has changed them.
    pub fn original(&self) -> Option<&Original> {
        self.original.as_ref()
    }

    /// A column by its constant in [`crate::schema`].
    ///
    /// # Panics
    /// When the signal has no such column: a mistake of the caller's, not of the data.
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

    /// What the batch keeps alive, in bytes: each buffer once, however many columns share it.
    pub fn memory(&self) -> usize {
        self.buffers().into_values().sum()
    }

    /// The buffers that the batch keeps alive, by their places in memory, with their bytes.
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
