//! What one scan of everything is made of.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use tracing::warn;

use super::accounts::Account;
use super::failure::Failure;
use super::kind::Kind;
use super::kinds;
use super::names::{Configured, Names};
use super::scanner::Scanner;
use super::scope::Scope;
use super::shared::Shared;

/// What is to be scanned of an account.
struct Planned<'a> {
    account: &'a Account,
    /// Empty where it could not be asked for.
    id: &'a str,
    regions: Vec<String>,
    failure: Option<Failure>,
}

/// By region and kind, what all accounts see of what is others'.
type Shares = HashMap<String, Arc<Shared>>;

impl Scanner {
    /// The scopes of all that is to be scanned, by account and region, and why there are not more.
    pub(super) async fn plan(&self) -> (Vec<Vec<Scope>>, Vec<Failure>) {
        let plan = |account| -> BoxFuture<'_, Planned<'_>> { Box::pin(self.plan_account(account)) };
        let plans: Vec<_> = self.accounts.all.iter().map(plan).collect();
        let mut planned = join_all(plans).await;
        let failures = planned.iter_mut().filter_map(|it| it.failure.take());
        let failures: Vec<Failure> = failures.collect();
        self.keep_each_account_once(&mut planned);
        let configured = self.accounts.configured();
        let mut shares = Shares::new();
        let mut places = Vec::new();
        for planned in &planned {
            self.add_places(planned, &configured, &mut shares, &mut places);
        }
        if !failures.is_empty() {
            shares.values().for_each(|shared| shared.is_partial());
        }
        (places, failures)
    }

    async fn plan_account<'a>(&'a self, account: &'a Account) -> Planned<'a> {
        let mut planned = Planned {
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
                account.scanned(regions.clone());
                planned.regions = regions;
            }
            Err(failure) => planned.failure = Some(failure),
        }
        planned
    }

    /// Leaves out accounts that are not known, and those that stand there twice.
    fn keep_each_account_once(&self, planned: &mut Vec<Planned<'_>>) {
        let mut ids = HashSet::new();
        planned.retain(|Planned { id: account, .. }| {
            let is_first = ids.insert(*account);
            if !is_first && !account.is_empty() {
                let receiver = &self.source;
                warn!(
                    receiver,
                    account, "two of `accounts` are this one: it is scanned once"
                );
            }
            is_first && !account.is_empty()
        });
    }

    /// Every kind in every region of an account, those of no region also where the regions cannot be
    /// asked for.
    fn add_places(
        &self,
        planned: &Planned<'_>,
        configured: &Arc<Configured>,
        shares: &mut Shares,
        places: &mut Vec<Vec<Scope>>,
    ) {
        let (global, regional): (Vec<_>, Vec<_>) = kinds::ALL
            .iter()
            .filter(|kind| self.config.kinds.take(kind.name()))
            .partition(|kind| kind.is_global());
        let mut scopes = |kinds: &[&&'static dyn Kind], region: Option<&str>| {
            let scope = |kind: &&&'static dyn Kind| {
                let names = self.names(**kind, region, configured);
                let shared = shares.entry(names.place());
                let shared = shared.or_insert_with(|| self.shared(names.clone()));
                shared.expect();
                self.scope(names, planned.account, planned.id, region, shared.clone())
            };
            places.push(kinds.iter().map(scope).collect());
        };
        scopes(&global, None);
        for region in &planned.regions {
            scopes(&regional, Some(region));
        }
    }

    pub(super) fn names(
        &self,
        kind: &'static dyn Kind,
        region: Option<&str>,
        configured: &Arc<Configured>,
    ) -> Names {
        let filter = self.config.tags.hash();
        Names::new(kind, region, filter.as_deref(), configured)
    }

    pub(super) fn shared(&self, names: Names) -> Arc<Shared> {
        Arc::new(Shared::new(names, &self.known))
    }

    pub(super) fn scope(
        &self,
        names: Names,
        account: &Account,
        id: &str,
        region: Option<&str>,
        shared: Arc<Shared>,
    ) -> Scope {
        let place = match region {
            Some(region) => account.place(id, region),
            None => account.home(id),
        };
        Scope::new(names, place, &self.known, shared)
    }
}
