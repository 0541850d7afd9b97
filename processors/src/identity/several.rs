//! What several stores have of the same uids, as one. The index of a process holds the names of all of them:
//! what one store has must not take the place of what another has.

use std::collections::BTreeMap;

use pipeline::component::UnixNanos;
use pipeline::graph_store::{ClaimInfo, KnownAlias};

use super::stored::Names;

/// What a store has of a uid from one source.
#[derive(Debug, Default)]
struct OfSource {
    aliases: Vec<KnownAlias>,
    claims: Vec<ClaimInfo>,
    targets: Vec<(UnixNanos, String)>,
}

impl OfSource {
    /// When anything of it was last confirmed, and when it last changed.
    fn rank(&self) -> (Option<UnixNanos>, Option<UnixNanos>) {
        let seen = self.claims.iter().map(|claim| claim.last_seen).max();
        let since = self.aliases.iter().map(|alias| alias.since).max();
        (seen, since)
    }
}

/// By uid and source.
type BySource = BTreeMap<(String, String), OfSource>;

fn by_source(names: Names) -> BySource {
    let mut all = BySource::new();
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

/// Where two stores have what the same source reports of a uid, the one counts in which that was confirmed
/// later.
pub(super) fn merged(mut parts: Vec<Names>) -> Names {
    if parts.len() < 2 {
        return parts.pop().unwrap_or_default();
    }
    let mut all = BySource::new();
    for (of, found) in parts.into_iter().flat_map(by_source) {
        match all.get(&of) {
            Some(known) if known.rank() >= found.rank() => {}
            _ => drop(all.insert(of, found)),
        }
    }
    let mut names = Names::default();
    for ((uid, source), found) in all {
        names.aliases.extend(found.aliases);
        let claims = names.claims.entry(uid.clone()).or_default();
        claims.extend(found.claims);
        if !found.targets.is_empty() {
            names.targets.insert((uid, source), found.targets);
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

    use super::super::stored::Names;
    use super::merged;

    /// A name that a source reports of `u`, and when that was confirmed.
    fn names(source: &str, value: &str, seen: u64) -> Names {
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
        Names {
            aliases: vec![alias],
            claims: HashMap::from([("u".to_owned(), vec![claim])]),
            ..Names::default()
        }
    }

    #[test]
    fn of_one_source_the_store_counts_that_confirmed_it_later() {
        let found = |parts: Vec<Names>| {
            let names = merged(parts);
            let mut values: Vec<String> = names.aliases.into_iter().map(|it| it.value).collect();
            values.sort();
            (values.join(" "), names.claims["u"].len())
        };
        let a = || names("aws", "a", 5);
        let b = || names("aws", "b", 7);
        let c = || names("otlp", "c", 1);
        assert_eq!(found(vec![a(), b()]), ("b".to_owned(), 1));
        assert_eq!(found(vec![b(), a()]), ("b".to_owned(), 1));
        assert_eq!(found(vec![a(), c()]), ("a c".to_owned(), 2));
        assert_eq!(found(vec![a()]), ("a".to_owned(), 1));
    }
}
