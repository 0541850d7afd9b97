//! The reads that are measured, and their parameters.

use pipeline::component::UnixNanos;

use crate::clock::{GraphClock, MINUTE};
use crate::kinds::{DATABASE, INSTANCE, INTERFACE, SECURITY_GROUP};
use crate::layout::{Layout, mix};
use crate::measure::ReadCase;
use crate::names::APPS;
use crate::pages::pages;
use crate::store::StoreQuery;
use crate::subjects::{ENDED, uid_of};

/// Maximum number of queries per case.
const SAMPLES: u64 = 200;
/// One query in this many starts at a hub.
const HUB: u64 = 25;

pub(crate) fn all(layout: &Layout, clock: &GraphClock) -> Vec<ReadCase> {
    let mut cases = walks(layout);
    cases.extend(pages(layout, None));
    cases.extend(searches(layout));
    cases.push(ReadCase::new("resourceTypes", 20, |_| {
        StoreQuery::ResourceTypes
    }));
    let to = clock.telemetry();
    let from = UnixNanos(to.0 - (MINUTE * 60).as_nanos() as u64);
    let now = UnixNanos::now();
    // A page of GraphQL has 1000 edges by default, and at most 5000.
    for (name, to, page) in [
        ("serviceMap", now, 1000),
        ("serviceMap: the largest page", now, 5000),
        ("serviceMap as of T", to, 1000),
    ] {
        let map = StoreQuery::ServiceMap(from, to, page);
        cases.push(ReadCase::new(name, 20, |_| map.clone()));
    }
    cases.extend(pages(layout, Some(clock.past())));
    cases.extend(aged());
    cases
}

fn walks(layout: &Layout) -> Vec<ReadCase> {
    let hub = |seed: u64| layout.uid(Layout::hubs()[(seed / HUB) as usize % 2]);
    let some = |seed: u64| match seed % HUB {
        0 => hub(seed),
        _ => layout.uid(layout.any(seed)),
    };
    let name = |seed: u64| {
        let of = |kind| layout.any_of(kind, seed);
        match seed % 5 {
            0 => some(seed / 5),
            1 => layout.short_id(of(INSTANCE)),
            2 => layout.private_ip(of(INTERFACE)),
            3 => layout.host(of(DATABASE)),
            _ => pipeline::uid::external(&layout.host(of(DATABASE)), Some(5432)),
        }
    };
    let unknown = |seed: u64| format!("i-0{:016x}", mix(seed ^ 77));
    let neighbors = |seed| StoreQuery::Neighbors(some(seed));
    let of_hub = |seed| StoreQuery::Neighbors(hub(seed * HUB));
    vec![
        ReadCase::new("neighbors: two hops", SAMPLES, neighbors),
        ReadCase::new("neighbors: two hops, hubs", 20, of_hub),
        ReadCase::new("node", SAMPLES, |seed| StoreQuery::Node(some(seed))),
        ReadCase::new("resolve", SAMPLES, |seed| StoreQuery::Resolve(name(seed))),
        ReadCase::new("resolve: an unknown name", SAMPLES, |seed| {
            StoreQuery::Resolve(unknown(seed))
        }),
    ]
}

fn searches(layout: &Layout) -> Vec<ReadCase> {
    let app = |seed: u64| APPS[seed as usize % APPS.len()];
    let id = |kind, seed| layout.short_id(layout.any_of(kind, seed));
    let search = |what: &str, text: &dyn Fn(u64) -> String| {
        let name = format!("search: {what}");
        ReadCase::new(name, SAMPLES / 2, |seed| StoreQuery::Search(text(seed)))
    };
    vec![
        search("name", &|seed| layout.name(layout.any(seed))),
        search("prefix", &|seed| format!("{}-wo", app(seed))),
        search("part", &|seed| app(seed)[1..].to_owned()),
        search("id", &|seed| id(SECURITY_GROUP, seed)),
        search("end of a uid", &|seed| {
            let id = id(INSTANCE, seed);
            id[id.len() - 8..].to_owned()
        }),
        search("tag", &|seed| format!("team-{:02}", seed % 40)),
        search("two letters", &|seed| app(seed)[..2].to_owned()),
        search("no match", &|seed| format!("zzq-{:08x}", mix(seed) as u32)),
        search("best matches have ended", &|_| ENDED.to_owned()),
    ]
}

/// Reads of the current state of nodes with a long history (in a fresh graph, without history).
fn aged() -> Vec<ReadCase> {
    let case = |name: &str, query: StoreQuery| ReadCase::new(name, 50, |_| query.clone());
    let [states, snapshots, busy] = ["many-states", "many-snapshots", "busy"].map(uid_of);
    let member = |seed| format!("many-runs-{}", seed % 10);
    vec![
        case("many states: node", StoreQuery::Node(states.clone())),
        case("many states: neighbors", StoreQuery::Neighbors(states)),
        case(
            "many states: resolve",
            StoreQuery::Resolve("many-states".to_owned()),
        ),
        case(
            "many snapshots: edges",
            StoreQuery::EdgesFrom(snapshots.clone()),
        ),
        case(
            "many snapshots: neighbors",
            StoreQuery::Neighbors(snapshots),
        ),
        ReadCase::new("many runs: node", 50, |seed| {
            StoreQuery::Node(uid_of(&member(seed)))
        }),
        ReadCase::new("many runs: resolve", 50, |seed| {
            StoreQuery::Resolve(member(seed))
        }),
        case("many edges in: node", StoreQuery::Node(busy.clone())),
        case("many edges in: a page", StoreQuery::EdgesInto(busy.clone())),
        case("many edges in: neighbors", StoreQuery::Neighbors(busy)),
    ]
}
