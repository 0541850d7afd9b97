//! Compares the counts of nodes by kind and provider with the nodes.

use std::collections::BTreeMap;

use super::{Difference, Table};
use crate::store::rows::{CountRow, Listing, Projection, ReadRows, RowsError, Word};

/// Nodes that are read together.
const PAGE: usize = if cfg!(test) { 3 } else { 1000 };

/// How the counts differ, and what is to be added to them. All is read from one state of the store:
/// what others write meanwhile changes nodes and counts alike, so the sum stays right.
pub(super) async fn compare(
    rows: &mut impl ReadRows,
) -> Result<(Vec<Difference>, Vec<CountRow>), RowsError> {
    let mut lacking: BTreeMap<(Word, Word), i64> = BTreeMap::new();
    for row in rows.counts().await? {
        *lacking.entry((row.kind, row.provider)).or_default() -= row.count;
    }
    let mut after = 0;
    loop {
        let page = rows.node_page(after, PAGE).await?;
        let Some(&last) = page.last() else {
            break;
        };
        for row in rows.nodes(&page, Projection::Header).await? {
            if row.listing == Listing::Current {
                *lacking.entry((row.kind, row.provider)).or_default() += 1;
            }
        }
        after = last;
    }
    lacking.retain(|_, count| *count != 0);
    let words: Vec<Word> = lacking.keys().flat_map(|(a, b)| [*a, *b]).collect();
    let texts = rows.texts(&words).await?;
    let names = texts.chunks(2).map(|names| match names {
        [kind, provider] if provider.is_empty() => format!("kind {kind:?}"),
        [kind, provider] => format!("kind {kind:?} of {provider:?}"),
        _ => String::new(),
    });
    let differences = names.map(|of| Difference {
        of,
        table: Table::Counts,
        rows: 1,
    });
    let differences = differences.collect();
    let changes = lacking.into_iter();
    let changes = changes.map(|((kind, provider), count)| CountRow {
        kind,
        provider,
        count,
    });
    Ok((differences, changes.collect()))
}
