//! One batch of reports, one transaction.
//!
//! ```text
//!  ReportBatch ─▶ names.rs    words and nodes become numbers
//!              ─▶ touched.rs  the claims of the nodes that the batch is about
//!              ─▶ direct.rs   sightings, removals and delete events change claims
//!              ─▶ scans.rs    completions change the claims of their scopes
//!              ─▶ content.rs  versions and snapshots
//!              ─▶ current.rs  what reads of now return: nodes, counts, texts; held.rs: edges, aliases;
//!                             changes.rs writes it
//!              ─▶ same_as.rs  which nodes are other names of which
//!              ─▶ observed.rs, stats.rs, records.rs
//! ```

mod around;
mod changes;
mod content;
pub(super) mod current;
mod direct;
mod held;
mod missed;
mod names;
mod observed;
mod records;
mod same_as;
mod scans;
pub(super) mod scopes;
mod stats;
mod touched;

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::rows::{RowsError, VersionKey, VersionRow, WriteRows};
use super::words::Words;
use crate::component::UnixNanos;
use crate::graph_store::Commit;
use crate::reports::ReportBatch;
pub(in crate::store) use changes::CurrentChanges;
use missed::Missed;
use names::Ids;
pub(in crate::store) use scopes::{NamedScopes, Scopes};
use touched::Touched;

/// What a transaction counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Completions that came after too many later ones of their scope, and so ended nothing.
    pub late_completions: u64,
    /// Reports that were dropped because they are older than what is kept.
    pub too_old: u64,
}

/// A transaction on its way.
pub(super) struct Transaction<'t, R> {
    pub(super) rows: &'t mut R,
    pub(super) words: Words,
    pub(super) ids: Ids,
    pub(super) touched: Touched,
    /// All versions of the nodes that it made, as they were written, without their values.
    new_versions: HashMap<VersionKey, VersionRow>,
    pub(super) scopes: Scopes,
    /// Uids of which it may have changed whose other name they are.
    pub(super) same_as: BTreeSet<String>,
    missed: Missed,
    pub(super) news: Commit,
    pub(super) counted: Counted,
    /// What the clock of the store says.
    pub(super) now: UnixNanos,
}

impl<'t, R> Transaction<'t, R> {
    pub(super) fn new(rows: &'t mut R, now: UnixNanos) -> Transaction<'t, R> {
        Transaction {
            rows,
            words: Words::default(),
            ids: Ids::default(),
            touched: Touched::default(),
            new_versions: HashMap::new(),
            scopes: Scopes::at(now),
            same_as: BTreeSet::new(),
            missed: Missed::default(),
            news: Commit::default(),
            counted: Counted::default(),
            now,
        }
    }
}

/// Writes all that a batch reports; nothing is durable before the caller commits.
pub(super) async fn write<R: WriteRows>(
    rows: &mut R,
    reports: &ReportBatch<'_>,
    now: UnixNanos,
) -> Result<(Commit, Counted), RowsError> {
    let mut transaction = Transaction::new(rows, now);
    transaction.intern(reports).await?;
    transaction.load_scopes(reports).await?;
    transaction.apply_direct(reports).await?;
    transaction.apply_scans(reports).await?;
    transaction.write_content(reports).await?;
    transaction.write_current().await?;
    transaction.observe(reports).await?;
    transaction.merge_same_as().await?;
    transaction.write_stats(reports).await?;
    transaction.write_records(reports).await?;
    transaction.news.to_refresh = transaction.missed_elsewhere();
    let Transaction {
        mut news, counted, ..
    } = transaction;
    news.nodes.sort();
    news.nodes.dedup();
    news.links.sort();
    news.links.dedup();
    news.links
        .retain(|uid| news.nodes.binary_search(uid).is_err());
    Ok((news, counted))
}
