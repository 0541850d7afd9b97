//! Plans one scan: the scopes of all accounts, kinds and regions.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use tracing::warn;

use super::accounts::ScannedAccount;
use super::scanner::Scanner;
use super::scope::ScanScope;
use super::shared::SharedScan;
use crate::aws::api::ScanFailure;
use crate::aws::emit::{ConfiguredAccounts, ScopeNames};
use crate::aws::kinds;
use crate::aws::listing::ResourceKind;

/// What to scan in one account.
struct AccountPlan<'a> {
    account: &'a ScannedAccount,
    /// Empty if STS did not return it.
    id: &'a str,
    regions: Vec<String>,
    failure: Option<ScanFailure>,
}

/// The scans of shared resources, by `region/kind`.
type SharedScans = HashMap<String, Arc<SharedScan>>;

impl Scanner {
    /// Returns the scopes to scan, grouped by account and region. Also returns a failure for each account whose id or
    /// regions could not be read, so that some of its scopes are missing.
    pub(in crate::aws) async fn plan(&self) -> (Vec<Vec<ScanScope>>, Vec<ScanFailure>) {
        let plan =
            |account| -> BoxFuture<'_, AccountPlan<'_>> { Box::pin(self.plan_account(account)) };
        let plans: Vec<_> = self.accounts.all.iter().map(plan).collect();
        let mut planned = join_all(plans).await;
        let failures = planned.iter_mut().filter_map(|it| it.failure.take());
        let failures: Vec<ScanFailure> = failures.collect();
        self.keep_each_account_once(&mut planned);
        let configured = self.accounts.configured();
        let mut shared = SharedScans::new();
        let mut regions = Vec::new();
        for planned in &planned {
            self.add_regions(planned, &configured, &mut shared, &mut regions);
        }
        if !failures.is_empty() {
            shared.values().for_each(|scan| scan.mark_partial());
        }
        (regions, failures)
    }

    async fn plan_account<'a>(&'a self, account: &'a ScannedAccount) -> AccountPlan<'a> {
        let mut planned = AccountPlan {
            account,
            id: "",
            regions: Vec::new(),
            failure: None,
        };
        match account.id().await {
            Ok(id) => planned.id = id,
            Err(failure) => {
                planned.failure = Some(failure);
                return planned;
            }
        }
        match self.accounts.regions(account, planned.id).await {
            Ok(regions) => {
                account.set_scanned_regions(regions.clone());
                planned.regions = regions;
            }
            Err(failure) => planned.failure = Some(failure),
        }
        planned
    }

    /// Removes accounts without an id, and all but the first of several entries for the same account.
    fn keep_each_account_once(&self, planned: &mut Vec<AccountPlan<'_>>) {
        let mut ids = HashSet::new();
        planned.retain(|AccountPlan { id: account, .. }| {
            let is_first = ids.insert(*account);
            if !is_first && !account.is_empty() {
                let receiver = &self.source;
                warn!(
                    receiver,
                    account, "`accounts` lists this account twice: it is scanned once"
                );
            }
            is_first && !account.is_empty()
        });
    }

    /// Adds the scopes of an account: every configured kind in every region. Global kinds are added even if the
    /// regions could not be listed.
    fn add_regions(
        &self,
        planned: &AccountPlan<'_>,
        configured: &Arc<ConfiguredAccounts>,
        shared: &mut SharedScans,
        regions: &mut Vec<Vec<ScanScope>>,
    ) {
        let (global, regional): (Vec<_>, Vec<_>) = kinds::ALL
            .iter()
            .filter(|kind| self.config.kinds.includes(kind.name()))
            .partition(|kind| kind.is_global());
        let mut add_scopes = |kinds: &[&&'static dyn ResourceKind], region: Option<&str>| {
            let scope = |kind: &&&'static dyn ResourceKind| {
                let names = self.names(**kind, region, configured);
                let shared = shared.entry(names.region_kind());
                let shared = shared.or_insert_with(|| self.new_shared_scan(names.clone()));
                shared.expect_scan();
                self.scope(names, planned.account, planned.id, region, shared.clone())
            };
            regions.push(kinds.iter().map(scope).collect());
        };
        add_scopes(&global, None);
        for region in &planned.regions {
            add_scopes(&regional, Some(region));
        }
    }

    /// The names of the scopes of a kind in a region. `region` is `None` for a global kind.
    pub(in crate::aws) fn names(
        &self,
        kind: &'static dyn ResourceKind,
        region: Option<&str>,
        configured: &Arc<ConfiguredAccounts>,
    ) -> ScopeNames {
        let filter = self.config.tags.hash();
        ScopeNames::new(kind, region, filter.as_deref(), configured)
    }

    /// A new scan of the shared resources of one kind and region.
    pub(in crate::aws) fn new_shared_scan(&self, names: ScopeNames) -> Arc<SharedScan> {
        Arc::new(SharedScan::new(names, &self.inventory))
    }

    /// The scope of a kind in one account and region.
    pub(in crate::aws) fn scope(
        &self,
        names: ScopeNames,
        account: &ScannedAccount,
        id: &str,
        region: Option<&str>,
        shared: Arc<SharedScan>,
    ) -> ScanScope {
        let at = match region {
            Some(region) => account.region(id, region),
            None => account.home_region(id),
        };
        ScanScope::new(names, at, &self.inventory, shared)
    }
}
