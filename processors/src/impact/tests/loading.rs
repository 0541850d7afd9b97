//! Loading the graph from a store at the start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use pipeline::SignalSet;
use pipeline::claims::ClaimClass;
use pipeline::component::{Host, Processor, StoreRef, UnixNanos};
use pipeline::graph_store::{
    AliasesPage, AsOf, ClaimInfo, Commit, Direction, Edge, EdgeStats, Fact, GraphAlias, GraphStore,
    KindCount, KnownAlias, Neighborhood, NeighborhoodQuery, Node, NodeFilter, ScannedPage,
    SearchQuery, SearchResult, StoreError, TimelineEntry,
};
use pipeline::registry::BuildProcessor;
use pipeline::schema;
use tokio::sync::broadcast;

use super::batches::{drift, fact, observed_edge, scan, scan_aliases, scan_completion, scan_rows};
use super::{affected, apply, at, column_values, drift_impact};
use crate::impact::{Config, Impact};
use crate::test_store::{GatedBackend, TestProcess, provide_store, write};

/// A store with a small fixed graph.
#[derive(Debug)]
struct SmallGraphStore {
    /// How many of the next calls of `list` fail.
    failures: AtomicUsize,
}

fn node(uid: &str, kind: &str, is_scanned: bool) -> Node {
    let fact = Fact {
        source: "aws".to_owned(),
        value: serde_json::Map::new(),
        first_seen: at(1),
        last_seen: at(5),
    };
    let groups: &[&str] = match is_scanned {
        true => &["lifecycle", "actual"],
        false => &["telemetry"],
    };
    let facts: BTreeMap<_, _> = groups
        .iter()
        .map(|group| ((*group).to_owned(), fact.clone()))
        .collect();
    Node {
        uid: uid.to_owned(),
        kind: kind.to_owned(),
        name: None,
        provider: None,
        account: None,
        region: None,
        tags: serde_json::Map::new(),
        facts,
        first_seen: at(1),
        last_seen: at(5),
        ended: None,
        unobserved_since: None,
    }
}

fn edge(from: &str, kind: &str, to: &str, is_of_snapshot: bool) -> Edge {
    let source = if is_of_snapshot { "aws" } else { "otlp" };
    Edge {
        from: from.to_owned(),
        kind: kind.to_owned(),
        to: to.to_owned(),
        source: source.to_owned(),
        is_of_snapshot,
        confidence: 1.0,
        properties: serde_json::Map::new(),
        first_seen: at(1),
        last_seen: at(5),
    }
}

#[async_trait]
impl GraphStore for SmallGraphStore {
    async fn list(
        &self,
        _: &NodeFilter,
        _: Option<&str>,
        _: usize,
        _: AsOf,
    ) -> Result<Vec<Node>, StoreError> {
        let decrement = |left: usize| left.checked_sub(1);
        let order = Ordering::Relaxed;
        if self.failures.fetch_update(order, order, decrement).is_ok() {
            return Err(StoreError::new("list nodes", std::io::Error::other("gone")));
        }
        Ok(vec![
            node("cart", "service", false),
            node("i-1", "AWS::EC2::Instance", true),
            node("i-2", "AWS::EC2::Instance", true),
            node("sg", "AWS::EC2::SecurityGroup", true),
        ])
    }

    async fn edges(
        &self,
        _: &[String],
        _: Direction,
        _: &[String],
        _: usize,
        _: AsOf,
    ) -> Result<Vec<Edge>, StoreError> {
        Ok(vec![
            edge("cart", "CALLS", "i-1", false),
            edge("i-1", "PART_OF", "subnet", true),
            edge("i-1", "SECURED_BY", "sg", true),
            edge("i-2", "SECURED_BY", "sg", true),
        ])
    }

    async fn aliases_of(
        &self,
        uids: &[String],
        _: AsOf,
    ) -> Result<Vec<Vec<GraphAlias>>, StoreError> {
        unreachable!("the processor reads names by pages, not of {uids:?}")
    }

    async fn scanned(
        &self,
        source: &str,
        after: Option<&str>,
        _: usize,
    ) -> Result<ScannedPage, StoreError> {
        unreachable!("the processor reads claims, not the scans of {source} after {after:?}")
    }

    async fn claims(&self, uids: &[String]) -> Result<Vec<Vec<ClaimInfo>>, StoreError> {
        let claim = ClaimInfo {
            class: ClaimClass::Actual,
            source: "aws".to_owned(),
            scope: Some("s".to_owned()),
            since: at(1),
            until: None,
            state: 7,
            last_seen: at(5),
        };
        let claims = uids.iter().map(|uid| match uid.as_str() {
            "cart" => Vec::new(),
            _ => vec![claim.clone()],
        });
        Ok(claims.collect())
    }

    async fn aliases(
        &self,
        kinds: &[&str],
        _: Option<&str>,
        _: usize,
    ) -> Result<AliasesPage, StoreError> {
        assert_eq!(kinds, ["same_as"]);
        let alias = KnownAlias {
            uid: "i-2".to_owned(),
            source: "aws".to_owned(),
            is_of_snapshot: true,
            kind: "same_as".to_owned(),
            value: "ext://db:5432".to_owned(),
            scope: None,
            since: at(1),
            until: None,
        };
        Ok(AliasesPage {
            aliases: vec![alias],
            last: None,
        })
    }

    async fn resolve(&self, _: &[String], _: AsOf) -> Result<Vec<Vec<String>>, StoreError> {
        Ok(Vec::new())
    }

    async fn nodes(&self, _: &[String], _: AsOf) -> Result<Vec<Option<Node>>, StoreError> {
        Ok(Vec::new())
    }

    async fn kinds_of(&self, _: &[String], _: AsOf) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    async fn count_kinds(&self, _: AsOf) -> Result<Vec<KindCount>, StoreError> {
        Ok(Vec::new())
    }

    async fn search(&self, _: &SearchQuery, _: usize, _: AsOf) -> Result<SearchResult, StoreError> {
        Ok(SearchResult::default())
    }

    async fn neighborhood(
        &self,
        _: &str,
        _: &NeighborhoodQuery<'_>,
        _: AsOf,
    ) -> Result<Option<Neighborhood>, StoreError> {
        Ok(None)
    }

    async fn edge_stats(&self, _: UnixNanos, _: UnixNanos) -> Result<Vec<EdgeStats>, StoreError> {
        Ok(Vec::new())
    }

    async fn timeline(
        &self,
        _: &str,
        _: UnixNanos,
        _: UnixNanos,
        _: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        Ok(Vec::new())
    }

    fn commits(&self) -> broadcast::Receiver<Arc<Commit>> {
        broadcast::Sender::new(1).subscribe()
    }
}

/// A processor beside an exporter `sqlite` that has the small graph.
fn build(failures: usize) -> Impact {
    let id = || "sqlite".parse().unwrap();
    let host = Host::new(id(), SignalSet::ALL, Arc::default());
    host.provide_graph_store(Arc::new(SmallGraphStore {
        failures: AtomicUsize::new(failures),
    }));
    let config = Config {
        store: Some(StoreRef(id())),
        ..Config::default()
    };
    Impact::build(config, &host).unwrap()
}

async fn build_and_load() -> Impact {
    let mut impact = build(0);
    impact.load().await;
    impact
}

#[tokio::test]
async fn stored_graph_is_loaded_at_the_start() {
    let mut impact = build_and_load().await;
    assert_eq!(affected(&mut impact, "sg", 10), ["i-1", "i-2", "cart"]);
    assert_eq!(impact.graph.len(), 5, "four listed nodes and the subnet");
}

#[tokio::test]
async fn later_reports_replace_loaded_snapshots() {
    let mut impact = build_and_load().await;
    for batch in scan_rows("s", 20, ("i-1", 8), "other") {
        apply(&mut impact, batch);
    }
    assert_eq!(affected(&mut impact, "sg", 30), ["i-2"]);
    apply(&mut impact, scan_completion("s", 30, &["i-1", "sg"]));
    assert_eq!(affected(&mut impact, "sg", 40), [""; 0], "i-2 ended");
}

#[tokio::test]
async fn loaded_observation_expires_like_any_other() {
    let mut impact = build_and_load().await;
    let day = 24 * 60 * 60;
    assert_eq!(affected(&mut impact, "i-1", day), ["cart"]);
    assert_eq!(affected(&mut impact, "i-1", day + 6), [""; 0]);
}

#[tokio::test]
async fn loaded_names_join_later_edges() {
    let mut impact = build_and_load().await;
    apply(
        &mut impact,
        observed_edge("mail", "CALLS", "ext://db:5432", 20),
    );
    assert_eq!(affected(&mut impact, "i-2", 30), ["mail"]);
    for batch in scan_rows("s", 30, ("i-2", 8), "sg") {
        apply(&mut impact, batch);
    }
    apply(
        &mut impact,
        scan_aliases("s", 30, ("i-2", 8), ("id", "i-2")),
    );
    assert_eq!(affected(&mut impact, "i-2", 40), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn failed_page_is_read_again() {
    let mut impact = build(3);
    impact.load().await;
    assert_eq!(affected(&mut impact, "sg", 10), ["i-1", "i-2", "cart"]);
    assert_eq!(drift_impact(&mut impact, "sg", 10)["truncated"], false);
}

#[tokio::test(start_paused = true)]
async fn impacts_are_truncated_when_loading_times_out() {
    let mut impact = build(usize::MAX);
    impact.load().await;
    apply(
        &mut impact,
        scan("s", 10, &[("sg", "AWS::EC2::SecurityGroup")]),
    );
    assert_eq!(drift_impact(&mut impact, "sg", 20)["truncated"], true);
}

#[tokio::test]
async fn drift_that_arrives_while_loading_gets_its_whole_impact() {
    let backend = GatedBackend::default();
    let batches = scan_rows("s", 10, ("i-1", 7), "sg");
    write(&backend, &batches, at(20)).await;
    let host = Host::new("sqlite".parse().unwrap(), SignalSet::ALL, Arc::default());
    provide_store(&backend, &host);
    let config = Config {
        store: Some(StoreRef("sqlite".parse().unwrap())),
        ..Config::default()
    };
    let impact = Impact::build(config, &host).unwrap();
    let mut process = TestProcess::start(impact, vec![drift(&[Some("sg")])]);
    process.assert_waits().await;
    backend.gate.cancel();
    process.assert_delivers().await;
    let impact = column_values(&process.captured.batches()[0], schema::drift::IMPACT).remove(0);
    assert_eq!(
        (&impact["count"], &impact["truncated"]),
        (&1.into(), &false.into())
    );
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn edge_that_another_process_observes_again_does_not_expire() {
    let hour = 60 * 60;
    let backend = GatedBackend::default();
    backend.gate.cancel();
    let cart = || fact("cart", "telemetry", "observed", "service", 1);
    write(
        &backend,
        &[cart(), observed_edge("cart", "CALLS", "i-1", 1)],
        at(1),
    )
    .await;
    let host = Host::new("sqlite".parse().unwrap(), SignalSet::ALL, Arc::default());
    provide_store(&backend, &host);
    let config = Config {
        store: Some(StoreRef("sqlite".parse().unwrap())),
        ..Config::default()
    };
    let mut impact = Impact::build(config, &host).unwrap();
    impact.load().await;
    let again = [observed_edge("cart", "CALLS", "i-1", 20 * hour)];
    write(&backend, &again, at(20 * hour)).await;
    impact.tick(at(24 * hour - 60));
    impact.wake().await;
    impact.tick(at(24 * hour - 59));
    assert_eq!(affected(&mut impact, "i-1", 25 * hour), ["cart"]);
    impact.tick(at(44 * hour + 60));
    assert_eq!(affected(&mut impact, "i-1", 44 * hour + 60), [""; 0]);
}
