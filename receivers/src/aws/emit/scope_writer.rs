//! Writes the rows of `resources` for one scope, and records the acknowledged reports.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pipeline::claims::is_below;
use pipeline::component::UnixNanos;
use pipeline::resource::ScanContext;
use pipeline::rows::Rows;
use pipeline::schema::nodes::group;
use pipeline::uid;

use super::inventory::Inventory;
use super::known_resources::{KnownResources, ReportedResource, ResourceChange};
use super::scope_names::ScopeNames;
use super::sink::RowSink;
use crate::aws::api::ScanFailure;
use crate::aws::listing::ListedResource;

/// The uids that a scan of a scope listed.
#[derive(Debug, Default)]
pub(in crate::aws) struct ScanListing {
    /// States by the hash of the uid.
    pub(in crate::aws) members: HashMap<u64, u64>,
    /// Hashes of uids that the API lists and the filter excludes.
    pub(in crate::aws) filtered_out: HashSet<u64>,
    /// Whether an account that may see resources of the scope could not be scanned.
    pub(in crate::aws) is_partial: bool,
}

/// The uids and scopes that a completed scan deletes or releases.
#[derive(Debug, Default)]
pub(in crate::aws) struct ScopeRemovals {
    deleted: Vec<Box<str>>,
    /// Uids that may still exist.
    released: Vec<Box<str>>,
    /// Scopes that the completed one replaces.
    replaced: Vec<Arc<str>>,
}

/// Writes the rows of one scope. All its resources belong to the same account.
#[derive(Clone)]
pub(in crate::aws) struct ScopeWriter {
    names: ScopeNames,
    inventory: Inventory,
    account: Box<str>,
    pub(in crate::aws) scope: Arc<str>,
    pub(in crate::aws) known: Arc<KnownResources>,
}

impl ScopeWriter {
    /// A writer of the scope of the resources that the account owns, from its own scan.
    pub(in crate::aws) fn for_own_scope(
        names: &ScopeNames,
        account: &str,
        inventory: &Inventory,
    ) -> ScopeWriter {
        ScopeWriter {
            scope: names.own_scope(account).into(),
            known: inventory.resources(&names.prefix(account)),
            account: account.into(),
            names: names.clone(),
            inventory: inventory.clone(),
        }
    }

    /// A writer of the scope of the resources that the account shares, from scans of other accounts.
    pub(in crate::aws) fn for_shared_scope(
        names: &ScopeNames,
        account: &str,
        inventory: &Inventory,
    ) -> ScopeWriter {
        ScopeWriter {
            scope: names.shared_scope(account).into(),
            ..ScopeWriter::for_own_scope(names, account, inventory)
        }
    }

    /// The cells that all rows of one scan have in common. `id` is `None` for a refresh.
    pub(in crate::aws) fn new_scan<'a>(
        &'a self,
        source: &'a str,
        id: Option<&'a str>,
        began: UnixNanos,
    ) -> ScanContext<'a> {
        ScanContext {
            source,
            group: group::ACTUAL,
            scope: &self.scope,
            id,
            began,
        }
    }

    /// If a listed resource changed since its last report, writes its row and adds the new report to `reported`. The
    /// caller records these reports once the rows are acknowledged. Returns the state of the resource as a member of
    /// the scope, or `None` if it is not a member.
    pub(in crate::aws) fn write_if_changed(
        &self,
        item: &ListedResource,
        scan: &ScanContext<'_>,
        rows: &mut Rows,
        reported: &mut Vec<ReportedResource>,
    ) -> Option<u64> {
        let hash = uid::hash(&item.resource.uid);
        // A refresh after the start of the scan may have read a newer state than the scan's page.
        if let Some(state) = self.known.refreshed_since(hash, scan.began) {
            return (state != 0).then_some(state);
        }
        let last_state = self.known.state_in(hash, &self.scope);
        if !item.is_complete && last_state.is_some() {
            return last_state;
        }
        if !item.is_selected {
            return None;
        }
        let state = item.resource.state();
        let change = self.known.change_of(hash, state, &self.scope);
        if change != ResourceChange::Unchanged {
            reported.push(self.write_resource(item, state, change, scan, rows));
        }
        Some(state)
    }

    /// Writes the row of a resource. The caller records the returned value once the row is acknowledged.
    pub(in crate::aws) fn write_resource(
        &self,
        item: &ListedResource,
        state: u64,
        change: ResourceChange,
        scan: &ScanContext<'_>,
        rows: &mut Rows,
    ) -> ReportedResource {
        scan.push_observed(rows, &item.resource, state, change.column_value());
        ReportedResource {
            uid: item.resource.uid.as_str().into(),
            scope: self.scope.clone(),
            state,
            time: scan.began,
        }
    }

    /// Writes the scan completion. It covers the uids whose last report is in a scope that `accepts_scope` accepts.
    /// Writes a `deleted` row for each of these uids that the API no longer lists. The completion itself releases the
    /// uids that the filter excludes, and all that a partial listing lacks.
    pub(in crate::aws) fn write_completion(
        &self,
        accepts_scope: impl Fn(&str) -> bool,
        listing: &ScanListing,
        scan: &ScanContext<'_>,
        rows: &mut Rows,
    ) -> ScopeRemovals {
        let is_seen = |hash| listing.members.contains_key(&hash);
        let missing = self.known.missing(accepts_scope, scan.began, is_seen);
        let is_listed = |uid: &str| listing.filtered_out.contains(&uid::hash(uid));
        let (released, deleted): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|uid| listing.is_partial || is_listed(uid));
        for uid in &deleted {
            self.write_deleted(uid, scan, rows);
        }
        let members = listing.members.iter().map(|(uid, state)| (*uid, *state));
        match self.names.is_filtered() || listing.is_partial {
            true => scan.push_partial_completion(rows, members.collect()),
            false => scan.push_completion(rows, members.collect()),
        }
        ScopeRemovals {
            deleted,
            released,
            replaced: Vec::new(),
        }
    }

    /// Releases the account's other scopes of the kind and region, such as those of other filters. The rows have the
    /// time of the scan that replaces these scopes, so that no resource is unobserved in between. Scopes below this one
    /// need no row, since the completion covers them.
    pub(in crate::aws) fn release_replaced(
        &self,
        scan: &ScanContext<'_>,
        rows: &mut Rows,
        removals: &mut ScopeRemovals,
    ) {
        let prefix = self.names.prefix(&self.account);
        for scope in self.inventory.scopes.under_prefix(&prefix) {
            if scope != self.scope {
                if !is_below(&scope, &self.scope) {
                    write_release(&scope, scan, rows);
                }
                removals.replaced.push(scope);
            }
        }
    }

    /// Writes the row of a uid that no longer exists.
    pub(in crate::aws) fn write_deleted(&self, uid: &str, scan: &ScanContext<'_>, rows: &mut Rows) {
        scan.push_deleted(rows, uid, self.names.kind.name());
    }

    /// Writes the row of a uid that exists and that the filter no longer selects.
    pub(in crate::aws) fn write_released(
        &self,
        uid: &str,
        scan: &ScanContext<'_>,
        rows: &mut Rows,
    ) {
        scan.push_released(rows, uid, self.names.kind.name());
    }

    /// Delivers the rows and waits for the acknowledgement.
    pub(in crate::aws) async fn deliver(
        &self,
        rows: Rows,
        sink: &dyn RowSink,
    ) -> Result<(), ScanFailure> {
        self.inventory.scopes.add(&self.scope);
        let delivered = sink.deliver(rows).await;
        delivered.map_err(|reason| self.names.not_delivered(&self.account, reason))
    }

    /// Records the removals of a completed scan whose rows were acknowledged.
    pub(in crate::aws) fn apply_completion(&self, removals: &ScopeRemovals, began: UnixNanos) {
        let ScopeRemovals {
            deleted,
            released,
            replaced,
        } = removals;
        deleted.iter().for_each(|uid| self.known.remove(uid));
        released
            .iter()
            .for_each(|uid| self.known.release(uid, began));
        if !replaced.is_empty() {
            let is_replaced =
                |scope: &str| replaced.iter().any(|replaced| replaced.as_ref() == scope);
            self.known.release_scopes(is_replaced, began);
            replaced
                .iter()
                .for_each(|scope| self.inventory.scopes.remove(scope));
        }
        self.known.expire(began);
    }
}

/// Writes the row that releases a scope: a completion without members, at the time of this scan.
pub(in crate::aws) fn write_release(scope: &str, scan: &ScanContext<'_>, rows: &mut Rows) {
    ScanContext { scope, ..*scan }.push_partial_completion(rows, Vec::new());
}
