//! Writes the rows of `resources` for one scope, and records what was acknowledged.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pipeline::claims::is_below;
use pipeline::component::UnixNanos;
use pipeline::resource::Scan;
use pipeline::rows::Rows;
use pipeline::schema::nodes::group;
use pipeline::uid;

use super::base::{KnownResources, ReportedResource, ResourceChange};
use super::failure::ScanFailure;
use super::found::ListedResource;
use super::known::Inventory;
use super::names::ScopeNames;
use super::retired::write_release;
use super::sink::Sink;

/// What a scan of a scope saw.
#[derive(Debug, Default)]
pub(super) struct ScanListing {
    /// States by the hash of the uid.
    pub(super) members: HashMap<u64, u64>,
    /// Hashes of uids that the API lists and the filter excludes.
    pub(super) filtered_out: HashSet<u64>,
    /// Whether some of the accounts whose views make up the scope could not be scanned.
    pub(super) is_partial: bool,
}

/// What a completed scan removes from the scope.
#[derive(Debug, Default)]
pub(super) struct ScopeRemovals {
    deleted: Vec<Box<str>>,
    /// Uids that may still exist.
    released: Vec<Box<str>>,
    /// Scopes that the completed one replaces.
    retired: Vec<Arc<str>>,
}

/// Writes the rows of one scope: resources that one account owns.
#[derive(Clone)]
pub(super) struct ScopeWriter {
    names: ScopeNames,
    inventory: Inventory,
    account: Box<str>,
    pub(super) scope: Arc<str>,
    pub(super) known: Arc<KnownResources>,
}

impl ScopeWriter {
    /// Writes the scope of an account's own resources, which its own scan sees.
    pub(super) fn own(names: &ScopeNames, account: &str, inventory: &Inventory) -> ScopeWriter {
        ScopeWriter {
            scope: names.own(account).into(),
            known: inventory.resources(&names.prefix(account)),
            account: account.into(),
            names: names.clone(),
            inventory: inventory.clone(),
        }
    }

    /// Writes the scope of resources that the account shares, as scans of other accounts see them.
    pub(super) fn shared(names: &ScopeNames, account: &str, inventory: &Inventory) -> ScopeWriter {
        ScopeWriter {
            scope: names.shared(account).into(),
            ..ScopeWriter::own(names, account, inventory)
        }
    }

    /// The cells that all rows of one scan have in common. `id` is none for a refresh.
    pub(super) fn new_scan<'a>(
        &'a self,
        source: &'a str,
        id: Option<&'a str>,
        began: UnixNanos,
    ) -> Scan<'a> {
        Scan {
            source,
            group: group::ACTUAL,
            scope: &self.scope,
            id,
            began,
        }
    }

    /// Writes a row for a listed resource that changed since it was last reported. Returns its state as a
    /// member of the scope; none where it is not a member.
    pub(super) fn write_if_changed(
        &self,
        item: &ListedResource,
        scan: &Scan<'_>,
        rows: &mut Rows,
        reported: &mut Vec<ReportedResource>,
    ) -> Option<u64> {
        let hash = uid::hash(&item.resource.uid);
        // A refresh after the scan began is newer than the scan's page may be.
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
    pub(super) fn write_resource(
        &self,
        item: &ListedResource,
        state: u64,
        change: ResourceChange,
        scan: &Scan<'_>,
        rows: &mut Rows,
    ) -> ReportedResource {
        scan.observed(rows, &item.resource, state, change.column_value());
        ReportedResource {
            uid: item.resource.uid.as_str().into(),
            scope: self.scope.clone(),
            state,
            time: scan.began,
        }
    }

    /// Writes the scan completion, and a `deleted` row for each uid that was reported in scopes that `is_of`
    /// accepts and that the API no longer lists. A uid that the filter excludes, or that a partial scan
    /// lacks, is released instead.
    pub(super) fn write_completion(
        &self,
        is_of: impl Fn(&str) -> bool,
        listing: &ScanListing,
        scan: &Scan<'_>,
        rows: &mut Rows,
    ) -> ScopeRemovals {
        let is_seen = |hash| listing.members.contains_key(&hash);
        let missing = self.known.missing(is_of, scan.began, is_seen);
        let is_listed = |uid: &str| listing.filtered_out.contains(&uid::hash(uid));
        let (released, deleted): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|uid| listing.is_partial || is_listed(uid));
        for uid in &deleted {
            self.write_deleted(uid, scan, rows);
        }
        let members = listing.members.iter().map(|(uid, state)| (*uid, *state));
        match self.names.is_filtered() || listing.is_partial {
            true => scan.complete_in_part(rows, members.collect()),
            false => scan.complete(rows, members.collect()),
        }
        ScopeRemovals {
            deleted,
            released,
            retired: Vec::new(),
        }
    }

    /// Releases the account's scopes of other filters, at the time of the scan that replaces them, so that
    /// no resource is unobserved in between. The completion itself covers the scopes below its own.
    pub(super) fn release_replaced(
        &self,
        scan: &Scan<'_>,
        rows: &mut Rows,
        removals: &mut ScopeRemovals,
    ) {
        let prefix = self.names.prefix(&self.account);
        for scope in self.inventory.scopes.under_prefix(&prefix) {
            if scope != self.scope {
                if !is_below(&scope, &self.scope) {
                    write_release(&scope, scan, rows);
                }
                removals.retired.push(scope);
            }
        }
    }

    pub(super) fn write_deleted(&self, uid: &str, scan: &Scan<'_>, rows: &mut Rows) {
        scan.deleted(rows, uid, self.names.kind.name());
    }

    /// Writes the row of a uid that exists and that the filter no longer selects.
    pub(super) fn write_released(&self, uid: &str, scan: &Scan<'_>, rows: &mut Rows) {
        scan.released(rows, uid, self.names.kind.name());
    }

    /// Delivers the rows and waits for the acknowledgement.
    pub(super) async fn deliver(&self, rows: Rows, sink: &dyn Sink) -> Result<(), ScanFailure> {
        self.inventory.scopes.add(&self.scope);
        let delivered = sink.deliver(rows).await;
        delivered.map_err(|reason| self.names.not_delivered(&self.account, reason))
    }

    /// Records the removals of a completed scan whose rows were acknowledged.
    pub(super) fn apply_completion(&self, removals: &ScopeRemovals, began: UnixNanos) {
        let ScopeRemovals {
            deleted,
            released,
            retired,
        } = removals;
        deleted.iter().for_each(|uid| self.known.remove(uid));
        released
            .iter()
            .for_each(|uid| self.known.release(uid, began));
        if !retired.is_empty() {
            let is_retired = |scope: &str| retired.iter().any(|retired| retired.as_ref() == scope);
            self.known.release_scopes(is_retired, began);
            retired
                .iter()
                .for_each(|scope| self.inventory.scopes.remove(scope));
        }
        self.known.expire(began);
    }
}
