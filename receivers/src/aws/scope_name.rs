//! How scopes are called.
//!
//! ```text
//! account/region/kind              what is the account's own
//! account/region/kind/via/teller   what the account shares with another, which tells it
//! account/region/kind/filter…      likewise, with a filter: what another filter saw is not missing
//! ```

/// In the scopes of what an account shares, before the account that sees it and tells it.
const VIA: &str = "/via/";

/// What a scan of a kind in one account and region tells of an account: its own, or one that shares
/// with it. `base` is `account/region/kind` of whose it is, `filter` the hash of the filter.
pub(super) fn scope_name(base: &str, filter: Option<&str>, teller: &str) -> String {
    let filter = filter.map(|hash| format!("/{hash}")).unwrap_or_default();
    match base.split_once('/') {
        Some((owner, _)) if owner != teller => format!("{base}{filter}{VIA}{teller}"),
        _ => format!("{base}{filter}"),
    }
}

/// The account that tells what is in a scope.
pub(super) fn teller(scope: &str) -> &str {
    let owner = scope.split('/').next().unwrap_or_default();
    scope.split_once(VIA).map_or(owner, |(_, teller)| teller)
}

/// Of a scope of what an account shares, that account and the base of the one that tells it.
pub(super) fn shared(scope: &str) -> Option<(&str, String)> {
    let (told, teller) = scope.split_once(VIA)?;
    let (owner, region_and_kind) = base_of(told).split_once('/')?;
    Some((owner, format!("{teller}/{region_and_kind}")))
}

/// `account/region/kind` of a scope, which may have more behind it.
pub(super) fn base_of(scope: &str) -> &str {
    let end = scope.match_indices('/').nth(2).map(|(at, _)| at);
    &scope[..end.unwrap_or(scope.len())]
}

#[cfg(test)]
mod tests {
    use super::{base_of, scope_name, shared, teller};

    #[test]
    fn a_filter_is_no_part_of_what_is_known() {
        assert_eq!(base_of("1/eu/AWS::EC2::VPC"), "1/eu/AWS::EC2::VPC");
        assert_eq!(base_of("1/eu/AWS::EC2::VPC/ab12"), "1/eu/AWS::EC2::VPC");
    }

    #[test]
    fn what_another_account_shares_is_in_a_scope_of_its_own() {
        let base = "1/eu/AWS::EC2::VPC";
        assert_eq!(scope_name(base, None, "1"), base);
        assert_eq!(scope_name(base, Some("ab"), "1"), format!("{base}/ab"));
        let shared_with_2 = scope_name(base, Some("ab"), "2");
        assert_eq!(shared_with_2, format!("{base}/ab/via/2"));
        assert_eq!(
            (base_of(&shared_with_2), teller(&shared_with_2)),
            (base, "2")
        );
        assert_eq!(teller(base), "1");
        let own = "2/eu/AWS::EC2::VPC".to_owned();
        assert_eq!(
            (shared(&shared_with_2), shared(base)),
            (Some(("1", own)), None)
        );
    }
}
