//! The resources and scopes that this receiver has reported, so that it reports only changes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use pipeline::component::UnixNanos;
use pipeline::graph_store::{GraphStore, StoreError};
use pipeline::sync::lock;

use super::known_resources::{KnownResources, ReportedResource};
use super::reported_scopes::ReportedScopes;
use super::scope_names::parse_scope;
use crate::aws::api::ResourceOwners;
use crate::aws::kinds;
use crate::aws::listing::ScanPhase;

/// The maximum number of uids that one read of the store returns.
const PAGE_SIZE: usize = 2000;

/// The reported resources by `account/region/kind`. The key contains neither the filter nor the scope, so a resource is
/// not new after a change of either.
#[derive(Clone, Debug, Default)]
pub(in crate::aws) struct Inventory {
    resources: Arc<Mutex<HashMap<String, Arc<KnownResources>>>>,
    /// The accounts whose resources are reported from scans of other accounts, by `region/kind`.
    sharing: Arc<Mutex<HashMap<String, BTreeSet<String>>>>,
    pub(in crate::aws) scopes: ReportedScopes,
    pub(in crate::aws) owners: ResourceOwners,
}

impl Inventory {
    /// Reads what the source reported before this process started.
    pub(in crate::aws) async fn load(
        store: &dyn GraphStore,
        source: &str,
    ) -> Result<Inventory, StoreError> {
        let inventory = Inventory::default();
        for scope in store.open_scopes(source).await? {
            inventory.scopes.add(&scope.into());
        }
        let mut scopes = HashSet::new();
        let mut after = None;
        loop {
            let page = store.scanned(source, after.as_deref(), PAGE_SIZE).await?;
            for scanned in page.scanned {
                // All resources of a scope share one copy of its name.
                let scope: Arc<str> = scanned.scope.into();
                let scope = scopes.get(&scope).cloned().unwrap_or_else(|| {
                    scopes.insert(scope.clone());
                    scope
                });
                inventory.restore(&scanned.uid, &scope, scanned.state);
            }
            after = page.last;
            if after.is_none() {
                return Ok(inventory);
            }
        }
    }

    /// Adds a uid that the source reported in this scope and state before this process started.
    pub(in crate::aws) fn restore(&self, uid: &str, scope: &Arc<str>, state: u64) {
        self.scopes.add(scope);
        let Some((account, region_kind, is_shared)) = parse_scope(scope) else {
            return;
        };
        // As in a scan, owners are recorded only for kinds that other resources reference by id alone.
        let kind = region_kind.split_once('/').map_or("", |(_, kind)| kind);
        let mut kinds = kinds::ALL.iter();
        if kinds.any(|it| it.phase() == ScanPhase::First && it.name() == kind) {
            self.owners.record(uid);
        }
        let known = self.resources(&format!("{account}/{region_kind}"));
        match is_shared {
            true => self.add_sharing_owner(region_kind, account),
            false => known.set_reported_by_owner(),
        }
        let reported = ReportedResource {
            uid: uid.into(),
            scope: scope.clone(),
            state,
            time: UnixNanos(0),
        };
        known.record([reported]);
    }

    /// Records that resources of this account are reported from scans of other accounts.
    pub(in crate::aws) fn add_sharing_owner(&self, region_kind: &str, account: &str) {
        let mut sharing = lock(&self.sharing);
        sharing
            .entry(region_kind.to_owned())
            .or_default()
            .insert(account.to_owned());
    }

    /// The accounts that [`add_sharing_owner`](Self::add_sharing_owner) recorded.
    pub(in crate::aws) fn sharing_owners(&self, region_kind: &str) -> BTreeSet<String> {
        let sharing = lock(&self.sharing);
        sharing.get(region_kind).cloned().unwrap_or_default()
    }

    /// The known resources of one `account/region/kind`.
    pub(in crate::aws) fn resources(&self, prefix: &str) -> Arc<KnownResources> {
        let mut resources = lock(&self.resources);
        match resources.get(prefix) {
            Some(known) => known.clone(),
            None => resources.entry(prefix.to_owned()).or_default().clone(),
        }
    }
}
