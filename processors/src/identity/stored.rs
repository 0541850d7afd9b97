//! Reads the names that a store knows into the index of the process.

use std::collections::BTreeMap;

use pipeline::alias_index::{AliasIndex, Kind};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{At, Direction, GraphStore, KnownAlias, StoreError};
use pipeline::schema::edges::kind;

/// Uids that are read at a time.
const PAGE: usize = 1000;
/// Edges of the DNS records among them.
const MOST_TARGETS: usize = 1 << 16;

pub(super) async fn read(store: &dyn GraphStore, index: &AliasIndex) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = store
            .aliases(&Kind::ALIASES, after.as_deref(), PAGE)
            .await?;
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
    (&alias.kind, &alias.value, alias.scope.as_deref())
}

/// Where the DNS records among these uids lead.
async fn targets(
    store: &dyn GraphStore,
    aliases: &[KnownAlias],
    index: &AliasIndex,
) -> Result<(), StoreError> {
    let records = aliases.iter().map(|alias| &alias.uid);
    let mut records: Vec<String> = records
        .filter(|uid| uid.contains("/recordset/"))
        .cloned()
        .collect();
    records.dedup();
    if records.is_empty() {
        return Ok(());
    }
    let kinds = [kind::DNS_POINTS_TO.to_owned()];
    let edges = store
        .edges(&records, Direction::Out, &kinds, MOST_TARGETS, At::Now)
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
}
