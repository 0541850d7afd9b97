//! What may have happened to a node, from the stretches of its claims: pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::super::rows::NodeId;
use crate::claims::{
    Claim, Class, Ending, Existence, Key, LastScan, Removal, Stretch, What as Report, existence,
};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::hash::hash_of;
use crate::schema::nodes::group;

/// Group of the entries about edges.
pub(super) const EDGES: &str = "edges";

#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) time: UnixNanos,
    /// Unique, stable, and in order for events of the same time.
    pub(super) id: String,
    pub(super) node: NodeId,
    pub(super) group: &'static str,
    pub(super) source: Arc<str>,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    /// A source saw it that had not seen it before.
    Appeared,
    Ended,
    /// Every source stopped looking.
    Unobserved,
    /// No source declares it any more.
    GroupEnded,
    /// A source reports another state than before; whether its value differs is not known yet.
    State {
        before: Option<(Key, u64)>,
        now: (Key, u64),
    },
}

/// All that may have happened to a node in a span of time; of its ends up to `limit`, the newest.
pub(super) fn events(
    node: (NodeId, &str),
    claims: &[Claim],
    scans: &impl LastScan,
    span: &Range<UnixNanos>,
    limit: usize,
) -> Vec<Event> {
    let mut events = appearances(node, claims);
    events.extend(ends(node, claims, scans, span, limit));
    for (group, classes) in [
        (group::ACTUAL, &[Class::Actual, Class::Created][..]),
        (group::DESIRED, &[Class::Desired]),
        (group::TELEMETRY, &[Class::Telemetry]),
        (group::HEALTH, &[Class::Health]),
        (EDGES, &[Class::Actual]),
        (EDGES, &[Class::Desired]),
        (EDGES, &[Class::Edges]),
    ] {
        events.extend(states(node, claims, group, classes));
    }
    events.retain(|event| span.contains(&event.time));
    events
}

/// The stretches of some claims that have a value, by when they began.
fn stretches<'c>(claims: &[&'c Claim]) -> Vec<(&'c Claim, &'c Stretch)> {
    let all = claims.iter().flat_map(|claim| {
        let stretches = claim.stretches.iter().filter(|it| !it.is_empty());
        stretches.map(|stretch| (*claim, stretch))
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(claim, stretch)| (stretch.since, &claim.key));
    all
}

fn by_source(claims: &[Claim], fits: impl Fn(Class) -> bool) -> BTreeMap<Arc<str>, Vec<&Claim>> {
    let mut of: BTreeMap<Arc<str>, Vec<&Claim>> = BTreeMap::new();
    for claim in claims.iter().filter(|claim| fits(claim.key.class)) {
        of.entry(claim.key.source.clone()).or_default().push(claim);
    }
    of
}

fn appearances((node, uid): (NodeId, &str), claims: &[Claim]) -> Vec<Event> {
    let mut events = Vec::new();
    for (source, claims) in by_source(claims, Class::is_lifecycle) {
        let mut seen_until: Option<UnixNanos> = None;
        for (_, stretch) in stretches(&claims) {
            let time = stretch.since;
            if seen_until.is_none_or(|until| until < time) {
                events.push(Event {
                    time,
                    id: id(group::LIFECYCLE, &source, uid, "", time),
                    node,
                    group: group::LIFECYCLE,
                    source: source.clone(),
                    what: What::Appeared,
                });
            }
            let until = stretch
                .until
                .map_or(UnixNanos(u64::MAX), |(until, _)| until);
            seen_until = seen_until.max(Some(until));
        }
    }
    events
}

/// When it ended for all, or was no longer observed by any.
fn ends(
    (node, uid): (NodeId, &str),
    claims: &[Claim],
    scans: &impl LastScan,
    span: &Range<UnixNanos>,
    limit: usize,
) -> Vec<Event> {
    let lifecycle = claims.iter().filter(|claim| claim.key.class.is_lifecycle());
    let removals = lifecycle.flat_map(|claim| {
        let ends = claim.stretches.iter().filter_map(|stretch| {
            let (until, ending) = stretch.until?;
            matches!(ending, Ending::Removed(_)).then_some(until)
        });
        let points = claim.stretches.iter().flat_map(|stretch| &stretch.points);
        let deleted = points
            .filter(|it| matches!(it.what, Report::Deleted | Report::Removed(Removal::Deleted)));
        let times = ends.chain(deleted.map(|point| point.time));
        times.map(|time| (time, claim.key.source.clone()))
    });
    let removals: BTreeMap<UnixNanos, Arc<str>> =
        removals.filter(|(time, _)| *time >= span.start).collect();
    let mut met = BTreeSet::new();
    let mut events = Vec::new();
    for (time, source) in removals.iter().rev() {
        let (time, what) = match existence(claims, scans, At::Time(*time)) {
            Existence::Ended(time) => (time, What::Ended),
            Existence::Unobserved(since) if since == *time => (since, What::Unobserved),
            _ => continue,
        };
        if events.len() >= limit || !span.contains(&time) || !met.insert(time) {
            continue;
        }
        let source = removals.get(&time).unwrap_or(source);
        events.push(Event {
            time,
            id: id(group::LIFECYCLE, source, uid, "end", time),
            node,
            group: group::LIFECYCLE,
            source: source.clone(),
            what,
        });
    }
    events
}

/// States that follow each other: of one claim, and of several scopes of a source where a claim has
/// none before.
fn states(
    (node, uid): (NodeId, &str),
    claims: &[Claim],
    group: &'static str,
    classes: &[Class],
) -> Vec<Event> {
    let mut events = Vec::new();
    for (source, claims) in by_source(claims, |class| classes.contains(&class)) {
        let mut of_claim: HashMap<&Key, &Stretch> = HashMap::new();
        let mut last: Option<(&Key, &Stretch)> = None;
        for (claim, stretch) in stretches(&claims) {
            let key = &claim.key;
            let own = of_claim.insert(key, stretch).map(|own| (key, own));
            let before = own.or(last);
            last = Some((key, stretch));
            let has_ended = |(_, it): &(&Key, &Stretch)| {
                group == group::DESIRED && it.until.is_some_and(|(until, _)| until < stretch.since)
            };
            let before = before.filter(|before| !has_ended(before));
            let place = format!("{:?}/{}", key.class, key.scope);
            events.push(Event {
                time: stretch.since,
                id: id(group, &source, uid, &place, stretch.since),
                node,
                group,
                source: source.clone(),
                what: What::State {
                    before: before.map(|(key, it)| (key.clone(), it.state)),
                    now: (key.clone(), stretch.state),
                },
            });
            if group == group::DESIRED
                && let Some((until, Ending::Removed(_))) = stretch.until
            {
                events.push(Event {
                    time: until,
                    id: id(group, &source, uid, &format!("{place}/end"), until),
                    node,
                    group,
                    source: source.clone(),
                    what: What::GroupEnded,
                });
            }
        }
    }
    events
}

fn id(group: &str, source: &str, uid: &str, place: &str, time: UnixNanos) -> String {
    let time = time.0.to_le_bytes();
    let parts = [uid.as_bytes(), place.as_bytes(), &time];
    format!("{group}/{source}/{:016x}", hash_of(parts.map(Some)))
}
