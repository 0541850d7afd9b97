//! Which rows a read is about.

use std::collections::BTreeSet;

use crate::store::rows::{EdgeKey, Listing, NO_WORD, NodeRow, RowFilter, Word};

/// What a call asks for, each once.
pub(super) fn asked<T: Ord>(keys: &[T]) -> BTreeSet<&T> {
    keys.iter().collect()
}

/// Whether a row is of one of the words that a filter names; it is where none is named.
pub(super) fn is_of(word: Word, wanted: &[Word]) -> bool {
    wanted.is_empty() || wanted.contains(&word)
}

/// In which order edges that lead to a node are paged.
pub(super) fn incoming(key: &EdgeKey) -> impl Ord + use<> {
    (
        key.to,
        key.kind,
        key.from,
        key.source,
        key.scope,
        key.is_observation,
    )
}

/// Whether a node is listed, and as a filter asks.
pub(super) fn fits(row: &NodeRow, filter: &RowFilter) -> bool {
    let is = |word: Word, wanted: Word| wanted == NO_WORD || word == wanted;
    let is_listed = match row.listing {
        Listing::None => false,
        Listing::Current => true,
        Listing::Ended => filter.with_ended,
    };
    // Tags are left to the caller, as the contract allows.
    is_listed
        && is_of(row.kind, &filter.kinds)
        && is(row.provider, filter.provider)
        && is(row.account, filter.account)
        && is(row.region, filter.region)
        && filter.text.as_ref().is_none_or(|text| {
            let name = row.name.as_deref().unwrap_or_default();
            name.to_lowercase().contains(text) || row.uid.to_lowercase().contains(text)
        })
}
