//! Loads the names in a store into the alias index of the process, and reads the names that other processes change.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use pipeline::alias_index::{AliasIndex, AliasKind};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{AliasesPage, AsOf, Directions, GraphStore, KnownAlias, StoreError};
use pipeline::schema::aliases::kind::DNS;
use pipeline::schema::edges::kind;
use tracing::info;

use super::loaded_names::{DnsTargets, EARLIER_ID, LoadedNames};
use super::merge_stores::merge_stores;
use crate::following::{ReadPage, StoreReader};
use crate::loading::ReadAttempts;

/// The number of uids on a page.
const PAGE_SIZE: usize = 1000;
/// The maximum number of edges of DNS records that are read for one page.
const MAX_TARGETS: usize = 1 << 16;

/// Loads all names of the store into the index, page by page. Repeats a read that fails.
pub(super) async fn load(
    store: &dyn GraphStore,
    index: &AliasIndex,
    mut attempts: ReadAttempts<'_>,
) {
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
        names += page.content.aliases.len();
        let held = insert_new(&page.content, index);
        // Another store was loaded before and has names of these uids, too.
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

/// Reads names for the [`Follower`](crate::following::Follower) of a store.
#[derive(Debug)]
pub(super) struct NameReader {
    pub(super) store: Arc<dyn GraphStore>,
    pub(super) index: Arc<AliasIndex>,
}

#[async_trait]
impl StoreReader for NameReader {
    type Content = LoadedNames;

    async fn read_uids(&self, uids: &[String]) -> Result<LoadedNames, StoreError> {
        read_all_stores(&self.index, uids).await
    }

    async fn read_page(&self, after: Option<&str>) -> Result<ReadPage<LoadedNames>, StoreError> {
        let mut page = read_page(self.store.as_ref(), after).await?;
        if self.index.stores().len() > 1 {
            page.content = read_all_stores(&self.index, &page.uids).await?;
        }
        Ok(page)
    }
}

/// Reads the names of these uids from all stores of the index.
async fn read_all_stores(index: &AliasIndex, uids: &[String]) -> Result<LoadedNames, StoreError> {
    let mut by_store = Vec::new();
    for store in index.stores() {
        by_store.push(read_store(store.as_ref(), index, uids).await?);
    }
    Ok(merge_stores(by_store))
}

/// Reads the names of these uids from one store.
async fn read_store(
    store: &dyn GraphStore,
    index: &AliasIndex,
    uids: &[String],
) -> Result<LoadedNames, StoreError> {
    let aliases = store.aliases_of_uids(&kinds(), uids).await?;
    let mut named: Vec<String> = aliases.iter().map(|alias| alias.uid.clone()).collect();
    named.dedup();
    // If a uid has lost its names, its claims show when.
    let unnamed = {
        let view = index.view();
        let is_unnamed = |uid: &&String| view.has_names(uid) && named.binary_search(uid).is_err();
        let unnamed: Vec<String> = uids.iter().filter(is_unnamed).cloned().collect();
        unnamed
    };
    named.extend(unnamed);
    read_claims_and_targets(store, aliases, named).await
}

/// The kinds of aliases to read.
fn kinds() -> Vec<&'static str> {
    let kinds = AliasKind::ALIASES.into_iter();
    kinds.chain([EARLIER_ID]).collect()
}

/// Reads the page of names after the uid `after`, or the first page.
async fn read_page(
    store: &dyn GraphStore,
    after: Option<&str>,
) -> Result<ReadPage<LoadedNames>, StoreError> {
    let AliasesPage { aliases, last } = store.aliases(&kinds(), after, PAGE_SIZE).await?;
    let mut uids: Vec<String> = aliases.iter().map(|alias| alias.uid.clone()).collect();
    uids.dedup();
    let content = read_claims_and_targets(store, aliases, uids.clone()).await?;
    Ok(ReadPage {
        uids,
        content,
        last,
    })
}

/// Reads the claims and the DNS targets of these uids. `aliases` are the aliases of the uids.
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

/// Inserts the names of the uids that have no names in the index. Returns the other uids, whose names it does not
/// change.
fn insert_new(names: &LoadedNames, index: &AliasIndex) -> Vec<String> {
    let mut held = Vec::new();
    let Some(mut writer) = index.writer() else {
        return held;
    };
    let of_uids = names.aliases.chunk_by(|one, next| one.uid == next.uid);
    for of_uid in of_uids {
        let uid = &of_uid[0].uid;
        if writer.has_names(uid) {
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

/// Reads the targets of the DNS records among the uids that have these aliases.
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
        .edges(&named, Directions::Out, &kinds, MAX_TARGETS, AsOf::Now)
        .await?;
    for edge in edges {
        let of_record = targets.entry((edge.from, edge.source)).or_default();
        of_record.push((edge.first_seen, edge.to));
    }
    Ok(targets)
}

/// The uids that have an alias `dns`, each once. Every node with an edge `DNS_POINTS_TO` is among them, since only DNS
/// records have such edges.
fn uids_with_dns_names(aliases: &[KnownAlias]) -> Vec<String> {
    let named = aliases.iter().filter(|alias| alias.kind == DNS);
    let mut uids: Vec<String> = named.map(|alias| alias.uid.clone()).collect();
    uids.dedup();
    uids
}

#[cfg(test)]
mod tests {
    use pipeline::alias_index::{AliasIndex, AliasKind, ValidInterval};
    use pipeline::component::UnixNanos;
    use pipeline::graph_store::KnownAlias;

    use super::LoadedNames;

    fn alias(uid: &str, is_in_snapshot: bool, value: &str, since: u64) -> KnownAlias {
        KnownAlias {
            uid: uid.to_owned(),
            source: "aws".to_owned(),
            is_in_snapshot,
            kind: "dns".to_owned(),
            value: value.to_owned(),
            scope: None,
            since: UnixNanos(since),
            until: None,
        }
    }

    fn loaded(aliases: &[KnownAlias]) -> LoadedNames {
        LoadedNames {
            aliases: aliases.to_vec(),
            ..LoadedNames::default()
        }
    }

    #[test]
    fn each_name_is_valid_from_its_stored_start() {
        let index = AliasIndex::default();
        index.enable();
        let aliases = [
            alias("a", true, "new.example", 20),
            alias("a", true, "old.example", 10),
            alias("a", false, "seen.example", 5),
            alias("b", true, "b.example", 10),
        ];
        super::insert_new(&loaded(&aliases), &index);
        let view = index.view();
        let knows = |value, time| {
            let mut valid = ValidInterval::at(UnixNanos(time));
            !view.owners(AliasKind::Host, value, &mut valid).is_empty()
        };
        let since = |value| (0..30).find(|time| knows(value, *time));
        let names = ["new.example", "old.example", "seen.example", "b.example"];
        assert_eq!(names.map(since), [Some(20), Some(10), Some(5), Some(10)]);
        assert!(names.iter().all(|name| knows(name, 99)));
    }

    #[test]
    fn dns_targets_are_not_read_for_uids_without_a_dns_name() {
        let address = KnownAlias {
            kind: "ip".to_owned(),
            ..alias("b", true, "10.0.0.7", 10)
        };
        let aliases = [
            alias("a", true, "a.example", 10),
            alias("a", true, "www.example", 10),
            address,
            alias("c", false, "c.example", 5),
        ];
        assert_eq!(super::uids_with_dns_names(&aliases), ["a", "c"]);
    }

    #[test]
    fn aliases_of_an_earlier_store_get_their_current_kinds() {
        let index = AliasIndex::default();
        index.enable();
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
            let mut valid = ValidInterval::at(UnixNanos(20));
            let owners = view.owners(kind, value, &mut valid).into_iter();
            let uids: Vec<String> = owners.map(|(uid, _)| uid.to_owned()).collect();
            uids
        };
        let [instance, interface, elastic_ip] = [
            "instance/i-1",
            "network-interface/eni-1",
            "elastic-ip/eipalloc-1",
        ]
        .map(arn);
        assert_eq!(owners(AliasKind::Instance, "i-1"), [instance.as_str()]);
        assert!(owners(AliasKind::Instance, "eipalloc-1").is_empty());
        assert_eq!(owners(AliasKind::Address, "54.1.2.3"), [instance]);
        assert_eq!(owners(AliasKind::InterfaceAddress, "54.1.2.3"), [interface]);
        assert_eq!(owners(AliasKind::ReservedAddress, "54.1.2.3"), [elastic_ip]);
    }
}
