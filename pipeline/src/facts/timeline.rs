//! What happened to a uid, from its facts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as JsonMap, Value as Json};

use super::fact::{Fact, group};
use crate::attributes::{Map, map_to_json};
use crate::component::UnixNanos;
use crate::graph_store::TimelineEntry;

/// The edges of each set that the facts name, as `SECURED_BY arn:…`, by the set's source and hash.
pub type Sets = BTreeMap<(String, u64), BTreeSet<String>>;

/// One entry for each value that a source has told, when it first told it, oldest first: one that
/// comes back is not told again. `facts` are all of the
/// uid's; what somebody did is in the changes, not here.
pub fn timeline(facts: &[Fact<'_>], sets: &Sets, ended: Option<UnixNanos>) -> Vec<TimelineEntry> {
    let mut told: BTreeMap<(&str, &str), Vec<&Fact<'_>>> = BTreeMap::new();
    for fact in facts {
        let of = told.entry((&fact.group, &fact.source)).or_default();
        of.push(fact);
    }
    let mut entries = Vec::new();
    for ((group, source), mut facts) in told {
        facts.sort_by_key(|fact| (fact.first_seen, fact.hash));
        for (index, fact) in facts.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| facts[before]);
            let Some((kind, summary, details)) = told_by(fact, before, sets) else {
                continue;
            };
            entries.push(TimelineEntry {
                time: fact.first_seen,
                id: format!("{group}/{source}/{:016x}/{}", fact.hash, fact.scope),
                kind: kind.to_owned(),
                source: source.to_owned(),
                summary,
                details,
            });
        }
    }
    let is_told = |entries: &[TimelineEntry], ended| {
        entries
            .iter()
            .any(|entry| entry.kind == "node_ended" && entry.time == ended)
    };
    if let Some(ended) = ended.filter(|ended| !is_told(&entries, *ended)) {
        entries.push(TimelineEntry {
            time: ended,
            id: format!("ended/{}", ended.0),
            kind: "node_ended".to_owned(),
            source: String::new(),
            summary: "a completed scan no longer saw it".to_owned(),
            details: JsonMap::new(),
        });
    }
    entries.sort_by(|one, other| (one.time, &one.id).cmp(&(other.time, &other.id)));
    entries
}

fn told_by(
    fact: &Fact<'_>,
    before: Option<&Fact<'_>>,
    sets: &Sets,
) -> Option<(&'static str, String, JsonMap<String, Json>)> {
    if fact.is_tombstone() {
        let kind = match fact.group.as_ref() {
            group::LIFECYCLE => "node_ended",
            _ => "node_changed",
        };
        return Some((kind, format!("{} ended", fact.group), JsonMap::new()));
    }
    match (fact.group.as_ref(), before) {
        (group::ALIASES, _) => None,
        (group::EDGES, None) => None,
        (group::EDGES, Some(before)) => {
            let (summary, details) = changed_edges(before, fact, sets)?;
            Some(("edges_changed", summary, details))
        }
        (group::LIFECYCLE, _) => Some(("node_appeared", "it exists".to_owned(), JsonMap::new())),
        (group, None) => Some(("node_appeared", format!("{group} is known"), JsonMap::new())),
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
