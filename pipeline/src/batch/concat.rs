//! Concatenates the rows of several batches.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;

/// Concatenates the rows of one or more batches, which all have the schema of one signal.
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

/// Removes duplicates from the dictionary of a column. Arrow concatenates the dictionaries of all parts, and each part
/// has a dictionary of the same few words. Returns a column without a dictionary unchanged.
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
