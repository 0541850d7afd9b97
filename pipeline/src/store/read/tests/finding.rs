//! What is looked for, counted and called.

use crate::attributes::map_from_json;
use crate::component::UnixNanos;
use crate::graph_store::{At, Fit, FoundIn, GraphStore, NodeFilter, Search, TagFilter};
use crate::rows::{Cell, Rows};
use crate::schema::{changes, nodes};
use crate::{Batch, Delivery, Signal};
use serde_json::json;

use super::batches::{Seen, alias_set, edge_set, fact, scan};
use super::{Open, at};

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
    rows.finish(Delivery::nobody())
}

async fn found(open: &Open, text: &str, moment: At) -> Vec<(String, Fit, FoundIn)> {
    let search = Search {
        text: text.to_owned(),
        kinds: Vec::new(),
    };
    let found = open.store().search(&search, 10, moment).await.unwrap();
    let reported = found.found.into_iter();
    reported
        .map(|it| (it.node.uid, it.fit, it.found_in))
        .collect()
}

#[tokio::test]
async fn what_fits_best_is_found_first_whatever_its_case() {
    let open = Open::new().await;
    for (uid, name) in [
        ("a", "Old-Shop"),
        ("b", "shop-db"),
        ("c", "SHOP"),
        ("d", "Käse"),
    ] {
        open.write(fact(uid, "actual", "observed", "aws", name, 10))
            .await;
    }
    open.write(tagged("e", &json!({"team": "Shop"}), 10)).await;
    open.write(alias_set("f", 10, &[("dns", "shop.example")]))
        .await;
    open.write(fact("f", "actual", "observed", "aws", "other", 10))
        .await;
    let by = |uid: &str, fit, found_in| (uid.to_owned(), fit, found_in);
    assert_eq!(
        found(&open, "shop", At::Now).await,
        [
            by("c", Fit::Exact, FoundIn::Name),
            by("b", Fit::Prefix, FoundIn::Name),
            by("f", Fit::Prefix, FoundIn::Alias),
            by("a", Fit::Part, FoundIn::Name),
            by("e", Fit::Tag, FoundIn::Tag),
        ]
    );
    assert_eq!(
        found(&open, "KÄSE", At::Now).await,
        [by("d", Fit::Exact, FoundIn::Name)]
    );
    assert_eq!(found(&open, "nothing", At::Now).await, []);
    assert_eq!(found(&open, "shop", at(5)).await, []);
}

#[tokio::test]
async fn what_has_ended_or_lost_its_name_is_not_found() {
    let open = Open::new().await;
    open.write(fact("a", "actual", "observed", "aws", "shop", 10))
        .await;
    open.write(fact("a", "lifecycle", "deleted", "trail", "a", 20))
        .await;
    open.write(fact("b", "actual", "observed", "aws", "shop", 10))
        .await;
    open.write(fact("b", "actual", "observed", "aws", "renamed", 20))
        .await;
    assert_eq!(found(&open, "shop", At::Now).await, []);
    // As of T, nodes are found by the names that they have now, or had last.
    assert_eq!(found(&open, "shop", at(15)).await.len(), 1);
}

#[tokio::test]
async fn what_has_two_names_is_found_once() {
    let open = Open::new().await;
    open.write(fact(
        "ext://db:5432",
        "telemetry",
        "observed",
        "otlp",
        "db",
        10,
    ))
    .await;
    open.write(fact("arn:db", "actual", "observed", "aws", "shop", 10))
        .await;
    open.write(alias_set(
        "arn:db",
        10,
        &[("same_as", "ext://db:5432"), ("dns", "db")],
    ))
    .await;
    assert_eq!(
        found(&open, "db", At::Now).await,
        [("arn:db".to_owned(), Fit::Exact, FoundIn::Alias)]
    );
}

#[tokio::test]
async fn names_are_those_of_the_moment() {
    let open = Open::new().await;
    open.write(alias_set("i", 10, &[("name", "old"), ("id", "i-1")]))
        .await;
    open.write(alias_set("i", 20, &[("id", "i-1")])).await;
    let uids = ["i".to_owned(), "nobody".to_owned()];
    let called = async |moment| {
        let names = open.store().aliases_of(&uids, moment).await.unwrap();
        let values = names.into_iter().map(|names| {
            let values = names.into_iter().map(|name| name.value);
            values.collect::<Vec<_>>()
        });
        values.collect::<Vec<_>>()
    };
    assert_eq!(called(At::Now).await, [vec!["i-1"], vec![]]);
    assert_eq!(called(at(15)).await, [vec!["i-1", "old"], vec![]]);
}

#[tokio::test]
async fn kinds_are_told_and_what_lives_is_counted() {
    let open = Open::new().await;
    let seen = ["a", "b", "c", "d", "e"].map(|uid| Seen { uid, state: 7 });
    open.write(scan("s", 10, &seen)).await;
    open.write(scan("s", 20, &seen[..3])).await;
    open.write(edge_set("a", "aws", 10, &[("PART_OF", "vpc")]))
        .await;
    open.write(alias_set("a", 10, &[("same_as", "ext://a:")]))
        .await;
    let uids = ["b", "vpc", "ext://a:"].map(str::to_owned);
    let kinds = open.store().kinds_of(&uids, At::Now).await.unwrap();
    assert_eq!(kinds, ["thing", "unknown", "thing"]);
    let count = async |moment| {
        let counts = open.store().count_kinds(moment).await.unwrap();
        assert_eq!(counts.len(), 1);
        (counts[0].kind.clone(), counts[0].count)
    };
    assert_eq!(count(At::Now).await, ("thing".to_owned(), 3));
    assert_eq!(count(at(15)).await, ("thing".to_owned(), 5));
}

#[tokio::test]
async fn a_list_is_filtered_by_the_tags_of_the_moment() {
    let open = Open::new().await;
    open.write(tagged("a", &json!({"team": "shop", "n": 7}), 10))
        .await;
    open.write(tagged("b", &json!({"team": "data"}), 10)).await;
    open.write(tagged("b", &json!({"owner": "shop"}), 20)).await;
    let list = async |tags: &[(&str, Option<&str>)], moment| {
        let tags = tags.iter().map(|(key, value)| TagFilter {
            key: (*key).to_owned(),
            value: value.map(str::to_owned),
        });
        let filter = NodeFilter {
            tags: tags.collect(),
            ..NodeFilter::default()
        };
        let nodes = open.store().list(&filter, None, 10, moment).await.unwrap();
        nodes.into_iter().map(|node| node.uid).collect::<Vec<_>>()
    };
    assert_eq!(list(&[("team", None)], At::Now).await, ["a"]);
    assert_eq!(list(&[("team", None)], at(15)).await, ["a", "b"]);
    assert_eq!(list(&[("owner", Some("shop"))], At::Now).await, ["b"]);
    assert_eq!(
        list(&[("n", Some("7")), ("team", None)], At::Now).await,
        ["a"]
    );
    assert_eq!(list(&[("team", Some("owner"))], At::Now).await, [""; 0]);
}

#[tokio::test]
async fn a_change_tells_in_its_details_what_it_touches() {
    let open = Open::new().await;
    let impact = map_from_json(json!({"count": 3, "depth": 2}).as_object().unwrap());
    let cells = [
        (changes::ID, Cell::Text("e1")),
        (changes::EVENT_NAME, Cell::Text("Authorize")),
        (changes::IMPACT, Cell::Bytes(&impact)),
    ];
    let mut rows = Rows::new(Signal::Changes);
    rows.push(Some(UnixNanos(10)), Some("sg"), "trail", &cells);
    open.write(rows.finish(Delivery::nobody())).await;
    let ever = UnixNanos(i64::MAX as u64);
    let entries = open.store().timeline("sg", UnixNanos(0), ever, 10).await;
    let details = entries.unwrap().remove(0).details;
    assert_eq!(details["impact"], json!({"count": 3, "depth": 2}));
}
