//! Loads the names in a store into the alias index of the process, and reads those that change later.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use pipeline::alias_index::{AliasIndex, Kind, StoredClaim, StoredNames};
use pipeline::claims::Class;
use pipeline::component::UnixNanos;
use pipeline::graph_store::{
    AliasesPage, At, ClaimInfo, Direction, GraphStore, KnownAlias, StoreError,
};
use pipeline::reports::{AliasItem, AliasObservation};
use pipeline::schema::aliases::kind::DNS;
use pipeline::schema::edges::kind;
use tracing::info;

use super::{earlier_stores, several};
use crate::following::{Page, Reads};
use crate::loading::Attempts;

/// Uids that are read at a time.
const PAGE_SIZE: usize = 1000;
/// Edges of DNS records that are read for one page at most.
const MAX_TARGETS: usize = 1 << 16;

/// Loads all names of the store, page by page. Retries a page that cannot be read.
pub(super) async fn load(store: &dyn GraphStore, index: &AliasIndex, mut attempts: Attempts<'_>) {
    let (start, mut names) = (Instant::now(), 0);
    let mut after = None;
    loop {
        let page = match read_page(store, after.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                attempts.failed(&error).await;
                continue;
            }
        };
        attempts.succeeded();
        names += page.part.aliases.len();
        let held = insert_new(&page.part, index);
        // Another store, which was loaded before, has these uids, too: their names are those of both.
        while !held.is_empty() {
            match read_all_stores(index, &held).await {
                Ok(names) => {
                    replace(&held, &names, index, UnixNanos::now());
                    break;
                }
                Err(error) => attempts.failed(&error).await,
            }
        }
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    let (processor, store, took) = (attempts.processor, attempts.store, start.elapsed());
    info!(
        processor,
        store,
        names,
        ?took,
        "loaded the aliases of the store"
    );
}

/// The names of some uids, with what the index needs to hold them.
#[derive(Debug, Default)]
pub(super) struct LoadedNames {
    /// Grouped by uid, then by source.
    pub(super) aliases: Vec<KnownAlias>,
    /// By uid.
    pub(super) claims: HashMap<String, Vec<ClaimInfo>>,
    pub(super) targets: DnsTargets,
}

/// The targets of DNS records by uid and source, each with the start of its validity.
pub(super) type DnsTargets = BTreeMap<(String, String), Vec<(UnixNanos, String)>>;

/// Reads names for the [`Follower`](crate::following::Follower) of the store.
#[derive(Debug)]
pub(super) struct NameReader {
    pub(super) store: Arc<dyn GraphStore>,
    pub(super) index: Arc<AliasIndex>,
}

#[async_trait]
impl Reads for NameReader {
    type Part = LoadedNames;

    async fn of(&self, uids: &[String]) -> Result<LoadedNames, StoreError> {
        read_all_stores(&self.index, uids).await
    }

    async fn page(&self, after: Option<&str>) -> Result<Page<LoadedNames>, StoreError> {
        let mut page = read_page(self.store.as_ref(), after).await?;
        if self.index.stores().len() > 1 {
            page.part = read_all_stores(&self.index, &page.uids).await?;
        }
        Ok(page)
    }
}

/// Reads the names of these uids from all stores of the index.
async fn read_all_stores(index: &AliasIndex, uids: &[String]) -> Result<LoadedNames, StoreError> {
    let mut parts = Vec::new();
    for store in index.stores() {
        parts.push(read_store(store.as_ref(), index, uids).await?);
    }
    Ok(several::merge_stores(parts))
}

async fn read_store(
    store: &dyn GraphStore,
    index: &AliasIndex,
    uids: &[String],
) -> Result<LoadedNames, StoreError> {
    let aliases = store.aliases_of_uids(&kinds(), uids).await?;
    let mut named: Vec<String> = aliases.iter().map(|it| it.uid.clone()).collect();
    named.dedup();
    // Of uids that have no names any more, the claims give the time at which they lost them.
    let unnamed = {
        let view = index.view();
        let is_unnamed = |uid: &&String| view.holds(uid) && named.binary_search(uid).is_err();
        let unnamed: Vec<String> = uids.iter().filter(is_unnamed).cloned().collect();
        unnamed
    };
    named.extend(unnamed);
    read_claims_and_targets(store, aliases, named).await
}

fn kinds() -> Vec<&'static str> {
    let kinds = Kind::ALIASES.into_iter();
    kinds.chain(earlier_stores::KINDS).collect()
}

async fn read_page(
    store: &dyn GraphStore,
    after: Option<&str>,
) -> Result<Page<LoadedNames>, StoreError> {
    let AliasesPage { aliases, last } = store.aliases(&kinds(), after, PAGE_SIZE).await?;
    let mut uids: Vec<String> = aliases.iter().map(|it| it.uid.clone()).collect();
    uids.dedup();
    let part = read_claims_and_targets(store, aliases, uids.clone()).await?;
    Ok(Page { uids, part, last })
}

/// Reads what belongs to the aliases of these uids.
async fn read_claims_and_targets(
    store: &dyn GraphStore,
    aliases: Vec<KnownAlias>,
    uids: Vec<String>,
) -> Result<LoadedNames, StoreError> {
    if uids.is_empty() {
        return Ok(LoadedNames::default());
    }
    let claims = store.claims(&uids).await?;
    let claims = uids.into_iter().zip(claims).collect();
    let targets = read_dns_targets(store, &aliases).await?;
    Ok(LoadedNames {
        aliases,
        claims,
        targets,
    })
}

/// Inserts the names of uids that the index does not hold. Returns the uids that it holds already; their
/// names are not changed.
fn insert_new(names: &LoadedNames, index: &AliasIndex) -> Vec<String> {
    let mut held = Vec::new();
    let Some(mut writer) = index.writer() else {
        return held;
    };
    let of_uids = names.aliases.chunk_by(|one, next| one.uid == next.uid);
    for of_uid in of_uids {
        let uid = &of_uid[0].uid;
        if writer.holds(uid) {
            held.push(uid.clone());
            continue;
        }
        let stored = names.of_uid(uid, of_uid);
        for observed in &stored.observed {
            let name = (
                observed.alias.kind,
                observed.alias.value,
                observed.alias.within,
            );
            writer.put_observation(uid, name, observed.time, observed.alias.valid_to);
        }
        for claim in &stored.claims {
            writer.restore(uid, claim);
        }
    }
    held
}

/// Replaces the names of these uids in the index.
pub(super) fn replace(uids: &[String], names: &LoadedNames, index: &AliasIndex, now: UnixNanos) {
    let Some(mut writer) = index.writer() else {
        return;
    };
    let of_uids = names.aliases.chunk_by(|one, next| one.uid == next.uid);
    let of_uids: HashMap<&str, &[KnownAlias]> = of_uids
        .map(|of_uid| (of_uid[0].uid.as_str(), of_uid))
        .collect();
    for uid in uids {
        let of_uid = of_uids.get(uid.as_str()).copied().unwrap_or_default();
        writer.replace(uid, &names.of_uid(uid, of_uid), now);
    }
}

impl LoadedNames {
    /// The stored names of a uid, which has these aliases. The snapshot of a source belongs to each of its
    /// open claims by scans, so that the names end with these claims.
    fn of_uid<'n>(&'n self, uid: &str, aliases: &'n [KnownAlias]) -> StoredNames<'n> {
        let claims = self.claims.get(uid).map_or(&[][..], Vec::as_slice);
        let changes = claims
            .iter()
            .map(|claim| claim.until.map_or(claim.since, |(until, _)| until));
        let mut stored = StoredNames {
            changed: changes.max().unwrap_or(UnixNanos(u64::MAX)),
            ..StoredNames::default()
        };
        for reported in aliases.chunk_by(|one, next| one.source == next.source) {
            let (snapshots, observed): (Vec<_>, Vec<_>) =
                reported.iter().partition(|alias| alias.is_of_set);
            stored
                .observed
                .extend(observed.into_iter().map(observation));
            if let Some(first) = snapshots.first() {
                let targets = self.targets.get(&(first.uid.clone(), first.source.clone()));
                stored
                    .claims
                    .extend(claims_of(&first.source, &snapshots, targets, claims));
            }
        }
        stored
    }
}

/// The claims of a source that report the names of this snapshot.
fn claims_of<'n>(
    source: &'n str,
    snapshots: &[&'n KnownAlias],
    targets: Option<&'n Vec<(UnixNanos, String)>>,
    claims: &'n [ClaimInfo],
) -> Vec<StoredClaim<'n>> {
    let aliases = snapshots.iter().map(|alias| (alias.since, item(alias)));
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

/// The open claims of a source that report names: those made by scans, else those of rows of `aliases`.
fn open_claims<'c>(claims: &'c [ClaimInfo], source: &str) -> Vec<&'c ClaimInfo> {
    let of = |classes: &[Class]| -> Vec<&ClaimInfo> {
        let claims = claims.iter().filter(|claim| claim.source == source);
        let open = claims.filter(|claim| claim.until.is_none());
        open.filter(|claim| classes.contains(&claim.class))
            .collect()
    };
    let scanned = of(&[Class::Actual, Class::Desired]);
    match scanned.is_empty() {
        true => of(&[Class::Aliases]),
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
        kind: earlier_stores::kind_of(alias),
        value: &alias.value,
        within: alias.scope.as_deref().unwrap_or_default(),
        valid_from: None,
        valid_to: None,
    }
}

/// Reads the targets of the DNS records among the owners of these aliases.
async fn read_dns_targets(
    store: &dyn GraphStore,
    aliases: &[KnownAlias],
) -> Result<DnsTargets, StoreError> {
    let named = uids_with_dns_names(aliases);
    let mut targets = DnsTargets::new();
    if named.is_empty() {
        return Ok(targets);
    }
    let kinds = [kind::DNS_POINTS_TO.to_owned()];
    let edges = store
        .edges(&named, Direction::Out, &kinds, MAX_TARGETS, At::Now)
        .await?;
    for edge in edges {
        let of = targets.entry((edge.from, edge.source)).or_default();
        of.push((edge.first_seen, edge.to));
    }
    Ok(targets)
}

/// The uids that have an alias `dns`, each once. All DNS records are among them: a record that has a target
/// has such an edge, other nodes have none.
fn uids_with_dns_names(aliases: &[KnownAlias]) -> Vec<String> {
    let named = aliases.iter().filter(|alias| alias.kind == DNS);
    let mut uids: Vec<String> = named.map(|alias| alias.uid.clone()).collect();
    uids.dedup();
    uids
}

#[cfg(test)]
mod tests {
    use pipeline::alias_index::{AliasIndex, Holds, Kind};
    use pipeline::component::UnixNanos;
    use pipeline::graph_store::KnownAlias;

    fn alias(uid: &str, is_of_set: bool, value: &str, since: u64) -> KnownAlias {
        KnownAlias {
            uid: uid.to_owned(),
            source: "aws".to_owned(),
            is_of_set,
            kind: "dns".to_owned(),
            value: value.to_owned(),
            scope: None,
            since: UnixNanos(since),
            until: None,
        }
    }

    fn loaded(aliases: &[KnownAlias]) -> super::LoadedNames {
        super::LoadedNames {
            aliases: aliases.to_vec(),
            ..super::LoadedNames::default()
        }
    }

    #[test]
    fn each_name_is_valid_from_its_stored_start() {
        let index = AliasIndex::default();
        index.ask();
        let aliases = [
            alias("a", true, "new.example", 20),
            alias("a", true, "old.example", 10),
            alias("a", false, "seen.example", 5),
            alias("b", true, "b.example", 10),
        ];
        super::insert_new(&loaded(&aliases), &index);
        let view = index.view();
        let knows = |value, time| {
            let mut holds = Holds::at(UnixNanos(time));
            !view.owners(Kind::Host, value, &mut holds).is_empty()
        };
        let since = |value| (0..30).find(|time| knows(value, *time));
        let names = ["new.example", "old.example", "seen.example", "b.example"];
        assert_eq!(names.map(since), [Some(20), Some(10), Some(5), Some(10)]);
        assert!(names.iter().all(|name| knows(name, 99)));
    }

    #[test]
    fn dns_targets_are_read_only_of_uids_with_a_dns_name() {
        let other = KnownAlias {
            kind: "ip".to_owned(),
            ..alias("b", true, "10.0.0.7", 10)
        };
        let aliases = [
            alias("a", true, "a.example", 10),
            alias("a", true, "www.example", 10),
            other,
            alias("c", false, "c.example", 5),
        ];
        assert_eq!(super::uids_with_dns_names(&aliases), ["a", "c"]);
    }

    #[test]
    fn aliases_of_an_old_store_get_the_kinds_of_present_receivers() {
        let index = AliasIndex::default();
        index.ask();
        let arn = |resource| format!("arn:aws:ec2:eu-west-1:42:{resource}");
        let known = |resource, kind: &str, value| KnownAlias {
            kind: kind.to_owned(),
            ..alias(&arn(resource), true, value, 10)
        };
        let aliases = [
            known("elastic-ip/eipalloc-1", "id", "eipalloc-1"),
            known("elastic-ip/eipalloc-1", "ip", "54.1.2.3"),
            known("instance/i-1", "host_id", "i-1"),
            known("instance/i-1", "id", "i-1"),
            known("instance/i-1", "ip", "54.1.2.3"),
            known("network-interface/eni-1", "ip", "54.1.2.3"),
        ];
        super::insert_new(&loaded(&aliases), &index);
        let view = index.view();
        let owners = |kind, value| {
            let mut holds = Holds::at(UnixNanos(20));
            let owners = view.owners(kind, value, &mut holds).into_iter();
            let uids: Vec<String> = owners.map(|(uid, _)| uid.to_owned()).collect();
            uids
        };
        let [instance, interface, elastic_ip] = [
            "instance/i-1",
            "network-interface/eni-1",
            "elastic-ip/eipalloc-1",
        ]
        .map(arn);
        assert_eq!(owners(Kind::Instance, "i-1"), [instance.as_str()]);
        assert!(owners(Kind::Instance, "eipalloc-1").is_empty());
        assert_eq!(owners(Kind::Address, "54.1.2.3"), [instance]);
        assert_eq!(owners(Kind::InterfaceAddress, "54.1.2.3"), [interface]);
        assert_eq!(owners(Kind::ReservedAddress, "54.1.2.3"), [elastic_ip]);
    }
}
