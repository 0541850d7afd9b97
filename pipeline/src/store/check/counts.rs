//! Compares the counts of nodes by kind and provider with the nodes.

use std::collections::BTreeMap;

use super::{CheckDifference, CheckedTable};
use crate::store::rows::{CountRow, Listing, Projection, ReadRows, RowsError, Word};

/// How many nodes one read returns at most.
const PAGE_SIZE: usize = if cfg!(test) { 3 } else { 1000 };

/// Compares the counts. Returns the differences and the changes that a repair adds to the counts. All rows are read
/// from one state of the store. The changes stay correct if other processes write meanwhile, since each write changes
/// nodes and counts together.
pub(super) async fn compare(
    rows: &mut impl ReadRows,
) -> Result<(Vec<CheckDifference>, Vec<CountRow>), RowsError> {
    let mut missing: BTreeMap<(Word, Word), i64> = BTreeMap::new();
    for row in rows.counts().await? {
        *missing.entry((row.kind, row.provider)).or_default() -= row.count;
    }
    let mut after = 0;
    loop {
        let page = rows.node_page(after, PAGE_SIZE).await?;
        let Some(&last) = page.last() else {
            break;
        };
        for row in rows.nodes(&page, Projection::Header).await? {
            if row.listing == Listing::Current {
                *missing.entry((row.kind, row.provider)).or_default() += 1;
            }
        }
        after = last;
    }
    missing.retain(|_, count| *count != 0);
    let words: Vec<Word> = missing.keys().flat_map(|(a, b)| [*a, *b]).collect();
    let texts = rows.texts(&words).await?;
    let names = texts.chunks(2).map(|names| match names {
        [kind, provider] if provider.is_empty() => format!("kind {kind:?}"),
        [kind, provider] => format!("kind {kind:?} of {provider:?}"),
        _ => String::new(),
    });
    let differences = names.map(|subject| CheckDifference {
        subject,
        table: CheckedTable::Counts,
        rows: 1,
    });
    let differences = differences.collect();
    let changes = missing.into_iter();
    let changes = changes.map(|((kind, provider), count)| CountRow {
        kind,
        provider,
        count,
    });
    Ok((differences, changes.collect()))
}
