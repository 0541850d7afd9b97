//! Finds events in the history of a node, from the intervals of its claims. All functions are pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::claims::{
    Claim, ClaimClass, ClaimInterval, Existence, IntervalEnd, LastScan, PointKind, Removal,
    SourceKey, existence,
};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::hash::hash_of;
use crate::schema::nodes::group;
use crate::store::rows::NodeId;

/// The group of events about edges.
pub(super) const EDGES: &str = "edges";

/// An event in the history of a node.
#[derive(Clone, Debug)]
pub(super) struct NodeEvent {
    pub(super) time: UnixNanos,
    /// Unique and stable. It orders events of the same time.
    pub(super) id: String,
    pub(super) node: NodeId,
    pub(super) group: &'static str,
    pub(super) source: Arc<str>,
    pub(super) kind: EventKind,
}

/// What happened to a node.
#[derive(Clone, Debug)]
pub(super) enum EventKind {
    /// A source began to report the node.
    Appeared,
    /// The node was deleted.
    Ended,
    /// No source observes the node any more, so it is unknown whether it exists.
    Unobserved,
    /// The source no longer reports the group.
    GroupEnded,
    /// The state that a source reports changed. The values of the two states may still be equal.
    State {
        before: Option<(SourceKey, u64)>,
        now: (SourceKey, u64),
    },
}

/// Returns all possible events of a node in a period. Of the events in which the node ended or became unobserved, it
/// returns only the newest `limit`.
pub(super) fn events(
    node: (NodeId, &str),
    claims: &[Claim],
    scans: &impl LastScan,
    period: &Range<UnixNanos>,
    limit: usize,
) -> Vec<NodeEvent> {
    let mut events = appearances(node, claims);
    events.extend(ends(node, claims, scans, period, limit));
    for (group, classes) in [
        (
            group::ACTUAL,
            &[ClaimClass::Actual, ClaimClass::Created][..],
        ),
        (group::DESIRED, &[ClaimClass::Desired]),
        (group::TELEMETRY, &[ClaimClass::Telemetry]),
        (group::HEALTH, &[ClaimClass::Health]),
        (EDGES, &[ClaimClass::Actual]),
        (EDGES, &[ClaimClass::Desired]),
        (EDGES, &[ClaimClass::Edges]),
    ] {
        events.extend(states(node, claims, group, classes));
    }
    events.retain(|event| period.contains(&event.time));
    events
}

/// Returns the non-empty intervals of claims, ordered by begin.
fn non_empty_intervals<'c>(claims: &[&'c Claim]) -> Vec<(&'c Claim, &'c ClaimInterval)> {
    let all = claims.iter().flat_map(|claim| {
        let intervals = claim.intervals.iter().filter(|it| !it.is_empty());
        intervals.map(|interval| (*claim, interval))
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(claim, interval)| (interval.since, &claim.key));
    all
}

/// Groups the claims of matching classes by source.
fn by_source(
    claims: &[Claim],
    matches: impl Fn(ClaimClass) -> bool,
) -> BTreeMap<Arc<str>, Vec<&Claim>> {
    let mut of: BTreeMap<Arc<str>, Vec<&Claim>> = BTreeMap::new();
    for claim in claims.iter().filter(|claim| matches(claim.key.class)) {
        of.entry(claim.key.source.clone()).or_default().push(claim);
    }
    of
}

/// Returns an event each time a source begins to report the existence of the node.
fn appearances((node, uid): (NodeId, &str), claims: &[Claim]) -> Vec<NodeEvent> {
    let mut events = Vec::new();
    for (source, claims) in by_source(claims, ClaimClass::is_lifecycle) {
        let mut seen_until: Option<UnixNanos> = None;
        for (_, interval) in non_empty_intervals(&claims) {
            let time = interval.since;
            if seen_until.is_none_or(|until| until < time) {
                events.push(NodeEvent {
                    time,
                    id: event_id(group::LIFECYCLE, &source, uid, "", time),
                    node,
                    group: group::LIFECYCLE,
                    source: source.clone(),
                    kind: EventKind::Appeared,
                });
            }
            let until = interval
                .until
                .map_or(UnixNanos(u64::MAX), |(until, _)| until);
            seen_until = seen_until.max(Some(until));
        }
    }
    events
}

/// Returns the newest `limit` events of a period in which the node ended or became unobserved.
fn ends(
    (node, uid): (NodeId, &str),
    claims: &[Claim],
    scans: &impl LastScan,
    period: &Range<UnixNanos>,
    limit: usize,
) -> Vec<NodeEvent> {
    let lifecycle = claims.iter().filter(|claim| claim.key.class.is_lifecycle());
    let removals = lifecycle.flat_map(|claim| {
        let ends = claim.intervals.iter().filter_map(|interval| {
            let (until, ending) = interval.until?;
            matches!(ending, IntervalEnd::Removed(_)).then_some(until)
        });
        let points = claim.intervals.iter().flat_map(|interval| &interval.points);
        let deleted = points.filter(|it| {
            matches!(
                it.kind,
                PointKind::Deleted | PointKind::Removed(Removal::Deleted)
            )
        });
        let times = ends.chain(deleted.map(|point| point.time));
        times.map(|time| (time, claim.key.source.clone()))
    });
    let removals: BTreeMap<UnixNanos, Arc<str>> =
        removals.filter(|(time, _)| *time >= period.start).collect();
    let mut emitted = BTreeSet::new();
    let mut events = Vec::new();
    for (time, source) in removals.iter().rev() {
        let (time, kind) = match existence(claims, scans, AsOf::Time(*time)) {
            Existence::Ended(time) => (time, EventKind::Ended),
            Existence::Unobserved(since) if since == *time => (since, EventKind::Unobserved),
            _ => continue,
        };
        if events.len() >= limit || !period.contains(&time) || !emitted.insert(time) {
            continue;
        }
        let source = removals.get(&time).unwrap_or(source);
        events.push(NodeEvent {
            time,
            id: event_id(group::LIFECYCLE, source, uid, "end", time),
            node,
            group: group::LIFECYCLE,
            source: source.clone(),
            kind,
        });
    }
    events
}

/// Returns the changes of state. The state before a change is the last one of the same claim; if there is none, the
/// last one of another claim of the source.
fn states(
    (node, uid): (NodeId, &str),
    claims: &[Claim],
    group: &'static str,
    classes: &[ClaimClass],
) -> Vec<NodeEvent> {
    let mut events = Vec::new();
    for (source, claims) in by_source(claims, |class| classes.contains(&class)) {
        let mut of_claim: HashMap<&SourceKey, &ClaimInterval> = HashMap::new();
        let mut last: Option<(&SourceKey, &ClaimInterval)> = None;
        for (claim, interval) in non_empty_intervals(&claims) {
            let key = &claim.key;
            let same_claim = of_claim.insert(key, interval);
            let before = same_claim.map(|before| (key, before)).or(last);
            last = Some((key, interval));
            let has_ended = |(_, it): &(&SourceKey, &ClaimInterval)| {
                group == group::DESIRED && it.until.is_some_and(|(until, _)| until < interval.since)
            };
            let before = before.filter(|before| !has_ended(before));
            let claim_id = format!("{:?}/{}", key.class, key.scope);
            events.push(NodeEvent {
                time: interval.since,
                id: event_id(group, &source, uid, &claim_id, interval.since),
                node,
                group,
                source: source.clone(),
                kind: EventKind::State {
                    before: before.map(|(key, it)| (key.clone(), it.state)),
                    now: (key.clone(), interval.state),
                },
            });
            if group == group::DESIRED
                && let Some((until, IntervalEnd::Removed(_))) = interval.until
            {
                events.push(NodeEvent {
                    time: until,
                    id: event_id(group, &source, uid, &format!("{claim_id}/end"), until),
                    node,
                    group,
                    source: source.clone(),
                    kind: EventKind::GroupEnded,
                });
            }
        }
    }
    events
}

fn event_id(group: &str, source: &str, uid: &str, claim_id: &str, time: UnixNanos) -> String {
    let time = time.0.to_le_bytes();
    let parts = [uid.as_bytes(), claim_id.as_bytes(), &time];
    format!("{group}/{source}/{:016x}", hash_of(parts.map(Some)))
}
