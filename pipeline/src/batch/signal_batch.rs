//! `Batch`, the unit that components exchange: rows of one signal, and the senders that wait for their delivery.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{
    ArrayRef, BinaryViewArray, DictionaryArray, FixedSizeBinaryArray, PrimitiveArray, RecordBatch,
    StringViewArray,
};
use bytes::Bytes;

use super::OriginalRequest;
use super::cells::WordColumn;
use super::conform::conform;
use super::content::Content;
use crate::schema::{opening, traces};
use crate::{Delivery, Signal};

/// Rows of one signal with their [`Delivery`]. Cheap to clone, since clones share the rows.
#[derive(Clone, Debug)]
pub struct Batch {
    signal: Signal,
    content: Arc<Content>,
    delivery: Delivery,
}

/// The rows do not have the schema of their signal.
#[derive(Debug, thiserror::Error)]
#[error("rows do not have the schema of {signal}: {difference}")]
pub struct SchemaMismatch {
    signal: Signal,
    difference: String,
}

impl Batch {
    /// Makes a batch of rows of the signal's schema, or of an older or newer version of the schema: a missing nullable
    /// column becomes null, and unknown columns are dropped.
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
            conform(&schema, &rows).map_err(mismatch)?
        };
        Ok(Batch {
            signal,
            content: Arc::new(Content::new(rows, None)),
            delivery,
        })
    }

    /// Adds the OTLP request (protobuf, uncompressed) from which the rows were decoded, so that exporters can send it
    /// unchanged. [`Batch::with_rows`] removes it.
    pub fn with_original(self, request: Bytes) -> Batch {
        let original = Some(OriginalRequest::from(request));
        let content = Content::new(self.rows().clone(), original);
        self.with_content(content)
    }

    /// A range of the rows, with the senders of these rows. The range of all rows is the batch itself. A smaller range
    /// has no original request.
    ///
    /// # Panics
    /// When the range exceeds the batch.
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Batch {
        if rows == (0..self.num_rows()) {
            return self.clone();
        }
        let delivery = self.delivery.slice(self.num_rows(), &rows);
        let rows = self.rows().slice(rows.start, rows.len());
        Batch {
            signal: self.signal,
            content: Arc::new(Content::new(rows, None)),
            delivery,
        }
    }

    /// Merges several batches, in order. The rows are concatenated when they are first read; views share their
    /// buffers. The senders of all parts wait for the merged batch. If every part has its original request, the merged
    /// batch has all of them. Returns a single batch unchanged, and `None` if there is no batch.
    ///
    /// # Panics
    /// When the signals differ, which is an error of the caller.
    pub fn concat(mut parts: Vec<Batch>) -> Option<Batch> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let signal = parts[0].signal;
        assert!(
            parts.iter().all(|part| part.signal == signal),
            "batches of different signals cannot be merged"
        );
        let content = Content::merge(parts.iter().map(|part| &*part.content));
        let parts = parts.into_iter();
        let parts = parts.map(|part| (part.content.num_rows(), part.delivery));
        let delivery = Delivery::merge_rows(parts.map(|(rows, delivery)| (delivery, rows)));
        Some(Batch {
            signal,
            content: Arc::new(content),
            delivery,
        })
    }

    /// Splits a merged batch into the rows of each sender: see [`Delivery::by_sender`].
    pub fn by_sender(&self) -> Vec<Batch> {
        let parts = self.delivery.by_sender(self.num_rows()).into_iter();
        let part = |(delivery, rows)| self.slice(rows).with_delivery(delivery);
        parts.map(part).collect()
    }

    /// Replaces the rows, and keeps the signal and the senders.
    ///
    /// # Errors
    /// When a required column is missing, has nulls or has another type.
    pub fn with_rows(self, rows: RecordBatch) -> Result<Batch, SchemaMismatch> {
        Batch::new(self.signal, rows, self.delivery.for_derived_rows())
    }

    /// Replaces some columns, each named by its constant in [`crate::schema`].
    ///
    /// # Panics
    /// When a column does not have the type of the schema or the length of the batch, which is an error of the caller,
    /// not of the data.
    pub fn with_columns(
        self,
        changed: impl IntoIterator<Item = (&'static str, ArrayRef)>,
    ) -> Batch {
        let rows = self.rows_with_columns(changed);
        self.with_content(Content::new(rows, None))
    }

    fn rows_with_columns(
        &self,
        changed: impl IntoIterator<Item = (&'static str, ArrayRef)>,
    ) -> RecordBatch {
        let schema = self.rows().schema();
        let mut columns = self.rows().columns().to_vec();
        for (name, column) in changed {
            let index = schema
                .index_of(name)
                .unwrap_or_else(|_| panic!("{} has no column {name}", self.signal));
            columns[index] = column;
        }
        RecordBatch::try_new(schema, columns)
            .expect("columns have their type and the batch's length")
    }

    fn with_content(self, content: Content) -> Batch {
        Batch {
            content: Arc::new(content),
            ..self
        }
    }

    /// Sets the column `uid`. OTLP has no such field, so the batch keeps its original request.
    pub fn with_uid(self, uid: StringViewArray) -> Batch {
        self.with_uid_column(opening::UID, uid)
    }

    /// Sets the column `peer_uid` of `traces`. OTLP has no such field, so the batch keeps its original request.
    pub fn with_peer_uid(self, uid: StringViewArray) -> Batch {
        self.with_uid_column(traces::PEER_UID, uid)
    }

    /// Sets a column of uids that has no field in OTLP.
    fn with_uid_column(self, name: &'static str, uids: StringViewArray) -> Batch {
        let rows = self.rows_with_columns([(name, Arc::new(uids) as ArrayRef)]);
        let original = self.content.original.clone();
        self.with_content(Content::new(rows, original))
    }

    /// Makes a batch of rows that were derived from this batch. The senders of this batch also wait for the new one.
    ///
    /// # Errors
    /// When a required column is missing, has nulls or has another type.
    pub fn derive(&self, signal: Signal, rows: RecordBatch) -> Result<Batch, SchemaMismatch> {
        Batch::new(signal, rows, self.delivery.for_derived_rows())
    }

    /// Replaces the delivery.
    pub fn with_delivery(self, delivery: Delivery) -> Batch {
        Batch { delivery, ..self }
    }

    /// The signal of the rows.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// The rows, with the schema of the signal. The first call on a merged batch, or on a clone of it, concatenates the
    /// rows; [`Batch::num_rows`], [`Batch::original`] and [`Batch::memory`] do not.
    pub fn rows(&self) -> &RecordBatch {
        self.content.rows()
    }

    /// The number of rows.
    pub fn num_rows(&self) -> usize {
        self.content.num_rows()
    }

    /// The link to the senders that wait for the batch.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// The OTLP request from which the rows were decoded, if they were not changed.
    pub fn original(&self) -> Option<&OriginalRequest> {
        self.content.original.as_ref()
    }

    /// A column by its constant in [`crate::schema`].
    ///
    /// # Panics
    /// When the signal has no such column, which is an error of the caller, not of the data.
    pub fn column(&self, name: &str) -> &ArrayRef {
        self.rows()
            .column_by_name(name)
            .unwrap_or_else(|| panic!("{} has no column {name}", self.signal))
    }

    /// A column of text.
    pub fn text(&self, name: &str) -> &StringViewArray {
        self.column(name).as_string_view()
    }

    /// A column of attributes, to read with [`crate::attributes`].
    pub fn bytes(&self, name: &str) -> &BinaryViewArray {
        self.column(name).as_binary_view()
    }

    /// A dictionary column of words, which can be indexed like an array of text.
    pub fn words(&self, name: &str) -> WordColumn<'_> {
        let dictionary: &DictionaryArray<Int32Type> = self.column(name).as_dictionary();
        dictionary.downcast_dict().expect("words are text")
    }

    /// A column of numbers or times.
    pub fn numbers<T: ArrowPrimitiveType>(&self, name: &str) -> &PrimitiveArray<T> {
        self.column(name).as_primitive()
    }

    /// A column of ids of fixed length, such as trace ids.
    pub fn ids(&self, name: &str) -> &FixedSizeBinaryArray {
        self.column(name).as_fixed_size_binary()
    }

    /// The column `uid`.
    pub fn uid(&self) -> &StringViewArray {
        self.text(opening::UID)
    }

    /// The memory that the batch keeps alive, in bytes. A buffer that several columns share counts once. The first call
    /// measures it; concatenating the rows of a merged batch afterwards does not change the result.
    pub fn memory(&self) -> usize {
        self.content.memory()
    }

    /// The buffers that the batch keeps alive: their addresses and sizes in bytes.
    pub fn buffers(&self) -> HashMap<usize, usize> {
        self.content.buffers()
    }
}
