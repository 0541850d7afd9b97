//! Names that were read from stores, and their conversion for the alias index.

use std::collections::{BTreeMap, HashMap};

use pipeline::alias_index::{StoredClaim, StoredNames};
use pipeline::claims::ClaimClass;
use pipeline::component::UnixNanos;
use pipeline::graph_store::{ClaimInfo, KnownAlias};
use pipeline::reports::{AliasItem, AliasObservation};
use pipeline::schema::aliases::kind;

use super::cloud::Arn;

/// The kind under which earlier versions reported every id. They reported every address as `ip`, and `aws` was their
/// only receiver with aliases.
pub(super) const EARLIER_ID: &str = "id";

/// The names of some uids, with their claims and DNS targets.
#[derive(Debug, Default)]
pub(super) struct LoadedNames {
    /// Grouped by uid, and within a uid by source.
    pub(super) aliases: Vec<KnownAlias>,
    /// By uid.
    pub(super) claims: HashMap<String, Vec<ClaimInfo>>,
    pub(super) targets: DnsTargets,
}

/// The targets of DNS records by uid and source, each with the start of its validity.
pub(super) type DnsTargets = BTreeMap<(String, String), Vec<(UnixNanos, String)>>;

impl LoadedNames {
    /// Converts `aliases`, all aliases of a uid, for the alias index. Each open claim that a scan of a source made gets
    /// the whole snapshot of that source, so that the names end with these claims.
    pub(super) fn of_uid<'n>(&'n self, uid: &str, aliases: &'n [KnownAlias]) -> StoredNames<'n> {
        let claims = self.claims.get(uid).map_or(&[][..], Vec::as_slice);
        let changes = claims
            .iter()
            .map(|claim| claim.until.map_or(claim.since, |(until, _)| until));
        let mut stored = StoredNames {
            changed: changes.max().unwrap_or(UnixNanos(u64::MAX)),
            ..StoredNames::default()
        };
        for reported in aliases.chunk_by(|one, next| one.source == next.source) {
            let (snapshot, observed): (Vec<_>, Vec<_>) =
                reported.iter().partition(|alias| alias.is_in_snapshot);
            stored
                .observed
                .extend(observed.into_iter().map(observation));
            if let Some(first) = snapshot.first() {
                let targets = self.targets.get(&(first.uid.clone(), first.source.clone()));
                stored
                    .claims
                    .extend(claims_of(&first.source, &snapshot, targets, claims));
            }
        }
        stored
    }
}

/// The open claims of a source, each with the names of the source's snapshot. If the source has no open claim,
/// returns the names without a claim.
fn claims_of<'n>(
    source: &'n str,
    snapshot: &[&'n KnownAlias],
    targets: Option<&'n Vec<(UnixNanos, String)>>,
    claims: &'n [ClaimInfo],
) -> Vec<StoredClaim<'n>> {
    let aliases = snapshot.iter().map(|alias| (alias.since, item(alias)));
    let targets = targets.into_iter().flatten();
    let without_claim = StoredClaim {
        source,
        aliases: aliases.collect(),
        targets: targets.map(|(since, to)| (*since, to.as_str())).collect(),
        ..StoredClaim::default()
    };
    let claims = open_claims(claims, source);
    if claims.is_empty() {
        return vec![without_claim];
    }
    let stored = claims.into_iter().map(|claim| StoredClaim {
        scope: claim.scope.as_deref().unwrap_or_default(),
        class: claim.class,
        state: Some(claim.state),
        since: claim.since,
        seen: claim.last_seen,
        ..without_claim.clone()
    });
    stored.collect()
}

/// The open claims of a source that report names: the claims that scans made. If there are none, the claims of
/// snapshots that no scan made.
fn open_claims<'c>(claims: &'c [ClaimInfo], source: &str) -> Vec<&'c ClaimInfo> {
    let of_classes = |classes: &[ClaimClass]| -> Vec<&ClaimInfo> {
        let claims = claims.iter().filter(|claim| claim.source == source);
        let open = claims.filter(|claim| claim.until.is_none());
        open.filter(|claim| classes.contains(&claim.class))
            .collect()
    };
    let scanned = of_classes(&[ClaimClass::Actual, ClaimClass::Desired]);
    match scanned.is_empty() {
        true => of_classes(&[ClaimClass::Aliases]),
        false => scanned,
    }
}

fn observation(alias: &KnownAlias) -> AliasObservation<'_> {
    AliasObservation {
        uid: &alias.uid,
        source: &alias.source,
        time: alias.since,
        alias: AliasItem {
            valid_from: Some(alias.since),
            valid_to: alias.until,
            ..item(alias)
        },
    }
}

fn item(alias: &KnownAlias) -> AliasItem<'_> {
    AliasItem {
        kind: current_kind(alias),
        value: &alias.value,
        within: alias.scope.as_deref().unwrap_or_default(),
        valid_from: None,
        valid_to: None,
    }
}

/// The kind under which receivers report the alias today. A store of an earlier version has earlier kinds until the
/// first scan replaces them. The ARN of the node shows which kind replaces an earlier one.
fn current_kind(alias: &KnownAlias) -> &str {
    let is_ec2 = |prefix| Arn::parse(&alias.uid).is_some_and(|arn| arn.matches("ec2", prefix));
    match alias.kind.as_str() {
        EARLIER_ID if is_ec2("instance/") => kind::HOST_ID,
        kind::IP if is_ec2("network-interface/") => kind::INTERFACE_IP,
        kind::IP if is_ec2("elastic-ip/") => kind::RESERVED_IP,
        other => other,
    }
}
