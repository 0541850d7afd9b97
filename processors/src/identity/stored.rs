//! Reads the names that a store knows into the index of the process.

use std::collections::BTreeMap;

use pipeline::alias_index::{AliasIndex, Kind};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{At, Direction, GraphStore, KnownAlias, StoreError};
use pipeline::schema::aliases::kind::DNS;
use pipeline::schema::edges::kind;

use super::earlier_stores;

/// Uids that are read at a time.
const PAGE: usize = 1000;
/// Edges of the DNS records among them.
const MOST_TARGETS: usize = 1 << 16;

pub(super) async fn read(store: &dyn GraphStore, index: &AliasIndex) -> Result<(), StoreError> {
    let kinds: Vec<&str> = Kind::ALIASES
        .into_iter()
        .chain(earlier_stores::KINDS)
        .collect();
    let mut after = None;
    loop {
        let page = store.aliases(&kinds, after.as_deref(), PAGE).await?;
        tell(&page.aliases, index);
        targets(store, &page.aliases, index).await?;
        after = page.last;
        if after.is_none() {
            return Ok(());
        }
    }
}

fn tell(aliases: &[KnownAlias], index: &AliasIndex) {
    let Some(mut writer) = index.writer() else {
        return;
    };
    let by_source =
        aliases.chunk_by(|one, next| (&one.uid, &one.source) == (&next.uid, &next.source));
    for told in by_source {
        let (mut sets, seen): (Vec<_>, Vec<_>) = told.iter().partition(|alias| alias.is_of_set);
        for alias in seen {
            let name = name(alias);
            writer.see(&alias.uid, name, alias.since, alias.until);
        }
        // One after the other, as they came to be: a set of each time that something was added.
        sets.sort_by_key(|alias| alias.since);
        for (place, alias) in sets.iter().enumerate() {
            let is_last = sets.get(place + 1).map(|next| next.since) != Some(alias.since);
            if is_last {
                let names = sets[..=place].iter().map(|alias| name(alias));
                writer.tell(&alias.uid, &alias.source, alias.since, names);
            }
        }
    }
}

fn name(alias: &KnownAlias) -> (&str, &str, Option<&str>) {
    let kind = earlier_stores::kind_of(alias);
    (kind, &alias.value, alias.scope.as_deref())
}

/// Where the DNS records among these uids lead.
async fn targets(
    store: &dyn GraphStore,
    aliases: &[KnownAlias],
    index: &AliasIndex,
) -> Result<(), StoreError> {
    let named = named_hosts(aliases);
    if named.is_empty() {
        return Ok(());
    }
    let kinds = [kind::DNS_POINTS_TO.to_owned()];
    let edges = store
        .edges(&named, Direction::Out, &kinds, MOST_TARGETS, At::Now)
        .await?;
    let mut led: BTreeMap<_, (UnixNanos, Vec<&str>)> = BTreeMap::new();
    for edge in &edges {
        let told = led.entry((&edge.from, &edge.source)).or_default();
        told.0 = told.0.max(edge.first_seen);
        told.1.push(&edge.to);
    }
    if let Some(mut writer) = index.writer() {
        for ((uid, source), (since, to)) in led {
            writer.tell_targets(uid, source, since, to.into_iter());
        }
    }
    Ok(())
}

/// The uids that have the name of a host, each once. DNS records are among them, since no other name leads
/// to one; which they are, their edges say.
fn named_hosts(aliases: &[KnownAlias]) -> Vec<String> {
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

    #[test]
    fn each_name_is_known_since_it_was_told() {
        let index = AliasIndex::default();
        index.ask();
        let aliases = [
            alias("a", true, "new.example", 20),
            alias("a", true, "old.example", 10),
            alias("a", false, "seen.example", 5),
            alias("b", true, "b.example", 10),
        ];
        super::tell(&aliases, &index);
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
    fn only_what_has_the_name_of_a_host_is_asked_where_it_points() {
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
        assert_eq!(super::named_hosts(&aliases), ["a", "c"]);
    }

    #[test]
    fn a_store_of_before_is_read_as_its_receivers_report_today() {
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
        super::tell(&aliases, &index);
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
