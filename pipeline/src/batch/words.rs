//! Columns of words that were put together.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, StringArray};

/// The column with each of its words once in the dictionary; all others as they are. Arrow puts
/// dictionaries one behind the other, and every request has its own of the same few words.
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
    // What stands below a null need not be a place.
    let place = |key: i32| place_of_word.get(key as usize).copied().unwrap_or(0);
    let keys = dictionary.keys().unary(place);
    let distinct: StringArray = distinct.into_iter().collect();
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(distinct)))
}
