//! Merges the names that several stores have of the same uids. The alias index holds the names of all stores of the
//! process, so names that were read from one store must not replace those from another.

use std::collections::BTreeMap;

use pipeline::component::UnixNanos;
use pipeline::graph_store::{ClaimInfo, KnownAlias};

use super::loaded_names::LoadedNames;

/// The names of one uid from one source in one store.
#[derive(Debug, Default)]
struct SourceNames {
    aliases: Vec<KnownAlias>,
    claims: Vec<ClaimInfo>,
    targets: Vec<(UnixNanos, String)>,
}

impl SourceNames {
    /// Of the names of one uid and source in two stores, those with the greater rank win: those that were confirmed
    /// last, then those that changed last.
    fn rank(&self) -> (Option<UnixNanos>, Option<UnixNanos>) {
        let seen = self.claims.iter().map(|claim| claim.last_seen).max();
        let since = self.aliases.iter().map(|alias| alias.since).max();
        (seen, since)
    }
}

/// Names by uid and source.
type NamesBySource = BTreeMap<(String, String), SourceNames>;

/// Groups the names in one store.
fn group_by_source(names: LoadedNames) -> NamesBySource {
    let mut all = NamesBySource::new();
    for alias in names.aliases {
        let entry = all.entry((alias.uid.clone(), alias.source.clone()));
        entry.or_default().aliases.push(alias);
    }
    for (uid, claims) in names.claims {
        for claim in claims {
            let entry = all.entry((uid.clone(), claim.source.clone()));
            entry.or_default().claims.push(claim);
        }
    }
    for (key, targets) in names.targets {
        all.entry(key).or_default().targets = targets;
    }
    all
}

/// Merges the names of several stores. If two stores have names of the same uid and source, those with the greater
/// [rank](SourceNames::rank) win.
pub(super) fn merge_stores(mut by_store: Vec<LoadedNames>) -> LoadedNames {
    if by_store.len() < 2 {
        return by_store.pop().unwrap_or_default();
    }
    let mut all = NamesBySource::new();
    for (key, stored) in by_store.into_iter().flat_map(group_by_source) {
        match all.get(&key) {
            Some(other) if other.rank() >= stored.rank() => {}
            _ => drop(all.insert(key, stored)),
        }
    }
    let mut names = LoadedNames::default();
    for ((uid, source), stored) in all {
        names.aliases.extend(stored.aliases);
        let claims = names.claims.entry(uid.clone()).or_default();
        claims.extend(stored.claims);
        if !stored.targets.is_empty() {
            names.targets.insert((uid, source), stored.targets);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use pipeline::claims::ClaimClass;
    use pipeline::component::UnixNanos;
    use pipeline::graph_store::{ClaimInfo, KnownAlias};

    use super::merge_stores;
    use crate::identity::loaded_names::LoadedNames;

    /// One name of the uid `u`, which `source` confirmed at `seen`.
    fn names(source: &str, value: &str, seen: u64) -> LoadedNames {
        let alias = KnownAlias {
            uid: "u".to_owned(),
            source: source.to_owned(),
            is_in_snapshot: true,
            kind: "dns".to_owned(),
            value: value.to_owned(),
            scope: None,
            since: UnixNanos(1),
            until: None,
        };
        let claim = ClaimInfo {
            class: ClaimClass::Actual,
            source: source.to_owned(),
            scope: Some("s".to_owned()),
            since: UnixNanos(1),
            until: None,
            state: 1,
            last_seen: UnixNanos(seen),
        };
        LoadedNames {
            aliases: vec![alias],
            claims: HashMap::from([("u".to_owned(), vec![claim])]),
            ..LoadedNames::default()
        }
    }

    #[test]
    fn names_of_one_source_come_from_the_store_that_confirmed_them_last() {
        let merged = |by_store: Vec<LoadedNames>| {
            let names = merge_stores(by_store);
            let values = names.aliases.into_iter().map(|alias| alias.value);
            let mut values: Vec<String> = values.collect();
            values.sort();
            (values.join(" "), names.claims["u"].len())
        };
        let a = || names("aws", "a", 5);
        let b = || names("aws", "b", 7);
        let c = || names("otlp", "c", 1);
        assert_eq!(merged(vec![a(), b()]), ("b".to_owned(), 1));
        assert_eq!(merged(vec![b(), a()]), ("b".to_owned(), 1));
        assert_eq!(merged(vec![a(), c()]), ("a c".to_owned(), 2));
        assert_eq!(merged(vec![a()]), ("a".to_owned(), 1));
    }
}
