//! Selects and orders the rows that a read returns.

use std::collections::BTreeSet;

use super::tables::Tables;
use crate::store::rows::{
    EdgeKey, Listing, NO_WORD, NodeRow, NodeRowFilter, TextCondition, TextMatch, Word,
};

/// Returns the requested keys without duplicates.
pub(super) fn unique_keys<T: Ord>(keys: &[T]) -> BTreeSet<&T> {
    keys.iter().collect()
}

/// Whether a word is one of `wanted`, or `wanted` is empty.
pub(super) fn is_any_of(word: Word, wanted: &[Word]) -> bool {
    wanted.is_empty() || wanted.contains(&word)
}

/// The order of pages of incoming edges.
pub(super) fn incoming_order(key: &EdgeKey) -> impl Ord + use<> {
    (
        key.to,
        key.kind,
        key.from,
        key.source,
        key.scope,
        key.is_observation,
    )
}

/// Whether a list with this filter contains the node.
pub(super) fn matches_filter(row: &NodeRow, filter: &NodeRowFilter, tables: &Tables) -> bool {
    let is = |word: Word, wanted: Word| wanted == NO_WORD || word == wanted;
    let is_listed = match row.listing {
        Listing::None => false,
        Listing::Current => true,
        Listing::Ended => filter.include_ended,
    };
    let meets = |wanted: &TextCondition| {
        let texts = tables.texts.iter().filter(|text| text.node == row.id);
        texts
            .filter(|text| text.field == wanted.field)
            .any(|text| text_matches(&text.text, &wanted.text, wanted.mode))
    };
    let has_changed = filter.changed_after.is_some_and(|time| row.changed > time);
    is_listed
        && (has_changed
            || is_any_of(row.kind, &filter.kinds)
                && is(row.provider, filter.provider)
                && is(row.account, filter.account)
                && is(row.region, filter.region)
                && filter.texts.iter().all(|any_of| any_of.iter().any(meets)))
}

/// Whether a stored text matches the text of a query.
pub(super) fn text_matches(text: &str, wanted: &str, mode: TextMatch) -> bool {
    match mode {
        TextMatch::Exact => text == wanted,
        TextMatch::Prefix => text.starts_with(wanted),
        TextMatch::Substring => text.contains(wanted),
    }
}
