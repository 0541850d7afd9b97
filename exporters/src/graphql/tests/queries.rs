//! Tests of queries and their responses.

use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, edges, nodes};
use pipeline::{Batch, Delivery, Signal};
use serde_json::json;

use super::{Shop, calls_to, change, nodes_in_state};

#[tokio::test]
async fn a_node_is_found_by_uid_and_by_alias() {
    let shop = Shop::new().await;
    let fields = "{ uid kind name provider tags firstSeen ended facts { group source value } }";
    let by_alias = shop
        .query(&format!(r#"{{ node(uid: "sg-1") {fields} }}"#))
        .await;
    assert_eq!(
        by_alias["node"],
        json!({
            "uid": "arn:sg", "kind": "AWS::EC2::SecurityGroup", "name": "sg", "provider": "aws",
            "tags": {"team": "shop"}, "firstSeen": "1970-01-01T00:01:00Z", "ended": null,
            "facts": [
                {"group": "actual", "source": "aws", "value": {"state": 1}},
                {"group": "lifecycle", "source": "aws", "value": {"exists": true}}
            ]
        })
    );
    assert_eq!(
        by_alias,
        shop.query(&format!(r#"{{ node(uid: "arn:sg") {fields} }}"#))
            .await
    );
    assert_eq!(
        shop.query(r#"{ node(uid: "unknown") { uid } }"#).await["node"],
        json!(null)
    );
}

#[tokio::test]
async fn an_ambiguous_name_is_an_error_with_the_uids() {
    let shop = Shop::new().await;
    let error = shop.query_error(r#"{ node(uid: "web") { uid } }"#).await;
    assert_eq!(
        error,
        "the name web is ambiguous, 2 nodes have it: use a uid, such as arn:i-1, arn:i-2"
    );
}

/// An observed alias, in addition to the snapshots of aliases of the shop.
fn observed_alias(uid: &str, kind: &str, value: &str) -> Batch {
    let mut rows = Rows::new(Signal::Aliases);
    let cells = [
        (aliases::MODE, Cell::Text("observed")),
        (aliases::KIND, Cell::Text(kind)),
        (aliases::VALUE, Cell::Text(value)),
    ];
    rows.push(Some(UnixNanos(1)), Some(uid), "aws", &cells);
    rows.finish(Delivery::untracked())
}

#[tokio::test]
async fn an_ambiguous_name_means_the_instance_that_the_other_nodes_are_attached_to() {
    let shop = Shop::new().await;
    let attached = [
        (edges::MODE, Cell::Text("snapshot")),
        (edges::KIND, Cell::Text("ATTACHED_TO")),
        (edges::TO, Cell::Text("arn:i-1")),
        (edges::CONFIDENCE, Cell::Float(1.0)),
    ];
    let mut rows = Rows::new(Signal::Edges);
    rows.push(Some(UnixNanos(1)), Some("arn:i-2"), "other", &attached);
    shop.write(rows.finish(Delivery::untracked())).await;
    // Both are instances, so the name stays ambiguous.
    shop.query_error(r#"{ node(uid: "web") { uid } }"#).await;
    shop.write(observed_alias("arn:sg", "ip", "10.0.0.7")).await;
    shop.write(observed_alias("arn:i-1", "ip", "10.0.0.7"))
        .await;
    shop.query_error(r#"{ node(uid: "10.0.0.7") { uid } }"#)
        .await;
    let mut rows = Rows::new(Signal::Edges);
    rows.push(Some(UnixNanos(1)), Some("arn:sg"), "other", &attached);
    shop.write(rows.finish(Delivery::untracked())).await;
    let response = shop.query(r#"{ node(uid: "10.0.0.7") { uid } }"#).await;
    assert_eq!(response["node"]["uid"], "arn:i-1");
}

#[tokio::test]
async fn an_alias_of_an_ended_node_finds_the_node_but_is_an_error_for_walks() {
    let shop = Shop::new().await;
    shop.write(observed_alias("arn:i-2", "id", "i-0815")).await;
    let mut rows = Rows::new(Signal::Nodes);
    let cells = [
        (nodes::OP, Cell::Text("deleted")),
        (nodes::GROUP, Cell::Text("lifecycle")),
    ];
    rows.push(
        Some(UnixNanos(300_000_000_000)),
        Some("arn:i-2"),
        "aws",
        &cells,
    );
    shop.write(rows.finish(Delivery::untracked())).await;
    let response = shop.query(r#"{ node(uid: "i-0815") { uid ended } }"#).await;
    assert_eq!(response["node"]["ended"], "1970-01-01T00:05:00Z");
    let error = shop
        .query_error(r#"{ impact(uid: "i-0815") { count } }"#)
        .await;
    assert_eq!(
        error,
        "i-0815 was an alias of arn:i-2, which ended at 1970-01-01T00:05:00Z: query its timeline, or set asOf to an \
         earlier time"
    );
    shop.query(r#"{ impact(uid: "i-0815", asOf: "1970-01-01T00:04:00Z") { count } }"#)
        .await;
    shop.query(r#"{ impact(uid: "arn:i-2") { count } }"#).await;
}

#[tokio::test]
async fn as_of_reads_the_graph_of_the_past() {
    let shop = Shop::new().await;
    shop.write(nodes_in_state(5)).await;
    let query = r#"{
        now: node(uid: "arn:sg") { facts { value } }
        then: node(uid: "arn:sg", asOf: "1970-01-01T00:03:00Z") { facts { value } }
        before: node(uid: "arn:sg", asOf: "1970-01-01T00:00:30Z") { uid }
    }"#;
    let answer = shop.query(query).await;
    assert_eq!(answer["now"]["facts"][0]["value"]["state"], 5);
    assert_eq!(answer["then"]["facts"][0]["value"]["state"], 1);
    assert_eq!(answer["before"], json!(null));
}

#[tokio::test]
async fn nodes_are_paged() {
    let shop = Shop::new().await;
    let page = |after: &str| {
        format!(
            r#"{{ nodes(first: 2, after: {after}, filter: {{provider: "aws"}}) {{
                pageInfo {{ hasNextPage endCursor }} edges {{ node {{ uid }} }} }} }}"#
        )
    };
    let first = shop.query(&page("null")).await;
    let uids = |answer: &serde_json::Value| {
        let items = answer["nodes"]["edges"].as_array().unwrap().iter();
        items
            .map(|item| item["node"]["uid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(uids(&first), ["arn:sg", "arn:i-1"]);
    assert_eq!(first["nodes"]["pageInfo"]["hasNextPage"], true);
    let second = shop
        .query(&page(&first["nodes"]["pageInfo"]["endCursor"].to_string()))
        .await;
    assert_eq!(uids(&second), ["arn:i-2"]);
    assert_eq!(second["nodes"]["pageInfo"]["hasNextPage"], false);
    let error = shop.query_error(&page(r#""nonsense""#)).await;
    assert!(error.contains("not a valid cursor"), "{error}");
}

#[tokio::test]
async fn neighbors_of_a_security_group_are_found_along_incoming_edges() {
    let shop = Shop::new().await;
    let query = r#"{ neighbors(uid: "sg-1", depth: 3, direction: IN) {
        start { uid } truncated nodes { distance path node { uid } } edges { from kind to toNode { name } } } }"#;
    let answer = shop.query(query).await;
    let around = &answer["neighbors"];
    assert_eq!(around["start"]["uid"], "arn:sg");
    let reached: Vec<(i64, &str)> = around["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|near| {
            (
                near["distance"].as_i64().unwrap(),
                near["node"]["uid"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        reached,
        [
            (1, "arn:i-1"),
            (1, "arn:i-2"),
            (2, "svc:////cart"),
            (3, "svc:////front")
        ]
    );
    assert_eq!(
        around["nodes"][3]["path"],
        json!(["arn:sg", "arn:i-1", "svc:////cart", "svc:////front"])
    );
    assert_eq!(around["edges"].as_array().unwrap().len(), 4);
    assert_eq!(around["edges"][0]["toNode"]["name"], "sg");
    let few = shop.query(r#"{ neighbors(uid: "sg-1", first: 1) { truncated nodes { node { uid } } edges { from } } }"#).await;
    assert_eq!(
        few["neighbors"],
        json!({"truncated": true, "nodes": [{"node": {"uid": "arn:i-1"}}], "edges": [{"from": "arn:i-1"}]})
    );
}

#[tokio::test]
async fn the_service_map_has_rates_and_errors_and_durations() {
    let shop = Shop::new().await;
    let query = r#"{ serviceMap(from: "1970-01-01T00:02:59Z", to: "1970-01-01T00:03:00Z") {
        from edges { from to calls errors rate errorRate p50 p95 mean max toNode { kind } } nodes { uid } } }"#;
    let map = shop.query(query).await["serviceMap"].clone();
    assert_eq!(map["from"], "1970-01-01T00:02:00Z");
    let edge = &map["edges"][0];
    assert_eq!(
        (edge["calls"].clone(), edge["errors"].clone()),
        (json!(120), json!(6))
    );
    assert_eq!(
        (edge["rate"].clone(), edge["errorRate"].clone()),
        (json!(2.0), json!(0.05))
    );
    let p95 = edge["p95"].as_f64().unwrap();
    assert!(
        p95 > 0.917 && p95 <= 1.0,
        "p95 is in the bucket that ends at one second: {p95}"
    );
    assert_eq!(map["nodes"].as_array().unwrap().len(), 2);
    let later = r#"{ serviceMap(from: "1970-01-01T00:03:00Z", to: "1970-01-01T00:04:00Z") { edges { calls } } }"#;
    assert_eq!(shop.query(later).await["serviceMap"]["edges"], json!([]));
}

#[tokio::test]
async fn records_are_filtered_by_the_uids_that_they_refer_to_and_paged() {
    let shop = Shop::new().await;
    for (id, minute) in [("e1", 2), ("e2", 3)] {
        shop.write(change(id, minute)).await;
    }
    let page = async |filter: &str, after: &str| {
        let query = format!(
            r#"{{ records(first: 1, after: {after}, filter: {filter}) {{
                records {{ kind id opened uid status }} pageInfo {{ hasNextPage endCursor }} }} }}"#
        );
        shop.query(&query).await["records"].clone()
    };
    let of_sg = r#"{kinds: [CHANGE], of: ["sg-1"]}"#;
    let first = page(of_sg, "null").await;
    assert_eq!(
        first["records"],
        json!([{"kind": "CHANGE", "id": "e2", "opened": "1970-01-01T00:03:00Z", "uid": "arn:sg", "status": null}])
    );
    let second = page(of_sg, &first["pageInfo"]["endCursor"].to_string()).await;
    assert_eq!(second["records"][0]["id"], "e1");
    for no_match in [
        r#"{kinds: [ALERT]}"#,
        r#"{of: ["arn:i-1"]}"#,
        r#"{to: "1970-01-01T00:01:00Z"}"#,
    ] {
        assert_eq!(
            page(no_match, "null").await["records"],
            json!([]),
            "{no_match}"
        );
    }
}

#[tokio::test]
async fn the_service_map_is_paged() {
    let shop = Shop::new().await;
    shop.write(calls_to("svc:////stock")).await;
    let page = async |after: &str| {
        let query = format!(
            r#"{{ serviceMap(from: "1970-01-01T00:02:00Z", to: "1970-01-01T00:03:00Z", first: 1, after: {after}) {{
                edges {{ to rate }} nodes {{ uid }} pageInfo {{ hasNextPage endCursor }} }} }}"#
        );
        shop.query(&query).await["serviceMap"].clone()
    };
    let first = page("null").await;
    assert_eq!(first["edges"], json!([{"to": "svc:////cart", "rate": 2.0}]));
    assert_eq!(first["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = page(&first["pageInfo"]["endCursor"].to_string()).await;
    assert_eq!(
        second["edges"],
        json!([{"to": "svc:////stock", "rate": 2.0}])
    );
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    let error = shop.query_error(r#"{ serviceMap(first: 5001) { edges { to } } }"#);
    let error = error.await;
    assert!(error.contains("at most 5000"), "{error}");
}

#[tokio::test]
async fn the_timeline_is_paged_newest_first() {
    let shop = Shop::new().await;
    for id in ["a", "b", "c"] {
        shop.write(change(id, 3)).await;
    }
    shop.write(nodes_in_state(5)).await;
    let mut after = "null".to_owned();
    let mut entries = Vec::new();
    loop {
        let query = format!(
            r#"{{ timeline(uid: "sg-1", first: 1, after: {after}) {{
                pageInfo {{ hasNextPage }} edges {{ cursor node {{ kind summary }} }} }} }}"#
        );
        let answer = shop.query(&query).await;
        let item = &answer["timeline"]["edges"][0];
        entries.push(format!(
            "{} {}",
            item["node"]["kind"].as_str().unwrap(),
            item["node"]["summary"].as_str().unwrap()
        ));
        after = item["cursor"].to_string();
        if answer["timeline"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let by_eve = "change AuthorizeSecurityGroupIngress by eve";
    assert_eq!(
        entries,
        [
            "node_changed actual changed: state",
            by_eve,
            by_eve,
            by_eve,
            "node_appeared reported to exist",
            "node_appeared actual reported"
        ]
    );
}
