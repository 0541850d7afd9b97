//! What is known from the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use pipeline::SignalSet;
use pipeline::claims::Class;
use pipeline::component::{Host, Processor, StoreRef, UnixNanos};
use pipeline::graph_store::{
    AliasesPage, At, ClaimInfo, Commit, Direction, Edge, EdgeFigures, Fact, GraphStore, KindCount,
    Node, NodeFilter, OtherName, ScannedPage, Search, SearchResult, StoreError, TimelineEntry,
};
use pipeline::registry::BuildProcessor;
use tokio::sync::broadcast;

use super::super::{Config, Impact};
use super::telling::{complete, scanned, scanned_names, seen};
use super::{at, tell, touched};

/// A store that keeps a small graph, or fails.
#[derive(Debug)]
struct Stored {
    fails: bool,
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

fn edge(from: &str, kind: &str, to: &str, is_of_set: bool) -> Edge {
    let source = if is_of_set { "aws" } else { "otlp" };
    Edge {
        from: from.to_owned(),
        kind: kind.to_owned(),
        to: to.to_owned(),
        source: source.to_owned(),
        is_of_set,
        confidence: 1.0,
        properties: serde_json::Map::new(),
        first_seen: at(1),
        last_seen: at(5),
    }
}

#[async_trait]
impl GraphStore for Stored {
    async fn list(
        &self,
        _: &NodeFilter,
        _: Option<&str>,
        _: usize,
        _: At,
    ) -> Result<Vec<Node>, StoreError> {
        if self.fails {
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
        _: At,
    ) -> Result<Vec<Edge>, StoreError> {
        Ok(vec![
            edge("cart", "CALLS", "i-1", false),
            edge("i-1", "PART_OF", "subnet", true),
            edge("i-1", "SECURED_BY", "sg", true),
            edge("i-2", "SECURED_BY", "sg", true),
        ])
    }

    async fn aliases_of(&self, uids: &[String], _: At) -> Result<Vec<Vec<OtherName>>, StoreError> {
        let name = OtherName {
            kind: "same_as".to_owned(),
            value: "ext://db:5432".to_owned(),
            scope: None,
            valid_from: None,
            valid_to: None,
        };
        let names = uids.iter().map(|uid| (uid == "i-2").then(|| name.clone()));
        Ok(names.map(|names| names.into_iter().collect()).collect())
    }

    async fn scanned(
        &self,
        source: &str,
        after: Option<&str>,
        _: usize,
    ) -> Result<ScannedPage, StoreError> {
        unreachable!("what {source} scanned is in the claims, also after {after:?}")
    }

    async fn claims(&self, uids: &[String]) -> Result<Vec<Vec<ClaimInfo>>, StoreError> {
        let claim = ClaimInfo {
            class: Class::Actual,
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
        _: &[&str],
        _: Option<&str>,
        _: usize,
    ) -> Result<AliasesPage, StoreError> {
        Ok(AliasesPage::default())
    }

    async fn resolve(&self, _: &[String], _: At) -> Result<Vec<Vec<String>>, StoreError> {
        Ok(Vec::new())
    }

    async fn nodes(&self, _: &[String], _: At) -> Result<Vec<Option<Node>>, StoreError> {
        Ok(Vec::new())
    }

    async fn kinds_of(&self, _: &[String], _: At) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    async fn count_kinds(&self, _: At) -> Result<Vec<KindCount>, StoreError> {
        Ok(Vec::new())
    }

    async fn search(&self, _: &Search, _: usize, _: At) -> Result<SearchResult, StoreError> {
        Ok(SearchResult::default())
    }

    async fn edge_figures(
        &self,
        _: UnixNanos,
        _: UnixNanos,
    ) -> Result<Vec<EdgeFigures>, StoreError> {
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

/// Built as beside an exporter that keeps this graph.
fn built(fails: bool) -> Impact {
    let id = || "sqlite".parse().unwrap();
    let host = Host::new(id(), SignalSet::ALL, Arc::default());
    host.provide_graph_store(Arc::new(Stored { fails }));
    let config = Config {
        store: Some(StoreRef(id())),
        ..Config::default()
    };
    Impact::build(config, &host).unwrap()
}

async fn started() -> Impact {
    let mut impact = built(false);
    impact.start().await.unwrap();
    impact
}

#[tokio::test]
async fn what_a_store_keeps_is_known_from_the_start() {
    let mut impact = started().await;
    assert_eq!(touched(&mut impact, "sg", 10), ["i-1", "i-2", "cart"]);
    assert_eq!(impact.graph.len(), 5, "with the subnet");
}

#[tokio::test]
async fn what_was_read_is_replaced_by_what_is_told() {
    let mut impact = started().await;
    for batch in scanned("s", 20, ("i-1", 8), "other") {
        tell(&mut impact, batch);
    }
    assert_eq!(touched(&mut impact, "sg", 30), ["i-2"]);
    tell(&mut impact, complete("s", 30, &["i-1", "sg"]));
    assert_eq!(touched(&mut impact, "sg", 40), [""; 0], "i-2 has ended");
}

#[tokio::test]
async fn a_sighting_that_was_read_holds_no_longer_than_others() {
    let mut impact = started().await;
    let day = 24 * 60 * 60;
    assert_eq!(touched(&mut impact, "i-1", day), ["cart"]);
    assert_eq!(touched(&mut impact, "i-1", day + 6), [""; 0]);
}

#[tokio::test]
async fn names_that_were_read_join_what_comes() {
    let mut impact = started().await;
    tell(&mut impact, seen("mail", "CALLS", "ext://db:5432", 20));
    assert_eq!(touched(&mut impact, "i-2", 30), ["mail"]);
    for batch in scanned("s", 30, ("i-2", 8), "sg") {
        tell(&mut impact, batch);
    }
    tell(
        &mut impact,
        scanned_names("s", 30, ("i-2", 8), ("id", "i-2")),
    );
    assert_eq!(touched(&mut impact, "i-2", 40), [""; 0]);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_with_its_key() {
    let told = built(true).start().await.unwrap_err().to_string();
    assert_eq!(
        told,
        "cannot read the graph of sqlite (processors.sqlite.store)"
    );
}
