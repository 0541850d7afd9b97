//! The content that the clones of a batch share: its rows, and the OTLP request from which they were decoded.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use arrow_array::{Array, RecordBatch};
use arrow_data::ArrayData;

use super::OriginalRequest;
use super::concat::concat_rows;
use crate::sync::lock;

/// Merged parts with fewer rows on average are concatenated at once: [`Content::memory`] counts buffers alone, but most of
/// the memory of a part with a few rows is its arrays.
const MIN_ROWS_PER_PART: usize = 16;

#[derive(Debug)]
pub(super) struct Content {
    rows: BatchRows,
    pub(super) original: Option<OriginalRequest>,
    /// Cached, since every queue that the batch passes through reads it.
    memory: OnceLock<usize>,
}

#[derive(Debug)]
enum BatchRows {
    Whole(RecordBatch),
    Merged(MergedRows),
}

/// Rows of several batches. They are concatenated when they are first read: an exporter that sends the original
/// requests never reads them.
#[derive(Debug)]
struct MergedRows {
    num_rows: usize,
    whole: OnceLock<RecordBatch>,
    /// At least one batch, in order; empty once `whole` is set.
    parts: Mutex<Vec<RecordBatch>>,
}

impl Content {
    pub(super) fn new(rows: RecordBatch, original: Option<OriginalRequest>) -> Content {
        Content {
            rows: BatchRows::Whole(rows),
            original,
            memory: OnceLock::new(),
        }
    }

    /// Merges contents of one signal, in order. If every part has its original request, the result has all of them, and
    /// its rows are concatenated when they are first read, unless the parts have only a few rows each.
    pub(super) fn merge<'a>(contents: impl Iterator<Item = &'a Content> + Clone) -> Content {
        let originals = contents.clone().map(|content| content.original.as_ref());
        let originals: Option<Vec<&OriginalRequest>> = originals.collect();
        let original = originals.map(OriginalRequest::concat);
        let num_rows: usize = contents.clone().map(Content::num_rows).sum();
        let parts: Vec<RecordBatch> = contents.flat_map(Content::parts).collect();
        if original.is_none() || num_rows < parts.len() * MIN_ROWS_PER_PART {
            return Content::new(concat_rows(&parts), original);
        }
        let merged = MergedRows {
            num_rows,
            whole: OnceLock::new(),
            parts: Mutex::new(parts),
        };
        Content {
            rows: BatchRows::Merged(merged),
            original,
            memory: OnceLock::new(),
        }
    }

    pub(super) fn num_rows(&self) -> usize {
        match &self.rows {
            BatchRows::Whole(rows) => rows.num_rows(),
            BatchRows::Merged(merged) => merged.num_rows,
        }
    }

    /// All rows. The first call concatenates merged rows.
    pub(super) fn rows(&self) -> &RecordBatch {
        match &self.rows {
            BatchRows::Whole(rows) => rows,
            BatchRows::Merged(merged) => merged.whole(),
        }
    }

    /// The memory that the rows and the request kept alive when they were first measured, in bytes. A buffer that
    /// several columns share counts once.
    pub(super) fn memory(&self) -> usize {
        *self.memory.get_or_init(|| {
            let mut buffers = HashMap::new();
            self.add_request(&mut buffers);
            for rows in self.parts() {
                add_columns(&rows, &mut buffers);
            }
            buffers.into_values().sum()
        })
    }

    /// The buffers of all rows and of the request: their addresses and sizes in bytes.
    pub(super) fn buffers(&self) -> HashMap<usize, usize> {
        let mut buffers = HashMap::new();
        self.add_request(&mut buffers);
        add_columns(self.rows(), &mut buffers);
        buffers
    }

    /// The rows, as one record batch or as several that are not concatenated yet.
    fn parts(&self) -> Vec<RecordBatch> {
        match &self.rows {
            BatchRows::Whole(rows) => vec![rows.clone()],
            BatchRows::Merged(merged) => merged.parts(),
        }
    }

    fn add_request(&self, buffers: &mut HashMap<usize, usize>) {
        for part in self.original.iter().flat_map(OriginalRequest::parts) {
            buffers.entry(part.as_ptr() as usize).or_insert(part.len());
        }
    }
}

impl MergedRows {
    fn whole(&self) -> &RecordBatch {
        if let Some(rows) = self.whole.get() {
            return rows;
        }
        let mut parts = lock(&self.parts);
        let whole = self.whole.get_or_init(|| concat_rows(&parts));
        parts.clear();
        whole
    }

    fn parts(&self) -> Vec<RecordBatch> {
        let parts = lock(&self.parts);
        match self.whole.get() {
            Some(rows) => vec![rows.clone()],
            None => parts.clone(),
        }
    }
}

fn add_columns(rows: &RecordBatch, buffers: &mut HashMap<usize, usize>) {
    for column in rows.columns() {
        add_buffers(&column.to_data(), buffers);
    }
}

fn add_buffers(data: &ArrayData, buffers: &mut HashMap<usize, usize>) {
    let validity = data.nulls().map(|nulls| nulls.buffer());
    for buffer in data.buffers().iter().chain(validity) {
        let address = buffer.data_ptr().as_ptr() as usize;
        buffers.entry(address).or_insert(buffer.capacity());
    }
    for child in data.child_data() {
        add_buffers(child, buffers);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Arc;

    use arrow_array::{Int64Array, RecordBatch};
    use bytes::Bytes;

    use super::{Content, OriginalRequest};

    fn numbers(numbers: Range<i64>) -> Content {
        let column = Arc::new(Int64Array::from_iter_values(numbers)) as _;
        let rows = RecordBatch::try_from_iter([("n", column)]).unwrap();
        Content::new(rows, Some(OriginalRequest::from(Bytes::from_static(b"n"))))
    }

    #[test]
    fn merged_rows_are_concatenated_when_they_are_first_read() {
        let inner = Content::merge([numbers(0..16), numbers(16..50)].iter());
        let merged = Content::merge([inner, numbers(50..100)].iter());
        let memory = merged.memory();
        assert_eq!((merged.num_rows(), merged.parts().len()), (100, 3));
        let all = numbers(0..100);
        assert_eq!(merged.rows(), all.rows());
        assert_eq!(merged.parts(), [all.rows().clone()]);
        assert_eq!(merged.memory(), memory);
        assert_eq!(merged.original.unwrap().parts().len(), 3);
    }

    #[test]
    fn small_parts_and_parts_without_a_request_are_concatenated_at_once() {
        let small = Content::merge([numbers(0..1), numbers(1..2)].iter());
        assert_eq!((small.num_rows(), small.parts().len()), (2, 1));
        let without = Content::new(numbers(0..99).rows().clone(), None);
        let merged = Content::merge([without, numbers(99..200)].iter());
        assert_eq!((merged.num_rows(), merged.parts().len()), (200, 1));
        assert!(merged.original.is_none());
    }

    #[test]
    fn threads_that_read_merged_rows_at_the_same_time_get_the_same_rows() {
        let merged = Content::merge([numbers(0..20), numbers(20..40)].iter());
        let addresses = std::thread::scope(|scope| {
            let read = || merged.rows().column(0).to_data().buffers()[0].as_ptr() as usize;
            [scope.spawn(read), scope.spawn(read)].map(|thread| thread.join().unwrap())
        });
        assert_eq!(addresses[0], addresses[1]);
    }
}
