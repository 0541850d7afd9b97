//! Names that were read from stores, and their conversion for the alias index.

use std::collections::{BTreeMap, HashMap};

use pipeline::alias_index::{StoredClaim, StoredNames};
use pipeline::claims::ClaimClass;
use pipeline::component::UnixNanos;
use pipeline::graph_store::{ClaimInfo, KnownAlias};
use pipeline::reports::{AliasItem, AliasObservation};
use pipeline::schema::aliases::kind;

use super::cloud::Arn;

/// The kind under which receivers once reported every id. At that time they reported every address as `ip`, and `aws`
/// was the only receiver with aliases.
pub(super) const EARLIER_ID: &str = "id";

/// The names of some uids, with the claims and DNS targets that the index needs to hold them.
#[derive(Debug, Default)]
pub(super) struct LoadedNames {
    /// Grouped by uid, and within a uid by source.
    pub(super) aliases: Vec<KnownAlias>,
    /// The claims by uid.
    pub(super) claims: HashMap<String, Vec<ClaimInfo>>,
    pub(super) targets: DnsTargets,
}

/// The targets of DNS records by uid and source, each with the start of its validity.
pub(super) type DnsTargets = BTreeMap<(String, String), Vec<(UnixNanos, String)>>;

impl LoadedNames {
    /// The names of a uid in the form of the index; `aliases` are those of the uid. The snapshot of a source belongs to
    /// each of the source's open claims by scans, so that the names end with these claims.
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
                reported.iter().partition(|alias| alias.is_of_snapshot);
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

/// The open claims of a source, each with the names of the source's snapshot; without claims, the names alone.
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

/// The open claims of a source that report names: the claims by scans, or if there are none, the claims of snapshots
/// that no scan made.
fn open_claims<'c>(claims: &'c [ClaimInfo], source: &str) -> Vec<&'c ClaimInfo> {
    let of = |classes: &[ClaimClass]| -> Vec<&ClaimInfo> {
        let claims = claims.iter().filter(|claim| claim.source == source);
        let open = claims.filter(|claim| claim.until.is_none());
        open.filter(|claim| classes.contains(&claim.class))
            .collect()
    };
    let scanned = of(&[ClaimClass::Actual, ClaimClass::Desired]);
    match scanned.is_empty() {
        true => of(&[ClaimClass::Aliases]),
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

/// The kind under which receivers report the alias today. A store of an earlier version has the earlier kinds until
/// the first scan replaces them; the ARN of the node tells them apart.
fn current_kind(alias: &KnownAlias) -> &str {
    let is_of = |resource| Arn::parse(&alias.uid).is_some_and(|arn| arn.is_of("ec2", resource));
    match alias.kind.as_str() {
        EARLIER_ID if is_of("instance/") => kind::HOST_ID,
        kind::IP if is_of("network-interface/") => kind::INTERFACE_IP,
        kind::IP if is_of("elastic-ip/") => kind::RESERVED_IP,
        other => other,
    }
}
