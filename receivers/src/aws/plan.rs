//! What one scan of everything is made of.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use futures::future::{BoxFuture, join_all};
use tracing::warn;

use super::accounts::Account;
use super::failure::Failure;
use super::kind::Kind;
use super::kinds;
use super::scanner::Scanner;
use super::scope::{GLOBAL, Scope};

/// What is to be scanned of an account.
struct Planned<'a> {
    account: &'a Account,
    /// Empty where it could not be asked for.
    id: &'a str,
    regions: Vec<String>,
    failure: Option<Failure>,
}

impl Planned<'_> {
    /// `account/region` of all that is scanned of it, as scopes say it.
    fn places(&self) -> impl Iterator<Item = String> {
        let regions = self.regions.iter().map(String::as_str).chain([GLOBAL]);
        regions.map(|region| format!("{}/{region}", self.id))
    }
}

impl Scanner {
    /// The scopes of all that is to be scanned, by account and region, and why there are not more.
    pub(super) async fn plan(&self) -> (Vec<Vec<Scope>>, Vec<Failure>) {
        let plan = |account| -> BoxFuture<'_, Planned<'_>> { Box::pin(self.plan_account(account)) };
        let plans: Vec<_> = self.accounts.all.iter().map(plan).collect();
        let mut planned = join_all(plans).await;
        let failures = planned
            .iter_mut()
            .filter_map(|it| it.failure.take())
            .collect();
        self.keep_each_account_once(&mut planned);
        let scanned = planned.iter().flat_map(Planned::places).collect();
        let scanned = self.remember_what_is_scanned(scanned);
        let places = planned.iter().flat_map(|it| self.scopes(it, &scanned));
        (places.collect(), failures)
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
            Ok(regions) => planned.regions = regions,
            Err(failure) => planned.failure = Some(failure),
        }
        account.scanned(planned.regions.clone());
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
    fn scopes(&self, planned: &Planned<'_>, scanned: &Arc<HashSet<String>>) -> Vec<Vec<Scope>> {
        let (global, regional): (Vec<_>, Vec<_>) = kinds::ALL
            .iter()
            .filter(|kind| self.config.kinds.take(kind.name()))
            .partition(|kind| kind.is_global());
        let scopes = |kinds: &[&&'static dyn Kind], region: Option<&str>| {
            let scope = |kind: &&&'static dyn Kind| {
                self.scope(**kind, planned.account, planned.id, region, scanned)
            };
            kinds.iter().map(scope).collect()
        };
        let mut places = vec![scopes(&global, None)];
        let of_region = |region: &String| scopes(&regional, Some(region));
        places.extend(planned.regions.iter().map(of_region));
        places
    }

    /// `account/region` of all that was scanned last, or is now.
    pub(super) fn scanned(&self) -> Arc<HashSet<String>> {
        self.scanned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn remember_what_is_scanned(&self, scanned: HashSet<String>) -> Arc<HashSet<String>> {
        let scanned = Arc::new(scanned);
        let mut last = self.scanned.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone_from(&scanned);
        scanned
    }
}
