//! How scopes are called.
//!
//! ```text
//! account/region/kind               what an account tells of its own
//! account/region/kind/shared/seers  what those see with whom it shares, while it does not tell it
//! account/region/kind/filter…       likewise, with a filter
//! ```
//!
//! Names are paths: a completed scan of a scope also ends what is in the scopes below it. `seers` and
//! `filter` are hashes: what other accounts saw, or another filter took, is released and not missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::failure::{Call, Failure, Why};
use super::kind::Kind;

/// The region in the names of what is in none.
const GLOBAL: &str = "global";
const SHARED: &str = "/shared/";

/// Names of the scopes of one kind in one region.
#[derive(Clone)]
pub(super) struct Names {
    pub(super) kind: &'static dyn Kind,
    region: Arc<str>,
    /// The hash of the filter.
    filter: Option<Arc<str>>,
    configured: Arc<Configured>,
}

/// Which accounts are to be scanned where: their regions, or none where these are not known.
#[derive(Debug)]
pub(super) struct Configured {
    accounts: BTreeMap<String, Vec<String>>,
    /// Whether these are all: of an account without a role only its credentials say which it is.
    pub(super) is_complete: bool,
}

impl Default for Configured {
    fn default() -> Configured {
        Configured {
            accounts: BTreeMap::new(),
            is_complete: true,
        }
    }
}

impl Configured {
    pub(super) fn add(&mut self, account: &str, regions: Vec<String>) {
        self.accounts.insert(account.to_owned(), regions);
    }

    /// Whether an account is to be scanned in a region, for all that is known.
    fn has(&self, account: &str, region: &str) -> bool {
        let regions = self.accounts.get(account);
        regions.is_some_and(|all| {
            region == GLOBAL || all.is_empty() || all.iter().any(|one| one == region)
        })
    }

    /// Whether any account is to be scanned there.
    pub(super) fn has_region(&self, region: &str) -> bool {
        let mut accounts = self.accounts.keys();
        accounts.any(|account| self.has(account, region))
    }

    /// Those of which that is so, in order.
    fn accounts_in(&self, region: &str) -> Vec<&str> {
        let accounts = self.accounts.keys().map(String::as_str);
        accounts
            .filter(|account| self.has(account, region))
            .collect()
    }
}

impl Names {
    pub(super) fn new(
        kind: &'static dyn Kind,
        region: Option<&str>,
        filter: Option<&str>,
        configured: &Arc<Configured>,
    ) -> Names {
        Names {
            kind,
            region: region.unwrap_or(GLOBAL).into(),
            filter: filter.map(Arc::from),
            configured: configured.clone(),
        }
    }

    /// `region/kind`
    pub(super) fn place(&self) -> String {
        format!("{}/{}", self.region, self.kind.name())
    }

    /// `account/region/kind`
    pub(super) fn base(&self, account: &str) -> String {
        format!("{account}/{}", self.place())
    }

    /// The scope of what an account tells of its own.
    pub(super) fn own(&self, account: &str) -> String {
        let filter = self.filter.as_deref().map(|hash| format!("/{hash}"));
        self.base(account) + &filter.unwrap_or_default()
    }

    /// The scope of what it shares and does not tell itself.
    pub(super) fn shared(&self, account: &str) -> String {
        let seers = self.configured.accounts_in(&self.region);
        let seers = xxh3_64(seers.join(" ").as_bytes());
        format!("{}{SHARED}{seers:016x}", self.own(account))
    }

    /// Whether a scope is of what an account has, whoever told it.
    pub(super) fn is_of(&self, account: &str, scope: &str) -> bool {
        let rest = scope.strip_prefix(&self.own(account));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(SHARED))
    }

    /// Whether a filter restricts what is in the scopes.
    pub(super) fn are_filtered(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether all accounts that are to be scanned are known.
    pub(super) fn know_all_accounts(&self) -> bool {
        self.configured.is_complete
    }

    /// Whether an account is to be scanned there.
    pub(super) fn has_account(&self, account: &str) -> bool {
        self.configured.has(account, &self.region)
    }

    /// The rows of an account were not delivered.
    pub(super) fn undelivered(&self, account: &str, reason: String) -> Failure {
        Failure {
            call: Call {
                service: self.kind.service(),
                operation: self.kind.name(),
                region: self.region.as_ref().into(),
                account: account.into(),
            },
            why: Why::NotDelivered,
            code: String::new(),
            message: reason,
        }
    }
}

/// The account and the `region/kind` of a scope, and whether others tell what is in it.
pub(super) fn parts(scope: &str) -> Option<(&str, &str, bool)> {
    let (account, rest) = scope.split_once('/')?;
    let end = rest.match_indices('/').nth(1).map(|(at, _)| at);
    let place = &rest[..end.unwrap_or(rest.len())];
    Some((account, place, scope.contains(SHARED)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Configured, Names, parts};
    use crate::aws::kinds::ALL;

    #[test]
    fn what_an_account_shares_is_in_a_scope_of_its_own_and_a_filter_in_another() {
        let mut configured = Configured::default();
        configured.add("1", Vec::new());
        configured.add("2", vec!["eu-west-1".to_owned()]);
        let configured = Arc::new(configured);
        let names = |filter| Names::new(ALL[0], Some("eu-west-1"), filter, &configured);
        let base = "1/eu-west-1/AWS::EC2::VPC";
        assert_eq!(
            (names(None).base("1"), names(None).own("1")),
            (base.into(), base.into())
        );
        assert_eq!(names(Some("ab")).own("1"), format!("{base}/ab"));
        let shared = names(Some("ab")).shared("1");
        assert!(
            shared.starts_with(&format!("{base}/ab/shared/")),
            "{shared}"
        );
        let place = "eu-west-1/AWS::EC2::VPC";
        assert_eq!(names(Some("ab")).place(), place);
        for (scope, is_shared) in [
            ("", false),
            ("/ab", false),
            ("/shared/7", true),
            ("/ab/shared/7", true),
        ] {
            let scope = format!("{base}{scope}");
            assert_eq!(parts(&scope), Some(("1", place, is_shared)));
            assert_eq!(names(Some("ab")).is_of("1", &scope), scope.contains("/ab"));
        }
        assert!(names(None).has_account("1") && names(None).has_account("2"));
        assert!(!Names::new(ALL[0], Some("us-east-1"), None, &configured).has_account("2"));
    }
}
