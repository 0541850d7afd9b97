//! One transaction of the store: its caches, and the steps that write a batch of reports.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::interning::NodeIds;
use super::loaded_nodes::LoadedNodes;
use super::refresh_requests::DeletedClaims;
use super::scope_cache::ScopeCache;
use crate::component::UnixNanos;
use crate::graph_store::Commit;
use crate::reports::ReportBatch;
use crate::store::rows::{RowsError, VersionKey, VersionRow, WriteRows};
use crate::store::word_map::WordMap;

/// Reports that the store ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DroppedReports {
    /// Scan completions that arrived too late: their scope already had more than 14 scans that began after them, or no
    /// longer keeps scans from their time.
    pub late_completions: u64,
    /// Reports that are older than the horizon.
    pub too_old: u64,
}

/// An open transaction: what it has read and changed so far, and what it announces with its commit.
///
/// `R` is a write session, or a read session if only [`Transaction::current_changes`] is computed.
pub(in crate::store) struct Transaction<'t, R> {
    pub(in crate::store) rows: &'t mut R,
    pub(in crate::store) words: WordMap,
    pub(in crate::store) node_ids: NodeIds,
    /// The nodes whose claims the transaction reads or changes.
    pub(in crate::store) nodes: LoadedNodes,
    /// The versions, without their values, that the transaction wrote for nodes that it created.
    pub(super) new_versions: HashMap<VersionKey, VersionRow>,
    pub(in crate::store) scopes: ScopeCache,
    /// Uids whose `same_as` owner may have changed.
    pub(in crate::store) same_as_to_resolve: BTreeSet<String>,
    pub(super) deleted_claims: DeletedClaims,
    /// What the transaction changed, for the subscribers.
    pub(in crate::store) commit: Commit,
    pub(super) dropped: DroppedReports,
    /// The time of the store's clock.
    pub(in crate::store) now: UnixNanos,
}

impl<'t, R> Transaction<'t, R> {
    pub(in crate::store) fn new(rows: &'t mut R, now: UnixNanos) -> Transaction<'t, R> {
        Transaction {
            rows,
            words: WordMap::default(),
            node_ids: NodeIds::default(),
            nodes: LoadedNodes::default(),
            new_versions: HashMap::new(),
            scopes: ScopeCache::with_clock(now),
            same_as_to_resolve: BTreeSet::new(),
            deleted_claims: DeletedClaims::default(),
            commit: Commit::default(),
            dropped: DroppedReports::default(),
            now,
        }
    }
}

/// Writes the reports of a batch. Nothing is durable before the caller commits `rows`.
pub(in crate::store) async fn write_reports<R: WriteRows>(
    rows: &mut R,
    reports: &ReportBatch<'_>,
    now: UnixNanos,
) -> Result<(Commit, DroppedReports), RowsError> {
    let mut transaction = Transaction::new(rows, now);
    transaction.intern(reports).await?;
    transaction.load_scopes(reports).await?;
    transaction.apply_direct(reports).await?;
    transaction.apply_completions(reports).await?;
    transaction.write_versions(reports).await?;
    transaction.write_current_rows().await?;
    transaction.write_observations(reports).await?;
    transaction.update_same_as().await?;
    transaction.write_edge_stats(reports).await?;
    transaction.write_records(reports).await?;
    transaction.commit.to_refresh = transaction.uids_to_refresh();
    let Transaction {
        mut commit,
        dropped,
        ..
    } = transaction;
    commit.nodes.sort();
    commit.nodes.dedup();
    commit.links.sort();
    commit.links.dedup();
    commit
        .links
        .retain(|uid| commit.nodes.binary_search(uid).is_err());
    Ok((commit, dropped))
}
