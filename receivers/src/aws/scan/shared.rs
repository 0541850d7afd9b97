//! Reports shared resources: those that scanned accounts see and that no scan of their owner reports.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use pipeline::component::UnixNanos;
use pipeline::rows::Rows;
use pipeline::schema::aliases::kind::SAME_AS;
use pipeline::sync::lock;
use pipeline::{Signal, uid};

use super::leases::Leases;
use crate::aws::api::ScanFailure;
use crate::aws::emit::{
    Inventory, RowSink, ScanListing, ScanProgress, ScopeNames, ScopeWriter, parse_scope,
};
use crate::aws::listing::ListedResource;

/// The number of rows at which a batch is delivered.
const ROWS_PER_BATCH: usize = 1000;

/// Collects the shared resources of one kind and region from the scans of all accounts, and reports each
/// once after the last of these scans, however many accounts see it.
pub(in crate::aws) struct SharedScan {
    names: ScopeNames,
    inventory: Inventory,
    /// A time before the start of each of these scans.
    began: UnixNanos,
    views: Mutex<SharedViews>,
}

/// The outcome of one account's scan of the kind and region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum ScanOutcome {
    Succeeded,
    Failed,
    /// This process could not acquire the lease of the scope, or lost it during the scan.
    Skipped,
}

/// The shared resources that the scans of the accounts have listed so far.
#[derive(Debug, Default)]
pub(in crate::aws) struct SharedViews {
    /// The number of scans that have not finished.
    running: usize,
    /// Whether any scan failed. If so, a missing resource is released and not deleted.
    failed: bool,
    /// Whether any scan succeeded. If not, the scopes of shared resources get no completion.
    succeeded: bool,
    /// Whether any scan was skipped. If so, views are missing, and this process reports no shared resources.
    skipped: bool,
    /// Hashes of uids that the filter excludes.
    filtered_out: HashSet<u64>,
    /// By owner and uid: the account whose view was chosen, and the view.
    by_owner: BTreeMap<String, BTreeMap<String, (String, ListedResource)>>,
}

impl SharedScan {
    pub(in crate::aws) fn new(names: ScopeNames, inventory: &Inventory) -> SharedScan {
        SharedScan {
            names,
            inventory: inventory.clone(),
            began: UnixNanos::now(),
            views: Mutex::default(),
        }
    }

    /// Records that an account could not be scanned, so that missing resources are not deleted.
    pub(in crate::aws) fn mark_partial(&self) {
        self.views().failed = true;
    }

    /// Adds a scan that must finish before shared resources are reported.
    pub(in crate::aws) fn expect_scan(&self) {
        self.views().running += 1;
    }

    /// Adds a resource of another owner as this account sees it.
    pub(in crate::aws) fn add_view(&self, account: &str, item: ListedResource) {
        self.views().add(account, item);
    }

    /// Adds the hash of a uid that the API lists and the filter excludes.
    pub(in crate::aws) fn add_filtered_out(&self, uid: u64) {
        self.views().filtered_out.insert(uid);
    }

    /// Records that one scan finished. If it was the last one, returns the views of all scans.
    pub(in crate::aws) fn finish_scan(&self, outcome: ScanOutcome) -> Option<SharedViews> {
        let mut views = self.views();
        views.running -= 1;
        match outcome {
            ScanOutcome::Succeeded => views.succeeded = true,
            ScanOutcome::Failed => views.failed = true,
            ScanOutcome::Skipped => views.skipped = true,
        }
        (views.running == 0).then(|| std::mem::take(&mut *views))
    }

    fn views(&self) -> MutexGuard<'_, SharedViews> {
        lock(&self.views)
    }

    /// The writer of the scope of an owner's shared resources.
    pub(in crate::aws) fn writer(&self, owner: &str) -> ScopeWriter {
        let region_kind = self.names.region_kind();
        self.inventory.add_sharing_owner(&region_kind, owner);
        ScopeWriter::for_shared_scope(&self.names, owner, &self.inventory)
    }

    /// Whether the owner's own scans report its resources: the owner is configured, and one of its scans has
    /// completed or reported resources before a restart.
    pub(in crate::aws) fn is_reported_by(&self, owner: &str) -> bool {
        let known = self.inventory.resources(&self.names.prefix(owner));
        self.names.has_account(owner) && known.is_reported_by_owner()
    }

    /// Reports all resources except those of owners whose own scans report them. Returns the number of reported
    /// resources.
    pub(in crate::aws) async fn report(
        &self,
        mut views: SharedViews,
        source: &str,
        sink: &dyn RowSink,
        leases: &Leases,
    ) -> Result<usize, ScanFailure> {
        if views.skipped {
            return Ok(0);
        }
        // An owner also needs a completion if no account sees its resources any more.
        let region_kind = self.names.region_kind();
        for owner in self.inventory.sharing_owners(&region_kind) {
            views.by_owner.entry(owner).or_default();
        }
        let SharedViews {
            failed,
            succeeded,
            filtered_out,
            by_owner,
            ..
        } = views;
        let mut listing = ScanListing {
            filtered_out,
            is_partial: failed,
            ..ScanListing::default()
        };
        let mut count = 0;
        for (owner, items) in by_owner {
            if !self.is_reported_by(&owner) {
                let items = items.into_values().map(|(_, item)| item);
                listing.members.clear();
                let scope = self.names.shared_scope(&owner).into();
                let report =
                    self.report_owner(&owner, items, succeeded, &mut listing, source, sink);
                count += leases.hold(&scope, report).await.unwrap_or(Ok(0))?;
            }
        }
        self.release_outdated(succeeded, source, sink, leases)
            .await?;
        Ok(count)
    }

    /// Reports the shared resources of one owner.
    async fn report_owner(
        &self,
        owner: &str,
        items: impl Iterator<Item = ListedResource>,
        succeeded: bool,
        listing: &mut ScanListing,
        source: &str,
        sink: &dyn RowSink,
    ) -> Result<usize, ScanFailure> {
        let writer = self.writer(owner);
        let id = format!("{:x}", self.began.0);
        let scan = writer.new_scan(source, Some(&id), self.began);
        let (mut rows, mut reported) = (Rows::new(Signal::Resources), Vec::new());
        for mut item in items {
            // If views are missing, the last report may be better than the remaining views.
            item.is_complete &= !listing.is_partial;
            if let Some(state) = writer.write_if_changed(&item, &scan, &mut rows, &mut reported) {
                let hash = uid::hash(&item.resource.uid);
                listing.members.insert(hash, state);
            }
            if rows.len() >= ROWS_PER_BATCH {
                let page = std::mem::replace(&mut rows, Rows::new(Signal::Resources));
                writer.deliver(page, sink).await?;
                writer.known.record(reported.drain(..));
            }
        }
        // A scope without members and without reports gets no completion.
        let has_reported = || writer.known.has_reported(&writer.scope);
        let is_complete = succeeded && (!listing.members.is_empty() || has_reported());
        let is_this_scope = |scope: &str| scope == writer.scope.as_ref();
        let removals =
            is_complete.then(|| writer.write_completion(is_this_scope, listing, &scan, &mut rows));
        if !rows.is_empty() {
            writer.deliver(rows, sink).await?;
            writer.known.record(reported);
        }
        if let Some(removals) = removals {
            writer.apply_completion(&removals, self.began);
        }
        let (scope, resources) = (writer.scope.as_ref(), listing.members.len());
        sink.report_progress(ScanProgress::Page { scope, resources });
        Ok(resources)
    }

    /// Releases the scopes of accounts that are no longer configured, and those of shared resources under other
    /// viewers or another filter. The resources that the current accounts see were already reported in the current
    /// scopes. Does nothing while the id of an account is unknown.
    async fn release_outdated(
        &self,
        succeeded: bool,
        source: &str,
        sink: &dyn RowSink,
        leases: &Leases,
    ) -> Result<(), ScanFailure> {
        if !self.names.knows_all_accounts() {
            return Ok(());
        }
        let is_outdated = |scope: &Arc<str>| match parse_scope(scope) {
            None => false,
            Some((owner, _, true)) => {
                let is_current = self.names.shared_scope(owner) == **scope;
                succeeded && !is_current && !self.is_reported_by(owner)
            }
            Some((account, _, false)) => !self.names.has_account(account),
        };
        let scopes = &self.inventory.scopes;
        let mut outdated = scopes.of_region_kind(&self.names.region_kind());
        outdated.retain(is_outdated);
        let released = self
            .inventory
            .release(outdated, source, self.began, sink, leases);
        let released = released.await;
        released.map_err(|reason| self.names.not_delivered("", reason))
    }
}

impl SharedViews {
    /// Adds a resource as this account sees it. Of several views of the same resource, keeps a complete one if there
    /// is one, then that of the lowest account id, with the `same_as` aliases of all views.
    pub(in crate::aws) fn add(&mut self, account: &str, item: ListedResource) {
        let owner = item.resource.account.clone();
        let of_owner = self.by_owner.entry(owner).or_default();
        let uid = item.resource.uid.clone();
        let Some((viewer, chosen)) = of_owner.get_mut(&uid) else {
            of_owner.insert(uid, (account.to_owned(), item));
            return;
        };
        // The choice must not depend on the order in which the scans finish.
        let is_better = (!item.is_complete, account) < (!chosen.is_complete, viewer.as_str());
        let mut other = item;
        if is_better {
            std::mem::swap(chosen, &mut other);
            account.clone_into(viewer);
        }
        for alias in other.resource.aliases {
            if alias.kind == SAME_AS && !chosen.resource.aliases.contains(&alias) {
                chosen.resource.aliases.push(alias);
            }
        }
    }

    /// The view of the one resource that a refresh looked up.
    pub(in crate::aws) fn into_single(self) -> Option<ListedResource> {
        let mut items = self.by_owner.into_values().flat_map(BTreeMap::into_values);
        items.next().map(|(_, item)| item)
    }
}

#[cfg(test)]
mod tests {
    use pipeline::resource::{Resource, ResourceAlias};
    use pipeline::schema::aliases::kind::SAME_AS;

    use super::SharedViews;
    use crate::aws::listing::ListedResource;

    /// A subnet as an account sees it: each account has its own name for the zone.
    fn view(account: &str, zone: &str, is_complete: bool) -> ListedResource {
        let resource = Resource {
            uid: "arn:owner:subnet".to_owned(),
            account: "owner".to_owned(),
            name: Some(zone.to_owned()),
            aliases: vec![
                ResourceAlias::new("id", "subnet"),
                ResourceAlias::new(SAME_AS, format!("arn:{account}:subnet")),
            ],
            ..Resource::default()
        };
        ListedResource {
            resource,
            is_complete,
            is_selected: true,
        }
    }

    #[test]
    fn same_view_is_chosen_in_any_order_and_has_the_aliases_of_all_views() {
        let all = [("2", "b", true), ("1", "a", false), ("3", "c", true)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut views = SharedViews::default();
            for (account, zone, is_complete) in order.map(|index| all[index]) {
                views.add(account, view(account, zone, is_complete));
            }
            let resource = views.into_single().unwrap().resource;
            assert_eq!(
                resource.name.as_deref(),
                Some("b"),
                "the complete view of the lowest account id"
            );
            let mut names: Vec<_> = resource.aliases.into_iter().map(|it| it.value).collect();
            names.sort();
            assert_eq!(
                names,
                ["arn:1:subnet", "arn:2:subnet", "arn:3:subnet", "subnet"]
            );
        }
    }
}
