//! What happened to a uid, from its facts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as JsonMap, Value as Json};

use super::completions::Completions;
use super::fact::{Fact, group};
use crate::attributes::{Map, map_to_json};
use crate::component::UnixNanos;
use crate::graph_store::TimelineEntry;
use crate::uid;

/// The edges of each set that the facts name, as `SECURED_BY arn:…`, by the set's source and hash.
pub type Sets = BTreeMap<(String, u64), BTreeSet<String>>;

/// One entry for each time at which a source is known to have said something new, oldest first.
/// `facts` are all of one uid's, `completions` the scans that saw it or not; what somebody did is in
/// the changes, not here.
pub fn timeline(facts: &[Fact<'_>], sets: &Sets, completions: &Completions) -> Vec<TimelineEntry> {
    let mut sightings: BTreeMap<(&str, &str), Vec<Sighting<'_>>> = BTreeMap::new();
    for fact in facts {
        let of = sightings.entry((&fact.group, &fact.source)).or_default();
        of.extend([fact.first_seen, fact.last_seen].map(|time| Sighting {
            time,
            hash: fact.hash,
            fact: Some(fact),
        }));
    }
    for ((group, source), of) in &mut sightings {
        let scanned = scanned(facts, group, source, completions);
        of.extend(scanned);
    }
    let mut entries = Vec::new();
    for ((group, source), mut of) in sightings {
        of.sort_by_key(|sighting| (sighting.time, sighting.hash));
        of.dedup_by_key(|sighting| sighting.hash);
        for (index, sighting) in of.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| of[before].fact);
            let Some((kind, summary, details)) = told_by(group, sighting, before, sets) else {
                continue;
            };
            entries.push(TimelineEntry {
                time: sighting.time,
                id: format!("{group}/{source}/{:016x}", sighting.hash),
                kind: kind.to_owned(),
                source: source.to_owned(),
                summary,
                details,
            });
        }
    }
    entries.sort_by(|one, other| (one.time, &one.id).cmp(&(other.time, &other.id)));
    entries
}

/// What one source said of one group at a time.
struct Sighting<'f> {
    time: UnixNanos,
    hash: u64,
    /// None where a scan no longer saw the uid.
    fact: Option<&'f Fact<'f>>,
}

/// What the scans of a source saw of a group, each time that a run of them began.
fn scanned<'f>(
    facts: &'f [Fact<'f>],
    group: &str,
    source: &str,
    completions: &Completions,
) -> Vec<Sighting<'f>> {
    let Some(first) = facts.first() else {
        return Vec::new();
    };
    let uid = uid::hash(&first.uid);
    let own = |fact: &&Fact<'_>| fact.group == group && fact.source == source;
    let mut scopes: Vec<_> = facts
        .iter()
        .filter(|fact| fact.source == source && !fact.scope.is_empty())
        .map(|fact| (fact.scan(), fact.first_seen))
        .collect();
    scopes.sort_unstable();
    // Of each scope once, from when it first saw the uid.
    scopes.dedup_by_key(|(scan, _)| *scan);
    let mut seen = Vec::new();
    for (scan, since) in scopes {
        for run in completions.of(scan).iter().filter(|run| run.first >= since) {
            let time = run.first;
            let state = run.members.state_of(uid);
            let fact = facts.iter().filter(own).find(|fact| match state {
                Some(_) if group == group::LIFECYCLE => !fact.is_tombstone(),
                Some(state) => fact.hash == state,
                None => false,
            });
            match fact {
                Some(fact) => seen.push(Sighting {
                    time,
                    hash: fact.hash,
                    fact: Some(fact),
                }),
                None if state.is_none() && group == group::LIFECYCLE => seen.push(Sighting {
                    time,
                    hash: Fact::TOMBSTONE,
                    fact: None,
                }),
                None => {}
            }
        }
    }
    seen
}

fn told_by(
    group: &str,
    sighting: &Sighting<'_>,
    before: Option<&Fact<'_>>,
    sets: &Sets,
) -> Option<(&'static str, String, JsonMap<String, Json>)> {
    let none = JsonMap::new();
    let fact = sighting.fact.filter(|fact| !fact.is_tombstone());
    let Some(fact) = fact else {
        return Some(match group {
            group::LIFECYCLE => ("node_ended", "it no longer exists".to_owned(), none),
            _ => ("node_changed", format!("{group} ended"), none),
        });
    };
    match (group, before.filter(|before| !before.is_tombstone())) {
        (group::ALIASES, _) | (group::EDGES, None) => None,
        (group::EDGES, Some(before)) => {
            let (summary, details) = changed_edges(before, fact, sets)?;
            Some(("edges_changed", summary, details))
        }
        (group::LIFECYCLE, _) => Some(("node_appeared", "it exists".to_owned(), none)),
        (group, None) => Some(("node_appeared", format!("{group} is known"), none)),
        (group, Some(before)) => {
            let changes = difference(before, fact);
            // A resource whose relations alone changed has a new state, but the same value.
            if changes.is_empty() {
                return None;
            }
            let keys: Vec<&str> = changes.keys().map(String::as_str).collect();
            let summary = format!("{group} changed: {}", keys.join(", "));
            Some(("node_changed", summary, changes))
        }
    }
}

/// None where the sets have the same edges: then the resource has changed otherwise.
fn changed_edges(
    before: &Fact<'_>,
    after: &Fact<'_>,
    sets: &Sets,
) -> Option<(String, JsonMap<String, Json>)> {
    let none = BTreeSet::new();
    let edges = |fact: &Fact<'_>| {
        let set = (fact.source.clone().into_owned(), fact.hash);
        sets.get(&set).unwrap_or(&none)
    };
    let (before, after) = (edges(before), edges(after));
    let added: Vec<&str> = after.difference(before).map(String::as_str).collect();
    let removed: Vec<&str> = before.difference(after).map(String::as_str).collect();
    let told: Vec<String> = added
        .iter()
        .map(|edge| format!("now {edge}"))
        .chain(removed.iter().map(|edge| format!("no longer {edge}")))
        .collect();
    let mut details = JsonMap::new();
    details.insert("added".to_owned(), added.into());
    details.insert("removed".to_owned(), removed.into());
    (!told.is_empty()).then(|| (told.join(", "), details))
}

/// The top-level keys whose values differ, each with what was before and after.
fn difference(before: &Fact<'_>, after: &Fact<'_>) -> JsonMap<String, Json> {
    let value = |fact: &Fact<'_>| {
        let mut value = fact
            .content
            .value
            .as_deref()
            .map(|value| map_to_json(Map::new(value)));
        let tags = fact
            .content
            .tags
            .as_deref()
            .map(|tags| map_to_json(Map::new(tags)));
        let value = value.get_or_insert_default();
        if let Some(tags) = tags {
            value.insert("tags".to_owned(), tags.into());
        }
        if let Some(name) = &fact.content.name {
            value.insert("name".to_owned(), name.clone().into_owned().into());
        }
        std::mem::take(value)
    };
    let (before, after) = (value(before), value(after));
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let differ = keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key));
    let told = differ.map(|key| {
        let pair = serde_json::json!({"before": before.get(key), "after": after.get(key)});
        (key.clone(), pair)
    });
    told.collect()
}
