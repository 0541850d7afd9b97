//! Tests of search, counts, aliases and tag filters.

use crate::attributes::map_from_json;
use crate::component::UnixNanos;
use crate::graph_store::{
    AsOf, GraphStore, MatchRank, MatchedField, NodeFilter, SearchQuery, TagFilter,
};
use crate::rows::{Cell, Rows};
use crate::schema::{changes, nodes};
use crate::{Batch, Delivery, Signal};
use serde_json::json;

use super::batches::{ScanMember, alias_snapshot, edge_snapshot, fact, scan};
use super::{StoreFixture, at};

fn tagged(uid: &str, tags: &serde_json::Value, time: u64) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let tags = map_from_json(tags.as_object().unwrap());
    let cells = [
        (nodes::OP, Cell::Text("observed")),
        (nodes::GROUP, Cell::Text("actual")),
        (nodes::KIND, Cell::Text("thing")),
        (nodes::TAGS, Cell::Bytes(&tags)),
    ];
    rows.push(Some(UnixNanos(time)), Some(uid), "aws", &cells);
    rows.finish(Delivery::untracked())
}

async fn found(
    fixture: &StoreFixture,
    text: &str,
    as_of: AsOf,
) -> Vec<(String, MatchRank, MatchedField)> {
    let search = SearchQuery {
        text: text.to_owned(),
        kinds: Vec::new(),
    };
    let found = fixture.store().search(&search, 10, as_of).await.unwrap();
    let reported = found.hits.into_iter();
    reported
        .map(|it| (it.node.uid, it.rank, it.matched_field))
        .collect()
}

#[tokio::test]
async fn best_match_comes_first_and_case_is_ignored() {
    let fixture = StoreFixture::new().await;
    for (uid, name) in [
        ("a", "Old-Shop"),
        ("b", "shop-db"),
        ("c", "SHOP"),
        ("d", "Käse"),
    ] {
        fixture
            .write(fact(uid, "actual", "observed", "aws", name, 10))
            .await;
    }
    fixture
        .write(tagged("e", &json!({"team": "Shop"}), 10))
        .await;
    fixture
        .write(alias_snapshot("f", 10, &[("dns", "shop.example")]))
        .await;
    fixture
        .write(fact("f", "actual", "observed", "aws", "other", 10))
        .await;
    let by = |uid: &str, rank, field| (uid.to_owned(), rank, field);
    assert_eq!(
        found(&fixture, "shop", AsOf::Now).await,
        [
            by("c", MatchRank::Exact, MatchedField::Name),
            by("b", MatchRank::Prefix, MatchedField::Name),
            by("f", MatchRank::Prefix, MatchedField::Alias),
            by("a", MatchRank::Substring, MatchedField::Name),
            by("e", MatchRank::Tag, MatchedField::Tag),
        ]
    );
    assert_eq!(
        found(&fixture, "KÄSE", AsOf::Now).await,
        [by("d", MatchRank::Exact, MatchedField::Name)]
    );
    assert_eq!(found(&fixture, "nothing", AsOf::Now).await, []);
    assert_eq!(found(&fixture, "shop", at(5)).await, []);
}

#[tokio::test]
async fn ended_or_renamed_node_is_not_found() {
    let fixture = StoreFixture::new().await;
    fixture
        .write(fact("a", "actual", "observed", "aws", "shop", 10))
        .await;
    fixture
        .write(fact("a", "lifecycle", "deleted", "trail", "a", 20))
        .await;
    fixture
        .write(fact("b", "actual", "observed", "aws", "shop", 10))
        .await;
    fixture
        .write(fact("b", "actual", "observed", "aws", "renamed", 20))
        .await;
    assert_eq!(found(&fixture, "shop", AsOf::Now).await, []);
    // As of a past time, nodes are found by their current or last names.
    assert_eq!(found(&fixture, "shop", at(15)).await.len(), 1);
}

#[tokio::test]
async fn merged_node_is_found_once() {
    let fixture = StoreFixture::new().await;
    fixture
        .write(fact(
            "ext://db:5432",
            "telemetry",
            "observed",
            "otlp",
            "db",
            10,
        ))
        .await;
    fixture
        .write(fact("arn:db", "actual", "observed", "aws", "shop", 10))
        .await;
    fixture
        .write(alias_snapshot(
            "arn:db",
            10,
            &[("same_as", "ext://db:5432"), ("dns", "db")],
        ))
        .await;
    assert_eq!(
        found(&fixture, "db", AsOf::Now).await,
        [("arn:db".to_owned(), MatchRank::Exact, MatchedField::Alias)]
    );
}

#[tokio::test]
async fn aliases_are_those_of_the_requested_time() {
    let fixture = StoreFixture::new().await;
    fixture
        .write(alias_snapshot("i", 10, &[("name", "old"), ("id", "i-1")]))
        .await;
    fixture
        .write(alias_snapshot("i", 20, &[("id", "i-1")]))
        .await;
    let uids = ["i".to_owned(), "nobody".to_owned()];
    let called = async |as_of| {
        let names = fixture.store().aliases_of(&uids, as_of).await.unwrap();
        let values = names.into_iter().map(|names| {
            let values = names.into_iter().map(|name| name.value);
            values.collect::<Vec<_>>()
        });
        values.collect::<Vec<_>>()
    };
    assert_eq!(called(AsOf::Now).await, [vec!["i-1"], vec![]]);
    assert_eq!(called(at(15)).await, [vec!["i-1", "old"], vec![]]);
}

#[tokio::test]
async fn kinds_are_read_and_current_nodes_counted() {
    let fixture = StoreFixture::new().await;
    let seen = ["a", "b", "c", "d", "e"].map(|uid| ScanMember { uid, state: 7 });
    fixture.write(scan("s", 10, &seen)).await;
    fixture.write(scan("s", 20, &seen[..3])).await;
    fixture
        .write(edge_snapshot("a", "aws", 10, &[("PART_OF", "vpc")]))
        .await;
    fixture
        .write(alias_snapshot("a", 10, &[("same_as", "ext://a:")]))
        .await;
    let uids = ["b", "vpc", "ext://a:"].map(str::to_owned);
    let kinds = fixture.store().kinds_of(&uids, AsOf::Now).await.unwrap();
    assert_eq!(kinds, ["thing", "unknown", "thing"]);
    let count = async |as_of| {
        let counts = fixture.store().count_kinds(as_of).await.unwrap();
        assert_eq!(counts.len(), 1);
        (counts[0].kind.clone(), counts[0].count)
    };
    assert_eq!(count(AsOf::Now).await, ("thing".to_owned(), 3));
    assert_eq!(count(at(15)).await, ("thing".to_owned(), 5));
}

#[tokio::test]
async fn list_is_filtered_by_the_tags_of_the_requested_time() {
    let fixture = StoreFixture::new().await;
    fixture
        .write(tagged("a", &json!({"team": "shop", "n": 7}), 10))
        .await;
    fixture
        .write(tagged("b", &json!({"team": "data"}), 10))
        .await;
    fixture
        .write(tagged("b", &json!({"owner": "shop"}), 20))
        .await;
    let list = async |tags: &[(&str, Option<&str>)], as_of| {
        let tags = tags.iter().map(|(key, value)| TagFilter {
            key: (*key).to_owned(),
            value: value.map(str::to_owned),
        });
        let filter = NodeFilter {
            tags: tags.collect(),
            ..NodeFilter::default()
        };
        let nodes = fixture
            .store()
            .list(&filter, None, 10, as_of)
            .await
            .unwrap();
        nodes.into_iter().map(|node| node.uid).collect::<Vec<_>>()
    };
    assert_eq!(list(&[("team", None)], AsOf::Now).await, ["a"]);
    assert_eq!(list(&[("team", None)], at(15)).await, ["a", "b"]);
    assert_eq!(list(&[("owner", Some("shop"))], AsOf::Now).await, ["b"]);
    assert_eq!(
        list(&[("n", Some("7")), ("team", None)], AsOf::Now).await,
        ["a"]
    );
    assert_eq!(list(&[("team", Some("owner"))], AsOf::Now).await, [""; 0]);
}

#[tokio::test]
async fn details_of_a_change_include_its_impact() {
    let fixture = StoreFixture::new().await;
    let impact = map_from_json(json!({"count": 3, "depth": 2}).as_object().unwrap());
    let cells = [
        (changes::ID, Cell::Text("e1")),
        (changes::EVENT_NAME, Cell::Text("Authorize")),
        (changes::IMPACT, Cell::Bytes(&impact)),
    ];
    let mut rows = Rows::new(Signal::Changes);
    rows.push(Some(UnixNanos(10)), Some("sg"), "trail", &cells);
    fixture.write(rows.finish(Delivery::untracked())).await;
    let ever = UnixNanos(i64::MAX as u64);
    let entries = fixture.store().timeline("sg", UnixNanos(0), ever, 10).await;
    let details = entries.unwrap().remove(0).details;
    assert_eq!(details["impact"], json!({"count": 3, "depth": 2}));
}
