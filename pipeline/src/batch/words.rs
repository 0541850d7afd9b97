//! Dictionary columns after batches were merged.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, StringArray};

/// Removes duplicates from the dictionary of a column; other columns are returned unchanged. Arrow
/// concatenates dictionaries, and every request has its own dictionary of the same few words.
pub(super) fn once(column: &ArrayRef) -> ArrayRef {
    let Some(dictionary) = column.as_dictionary_opt::<Int32Type>() else {
        return column.clone();
    };
    let words: &StringArray = dictionary.values().as_string();
    let mut places: HashMap<Option<&str>, i32> = HashMap::new();
    let mut distinct = Vec::new();
    let place_of_word = words.iter().map(|word| {
        *places.entry(word).or_insert_with(|| {
            distinct.push(word);
            distinct.len() as i32 - 1
        })
    });
    let place_of_word: Vec<i32> = place_of_word.collect();
    if distinct.len() == words.len() {
        return column.clone();
    }
    // The key of a null need not be valid.
    let place = |key: i32| place_of_word.get(key as usize).copied().unwrap_or(0);
    let keys = dictionary.keys().unary(place);
    let distinct: StringArray = distinct.into_iter().collect();
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(distinct)))
}
