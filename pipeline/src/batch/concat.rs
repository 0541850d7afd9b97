//! Merges batches.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;

use super::Batch;
use super::content::Content;
use crate::Delivery;

impl Batch {
    /// Merges several batches, in order. The rows are concatenated when they are first read; views share their buffers. The senders of all parts wait for the
    /// merged batch. If every part has its original request, the merged batch has all of them. A single batch is
    /// returned unchanged; an empty list returns none.
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
}

/// Concatenates the rows of at least one batch; all have the schema of one signal.
///
/// # Panics
/// When a list would have more than 2³¹ items.
pub(super) fn concat_rows(parts: &[RecordBatch]) -> RecordBatch {
    concat_batches(&parts[0].schema(), parts)
        .and_then(|rows| {
            let columns = rows.columns().iter().map(deduplicate_words).collect();
            RecordBatch::try_new(rows.schema(), columns)
        })
        .expect("parts of one signal have one schema")
}

/// Removes duplicates from the dictionary of a column, since Arrow concatenates dictionaries, and every request has its
/// own dictionary of the same few words. Returns other columns unchanged.
fn deduplicate_words(column: &ArrayRef) -> ArrayRef {
    let Some(dictionary) = column.as_dictionary_opt::<Int32Type>() else {
        return column.clone();
    };
    let words: &StringArray = dictionary.values().as_string();
    let mut indexes: HashMap<Option<&str>, i32> = HashMap::new();
    let mut distinct = Vec::new();
    let new_index = words.iter().map(|word| {
        *indexes.entry(word).or_insert_with(|| {
            distinct.push(word);
            distinct.len() as i32 - 1
        })
    });
    let new_index: Vec<i32> = new_index.collect();
    if distinct.len() == words.len() {
        return column.clone();
    }
    // The key of a null need not be valid.
    let new_key = |key: i32| new_index.get(key as usize).copied().unwrap_or(0);
    let keys = dictionary.keys().unary(new_key);
    let distinct: StringArray = distinct.into_iter().collect();
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(distinct)))
}
