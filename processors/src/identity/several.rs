//! Merges what several stores have of the same uids. The alias index of a process holds the names of all its
//! stores: the names of one store must not replace those of another.

use std::collections::BTreeMap;

use pipeline::component::UnixNanos;
use pipeline::graph_store::{ClaimInfo, KnownAlias};

use super::stored::LoadedNames;

/// What a store has of one uid from one source.
#[derive(Debug, Default)]
struct SourceNames {
    aliases: Vec<KnownAlias>,
    claims: Vec<ClaimInfo>,
    targets: Vec<(UnixNanos, String)>,
}

impl SourceNames {
    /// The time of the last confirmation, then the time of the last change.
    fn rank(&self) -> (Option<UnixNanos>, Option<UnixNanos>) {
        let seen = self.claims.iter().map(|claim| claim.last_seen).max();
        let since = self.aliases.iter().map(|alias| alias.since).max();
        (seen, since)
    }
}

/// By uid and source.
type NamesBySource = BTreeMap<(String, String), SourceNames>;

fn by_source(names: LoadedNames) -> NamesBySource {
    let mut all = NamesBySource::new();
    for alias in names.aliases {
        let of = all.entry((alias.uid.clone(), alias.source.clone()));
        of.or_default().aliases.push(alias);
    }
    for (uid, claims) in names.claims {
        for claim in claims {
            let of = all.entry((uid.clone(), claim.source.clone()));
            of.or_default().claims.push(claim);
        }
    }
    for (of, targets) in names.targets {
        all.entry(of).or_default().targets = targets;
    }
    all
}

/// If two stores have names of the same uid and source, the names that were confirmed last win.
pub(super) fn merge_stores(mut parts: Vec<LoadedNames>) -> LoadedNames {
    if parts.len() < 2 {
        return parts.pop().unwrap_or_default();
    }
    let mut all = NamesBySource::new();
    for (of, stored) in parts.into_iter().flat_map(by_source) {
        match all.get(&of) {
            Some(other) if other.rank() >= stored.rank() => {}
            _ => drop(all.insert(of, stored)),
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

    use pipeline::claims::Class;
    use pipeline::component::UnixNanos;
    use pipeline::graph_store::{ClaimInfo, KnownAlias};

    use super::super::stored::LoadedNames;
    use super::merge_stores;

    /// A name that a source reports of `u`, confirmed at `seen`.
    fn names(source: &str, value: &str, seen: u64) -> LoadedNames {
        let alias = KnownAlias {
            uid: "u".to_owned(),
            source: source.to_owned(),
            is_of_set: true,
            kind: "dns".to_owned(),
            value: value.to_owned(),
            scope: None,
            since: UnixNanos(1),
            until: None,
        };
        let claim = ClaimInfo {
            class: Class::Actual,
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
        let merged = |parts: Vec<LoadedNames>| {
            let names = merge_stores(parts);
            let mut values: Vec<String> = names.aliases.into_iter().map(|it| it.value).collect();
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
