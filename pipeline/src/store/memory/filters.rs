//! Which rows a read is about.

use std::collections::BTreeSet;

use super::tables::Tables;
use crate::store::rows::{
    EdgeKey, Listing, NO_WORD, NodeRow, RowFilter, TextMatch, WantedText, Word,
};

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
pub(super) fn fits(row: &NodeRow, filter: &RowFilter, tables: &Tables) -> bool {
    let is = |word: Word, wanted: Word| wanted == NO_WORD || word == wanted;
    let is_listed = match row.listing {
        Listing::None => false,
        Listing::Current => true,
        Listing::Ended => filter.with_ended,
    };
    let has = |wanted: &WantedText| {
        let texts = tables.texts.iter().filter(|text| text.node == row.id);
        texts
            .filter(|text| text.field == wanted.field)
            .any(|text| matches(&text.text, &wanted.text, wanted.how))
    };
    let has_changed = filter.changed_after.is_some_and(|time| row.changed > time);
    is_listed
        && (has_changed
            || is_of(row.kind, &filter.kinds)
                && is(row.provider, filter.provider)
                && is(row.account, filter.account)
                && is(row.region, filter.region)
                && filter.texts.iter().all(|any| any.iter().any(has)))
}

/// Whether a text is one that is looked for.
pub(super) fn matches(text: &str, wanted: &str, how: TextMatch) -> bool {
    match how {
        TextMatch::Exact => text == wanted,
        TextMatch::Prefix => text.starts_with(wanted),
        TextMatch::Part => text.contains(wanted),
    }
}
