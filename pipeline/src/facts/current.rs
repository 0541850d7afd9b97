//! What is current of a uid.

use std::collections::BTreeMap;

use super::completions::Completions;
use super::fact::{Content, Fact, group};
use crate::attributes::{Map, map_to_json};
use crate::component::UnixNanos;
use crate::graph_store::{self, At, Node};
use crate::uid;

/// The facts of one uid that win at a moment.
#[derive(Debug)]
pub struct Current<'f, 'a> {
    uid: &'f str,
    /// The winner of each group that has one, and when it was last seen; no tombstones.
    pub groups: BTreeMap<&'f str, (&'f Fact<'a>, UnixNanos)>,
    /// When it ended; none while it exists, or where nobody says whether it does.
    pub ended: Option<UnixNanos>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

/// A fact, or the end that a completion says, as a candidate for its group.
struct Candidate<'f, 'a> {
    seen: UnixNanos,
    source: &'f str,
    hash: u64,
    scope: &'f str,
    fact: Option<&'f Fact<'a>>,
}

impl<'f, 'a> Current<'f, 'a> {
    /// Of all facts of one uid; none where nothing was known of it at the moment.
    pub fn of(facts: &'f [Fact<'a>], completions: &Completions, at: At) -> Option<Current<'f, 'a>> {
        let uid = facts.first()?.uid.as_ref();
        let uid_hash = uid::hash(uid);
        let mut candidates: BTreeMap<&str, Vec<Candidate<'f, 'a>>> = BTreeMap::new();
        let is_of_node =
            |fact: &&Fact<'_>| !matches!(fact.group.as_ref(), group::EDGES | group::ALIASES);
        let known = || facts.iter().filter(is_of_node);
        for fact in known() {
            let Some(own) = fact.seen(at) else { continue };
            let mut seen = own;
            if !fact.scope.is_empty() && !fact.is_tombstone() {
                for scans in completions.of(fact.scan()) {
                    let Some(began) = scans.at(at) else {
                        continue;
                    };
                    match scans.members.state_of(uid_hash) {
                        Some(state) if vouches(state, fact, facts, at) => seen = seen.max(began),
                        None if began >= fact.first_seen => candidates
                            .entry(ends(&fact.group))
                            .or_default()
                            .push(Candidate::end(fact, began)),
                        _ => {}
                    }
                }
            }
            candidates
                .entry(&fact.group)
                .or_default()
                .push(Candidate::of(fact, seen));
        }
        let first_seen = known().filter(|fact| fact.seen(at).is_some());
        let first_seen = first_seen.map(|fact| fact.first_seen).min()?;
        let ended = candidates
            .get(group::LIFECYCLE)
            .and_then(|lifecycle| ended(lifecycle, facts, completions, uid_hash));
        let winners = candidates.iter().filter_map(|(group, candidates)| {
            let winner = candidates.iter().max_by_key(|candidate| candidate.rank())?;
            let fact = winner.fact.filter(|fact| !fact.is_tombstone())?;
            Some((*group, (fact, winner.seen)))
        });
        let last_seen = candidates
            .values()
            .flatten()
            .filter(|candidate| candidate.fact.is_some_and(|fact| !fact.is_tombstone()));
        let last_seen = last_seen.map(|candidate| candidate.seen).max();
        let groups: BTreeMap<_, _> = winners.collect();
        // Desired of what never existed: it ends with the last that is said of it.
        let ended = ended.or_else(|| {
            let all = candidates
                .values()
                .flatten()
                .map(|candidate| candidate.seen);
            groups.is_empty().then(|| all.max()).flatten()
        });
        Some(Current {
            uid,
            groups,
            ended,
            first_seen,
            last_seen: last_seen.unwrap_or(first_seen),
        })
    }

    pub fn node(&self) -> Node {
        /// Whose word counts on what a node is called: what is there, then what should be.
        const ORDER: [&str; 4] = [
            group::ACTUAL,
            group::LIFECYCLE,
            group::DESIRED,
            group::TELEMETRY,
        ];
        let contents = || {
            let ordered = ORDER.iter().filter_map(|group| self.groups.get(group));
            ordered.map(|(fact, _)| &fact.content)
        };
        let said = |of: fn(&Content<'_>) -> Option<String>| contents().find_map(of);
        let facts = self.groups.iter().filter_map(|(group, (fact, seen))| {
            let value = fact.content.value.as_deref()?;
            let fact = graph_store::Fact {
                source: fact.source.clone().into_owned(),
                value: map_to_json(Map::new(value)),
                first_seen: fact.first_seen,
                last_seen: *seen,
            };
            Some(((*group).to_owned(), fact))
        });
        Node {
            uid: self.uid.to_owned(),
            kind: said(|content| content.kind.as_deref().map(str::to_owned))
                .unwrap_or_else(|| "unknown".to_owned()),
            name: said(|content| content.name.as_deref().map(str::to_owned)),
            provider: said(|content| content.provider.as_deref().map(str::to_owned)),
            account: said(|content| content.account.as_deref().map(str::to_owned)),
            region: said(|content| content.region.as_deref().map(str::to_owned)),
            tags: contents()
                .find_map(|content| content.tags.as_deref())
                .map(|tags| map_to_json(Map::new(tags)))
                .unwrap_or_default(),
            facts: facts.collect(),
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            ended: self.ended,
            unobserved_since: None,
        }
    }
}

impl<'f, 'a> Candidate<'f, 'a> {
    fn of(fact: &'f Fact<'a>, seen: UnixNanos) -> Candidate<'f, 'a> {
        Candidate {
            seen,
            source: &fact.source,
            hash: fact.hash,
            scope: &fact.scope,
            fact: Some(fact),
        }
    }

    fn end(fact: &'f Fact<'a>, began: UnixNanos) -> Candidate<'f, 'a> {
        Candidate {
            seen: began,
            source: &fact.source,
            hash: Fact::TOMBSTONE,
            scope: &fact.scope,
            fact: None,
        }
    }

    fn rank(&self) -> (UnixNanos, &'f str, u64, &'f str) {
        (self.seen, self.source, self.hash, self.scope)
    }

    fn is_end(&self) -> bool {
        self.hash == Fact::TOMBSTONE
    }
}

/// The group that ends when a scan no longer sees a uid: its existence, or what was desired.
fn ends(group: &str) -> &'static str {
    match group {
        group::DESIRED => group::DESIRED,
        _ => group::LIFECYCLE,
    }
}

/// Whether a scan that saw the uid in this state saw this fact.
fn vouches(state: u64, fact: &Fact<'_>, facts: &[Fact<'_>], at: At) -> bool {
    if fact.group == group::LIFECYCLE || state == fact.hash {
        return true;
    }
    // The scan does not know the state: then nothing has changed that it would have told.
    let told = facts.iter().filter(|other| {
        other.group == fact.group && other.source == fact.source && other.scope == fact.scope
    });
    let newest = told
        .filter_map(|other| Some((other.seen(at)?, other.hash)))
        .max();
    state == 0 && newest.is_some_and(|(_, hash)| hash == fact.hash)
}

/// When the existence ended, where the last word on it is that it did: at the first end that is
/// later than every sighting.
fn ended(
    lifecycle: &[Candidate<'_, '_>],
    facts: &[Fact<'_>],
    completions: &Completions,
    uid: u64,
) -> Option<UnixNanos> {
    let winner = lifecycle.iter().max_by_key(|candidate| candidate.rank())?;
    if !winner.is_end() {
        return None;
    }
    let alive = lifecycle.iter().filter(|candidate| !candidate.is_end());
    let alive = alive.map(|candidate| candidate.seen).max();
    let alive = alive.unwrap_or_default();
    let scans = facts.iter().filter(|fact| !fact.scope.is_empty());
    let by_scans = scans.filter_map(|fact| {
        (ends(&fact.group) == group::LIFECYCLE)
            .then(|| completions.first_without(fact.scan(), uid, alive))?
    });
    let tombstones = facts
        .iter()
        .filter(|fact| fact.group == group::LIFECYCLE && fact.is_tombstone());
    let told = tombstones.flat_map(|fact| [fact.first_seen, fact.last_seen]);
    let later = by_scans.chain(told).filter(|end| *end > alive);
    Some(later.min().map_or(winner.seen, |end| end.min(winner.seen)))
}

/// The newest set of a group that each source tells of a uid: its hash and when it was first and
/// last seen, by source. `facts` are all of the uid's.
pub fn newest_sets<'f>(
    facts: &'f [Fact<'_>],
    group: &str,
    completions: &Completions,
    at: At,
) -> BTreeMap<&'f str, (u64, UnixNanos, UnixNanos)> {
    let mut newest: BTreeMap<&str, (u64, UnixNanos, UnixNanos)> = BTreeMap::new();
    for set in facts.iter().filter(|fact| fact.group == group) {
        let Some(own) = set.seen(at) else { continue };
        let seen = vouched(set, facts, completions, at).map_or(own, |began| own.max(began));
        let best = newest.entry(&set.source);
        let candidate = (set.hash, set.first_seen, seen);
        best.and_modify(|best| {
            if (best.2, best.0) < (seen, set.hash) {
                *best = candidate;
            }
        })
        .or_insert(candidate);
    }
    newest
}

/// When the last scan began that saw the uid in the state that the set is of.
fn vouched(
    set: &Fact<'_>,
    facts: &[Fact<'_>],
    completions: &Completions,
    at: At,
) -> Option<UnixNanos> {
    if completions.is_empty() {
        return None;
    }
    let uid = uid::hash(&set.uid);
    let scanned = facts
        .iter()
        .filter(|fact| !fact.scope.is_empty() && fact.source == set.source);
    let scans = scanned.flat_map(|fact| completions.of(fact.scan()));
    let scans = scans
        .filter(|scans| scans.members.state_of(uid) == Some(set.hash))
        .filter_map(|scans| scans.at(at));
    scans.max()
}
