//! The names of scopes.
//!
//! ```text
//! account/region/kind                 resources that the account owns, from its own scan
//! account/region/kind/shared/viewers  resources that it shares, from scans of other accounts
//! account/region/kind/filter…         the same two with a filter
//! ```
//!
//! Names are paths: a scan completion also ends the claims in the scopes below its own. `viewers` is a hash of the
//! accounts that are configured for the region, and `filter` a hash of the tag filter. If either changes, the name of
//! the scope changes. So resources that only the scope with the earlier name contains are released and not deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::aws::api::{AwsCall, FailureReason, ScanFailure};
use crate::aws::listing::ResourceKind;

/// The region in the scope names of global kinds.
const GLOBAL: &str = "global";
const SHARED: &str = "/shared/";

/// The names of the scopes of one kind in one region.
#[derive(Clone)]
pub(in crate::aws) struct ScopeNames {
    pub(in crate::aws) kind: &'static dyn ResourceKind,
    region: Arc<str>,
    /// The hash of the filter.
    filter: Option<Arc<str>>,
    configured: Arc<ConfiguredAccounts>,
}

/// The accounts to scan, with their regions. An empty list of regions means that the regions are not known.
#[derive(Debug)]
pub(in crate::aws) struct ConfiguredAccounts {
    accounts: BTreeMap<String, Vec<String>>,
    /// Whether all accounts are known. The id of an account without a role is known only after STS has returned
    /// it.
    pub(in crate::aws) is_complete: bool,
}

impl Default for ConfiguredAccounts {
    fn default() -> ConfiguredAccounts {
        ConfiguredAccounts {
            accounts: BTreeMap::new(),
            is_complete: true,
        }
    }
}

impl ConfiguredAccounts {
    /// Adds an account with its regions.
    pub(in crate::aws) fn add(&mut self, account: &str, regions: Vec<String>) {
        self.accounts.insert(account.to_owned(), regions);
    }

    /// Whether an account is configured to be scanned in a region. True if its regions are not known.
    fn scans(&self, account: &str, region: &str) -> bool {
        let regions = self.accounts.get(account);
        regions.is_some_and(|all| {
            region == GLOBAL || all.is_empty() || all.iter().any(|one| one == region)
        })
    }

    /// Whether any account is configured to be scanned in a region.
    pub(in crate::aws) fn has_region(&self, region: &str) -> bool {
        let mut accounts = self.accounts.keys();
        accounts.any(|account| self.scans(account, region))
    }

    /// The accounts that are configured to be scanned in a region, sorted.
    fn accounts_in(&self, region: &str) -> Vec<&str> {
        let accounts = self.accounts.keys().map(String::as_str);
        accounts
            .filter(|account| self.scans(account, region))
            .collect()
    }
}

impl ScopeNames {
    pub(in crate::aws) fn new(
        kind: &'static dyn ResourceKind,
        region: Option<&str>,
        filter: Option<&str>,
        configured: &Arc<ConfiguredAccounts>,
    ) -> ScopeNames {
        ScopeNames {
            kind,
            region: region.unwrap_or(GLOBAL).into(),
            filter: filter.map(Arc::from),
            configured: configured.clone(),
        }
    }

    /// `region/kind`
    pub(in crate::aws) fn region_kind(&self) -> String {
        format!("{}/{}", self.region, self.kind.name())
    }

    /// `account/region/kind`: the beginning of all names of an account's scopes of this kind and region.
    pub(in crate::aws) fn prefix(&self, account: &str) -> String {
        format!("{account}/{}", self.region_kind())
    }

    /// The scope of the resources that the account owns, from its own scan.
    pub(in crate::aws) fn own_scope(&self, account: &str) -> String {
        let filter = self.filter.as_deref().map(|hash| format!("/{hash}"));
        self.prefix(account) + &filter.unwrap_or_default()
    }

    /// The scope of the resources that the account shares, from scans of the other accounts.
    pub(in crate::aws) fn shared_scope(&self, account: &str) -> String {
        let viewers = self.configured.accounts_in(&self.region);
        let viewers = xxh3_64(viewers.join(" ").as_bytes());
        format!("{}{SHARED}{viewers:016x}", self.own_scope(account))
    }

    /// Whether a scope has resources of the account under this filter, from a scan of any account.
    pub(in crate::aws) fn covers(&self, account: &str, scope: &str) -> bool {
        let rest = scope.strip_prefix(&self.own_scope(account));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(SHARED))
    }

    /// Whether a filter selects the resources of the scopes.
    pub(in crate::aws) fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether all accounts to scan are known.
    pub(in crate::aws) fn knows_all_accounts(&self) -> bool {
        self.configured.is_complete
    }

    /// Whether an account is configured to be scanned in this region.
    pub(in crate::aws) fn has_account(&self, account: &str) -> bool {
        self.configured.scans(account, &self.region)
    }

    /// The failure for rows of an account that were not acknowledged.
    pub(in crate::aws) fn not_delivered(&self, account: &str, reason: String) -> ScanFailure {
        ScanFailure {
            call: AwsCall {
                service: self.kind.service(),
                operation: self.kind.name(),
                region: self.region.as_ref().into(),
                account: account.into(),
            },
            reason: FailureReason::NotDelivered,
            code: String::new(),
            message: reason,
        }
    }
}

/// Returns the account and the `region/kind` of a scope, and whether it is reported from scans of other accounts.
pub(in crate::aws) fn parse_scope(scope: &str) -> Option<(&str, &str, bool)> {
    let (account, rest) = scope.split_once('/')?;
    let end = rest.match_indices('/').nth(1).map(|(at, _)| at);
    let region_kind = &rest[..end.unwrap_or(rest.len())];
    Some((account, region_kind, scope.contains(SHARED)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{ConfiguredAccounts, ScopeNames, parse_scope};
    use crate::aws::kinds::ALL;

    #[test]
    fn shared_resources_and_each_filter_have_separate_scopes() {
        let mut configured = ConfiguredAccounts::default();
        configured.add("1", Vec::new());
        configured.add("2", vec!["eu-west-1".to_owned()]);
        let configured = Arc::new(configured);
        let names = |filter| ScopeNames::new(ALL[0], Some("eu-west-1"), filter, &configured);
        let prefix = "1/eu-west-1/AWS::EC2::VPC";
        assert_eq!(
            (names(None).prefix("1"), names(None).own_scope("1")),
            (prefix.into(), prefix.into())
        );
        assert_eq!(names(Some("ab")).own_scope("1"), format!("{prefix}/ab"));
        let shared = names(Some("ab")).shared_scope("1");
        assert!(
            shared.starts_with(&format!("{prefix}/ab/shared/")),
            "{shared}"
        );
        let region_kind = "eu-west-1/AWS::EC2::VPC";
        assert_eq!(names(Some("ab")).region_kind(), region_kind);
        for (scope, is_shared) in [
            ("", false),
            ("/ab", false),
            ("/shared/7", true),
            ("/ab/shared/7", true),
        ] {
            let scope = format!("{prefix}{scope}");
            assert_eq!(parse_scope(&scope), Some(("1", region_kind, is_shared)));
            assert_eq!(names(Some("ab")).covers("1", &scope), scope.contains("/ab"));
        }
        assert!(names(None).has_account("1") && names(None).has_account("2"));
        assert!(!ScopeNames::new(ALL[0], Some("us-east-1"), None, &configured).has_account("2"));
    }
}
