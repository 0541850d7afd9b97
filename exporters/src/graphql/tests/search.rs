//! Tests of `search`, of filters and of the fields of a node.

use pipeline::attributes::map_from_json;
use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal, uid};
use serde_json::json;

use super::walks::edge;
use super::{MINUTE, Shop, alias_at, alias_of, change};

/// A bucket with a configuration and tags.
fn bucket() -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let value = json!({"Rules": [{"Port": 22}, {"Port": 443}], "Name": "shop-logs"});
    let value = map_from_json(value.as_object().unwrap());
    let tags = json!({"team": "data", "Name": "web archive", "tier": 2});
    let tags = map_from_json(tags.as_object().unwrap());
    let cells = [
        (nodes::OP, Cell::Text("observed")),
        (nodes::GROUP, Cell::Text("actual")),
        (nodes::KIND, Cell::Text("AWS::S3::Bucket")),
        (nodes::NAME, Cell::Text("Web-Logs")),
        (nodes::PROVIDER, Cell::Text("aws")),
        (nodes::ACCOUNT, Cell::Text("1")),
        (nodes::REGION, Cell::Text("eu-west-1")),
        (nodes::TAGS, Cell::Bytes(&tags)),
        (nodes::VALUE, Cell::Bytes(&value)),
    ];
    let time = UnixNanos(4 * MINUTE);
    rows.push(Some(time), Some("arn:aws:s3:::web"), "aws", &cells);
    rows.finish(Delivery::untracked())
}

#[tokio::test]
async fn a_search_returns_exact_matches_first() {
    let shop = Shop::new().await;
    shop.write(bucket()).await;
    let fields = "{ rank matchedField value node { uid } }";
    let run = async |arguments: &str| {
        let answer = shop
            .query(&format!(
                "{{ search({arguments}) {{ hits {fields} truncated }} }}"
            ))
            .await;
        let hits = answer["search"]["hits"].as_array().unwrap().iter();
        let lines = hits.map(|hit| {
            let fields =
                ["rank", "matchedField", "value"].map(|field| hit[field].as_str().unwrap());
            format!(
                "{} {}",
                hit["node"]["uid"].as_str().unwrap(),
                fields.join(" ")
            )
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(
        run(r#"text: "WEB""#).await,
        [
            "arn:i-1 EXACT ALIAS web",
            "arn:i-2 EXACT ALIAS web",
            "arn:aws:s3:::web PREFIX NAME Web-Logs"
        ]
    );
    assert_eq!(
        run(r#"text: "archive""#).await,
        ["arn:aws:s3:::web TAG TAG web archive"]
    );
    let buckets = run(r#"text: "web", kinds: ["AWS::S3::Bucket"]"#).await;
    assert_eq!(buckets.len(), 1);
    assert_eq!(run(r#"text: "web", first: 1"#).await.len(), 1);
    let truncated = async |first| {
        let query = format!(r#"{{ search(text: "web", first: {first}) {{ truncated }} }}"#);
        shop.query(&query).await["search"]["truncated"].clone()
    };
    assert_eq!(truncated(1).await, true);
    assert_eq!(truncated(10).await, false);
    let before = run(r#"text: "logs", asOf: "1970-01-01T00:02:00Z""#).await;
    assert_eq!(before, [""; 0]);
    let error = shop
        .query_error(r#"{ search(text: " ") { truncated } }"#)
        .await;
    assert_eq!(error, "text must have 1 to 1000 characters");
}

#[tokio::test]
async fn kinds_are_counted_now_and_as_of_a_time() {
    let shop = Shop::new().await;
    shop.write(bucket()).await;
    let query = r#"{
        now: resourceTypes { kind provider count }
        then: resourceTypes(asOf: "1970-01-01T00:02:00Z") { kind count }
    }"#;
    let answer = shop.query(query).await;
    assert_eq!(
        answer["now"],
        json!([
            {"kind": "AWS::EC2::Instance", "provider": "aws", "count": 2},
            {"kind": "AWS::EC2::SecurityGroup", "provider": "aws", "count": 1},
            {"kind": "AWS::S3::Bucket", "provider": "aws", "count": 1},
        ])
    );
    assert_eq!(answer["then"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_node_has_single_tags_and_configuration_values_and_aliases() {
    let shop = Shop::new().await;
    shop.write(bucket()).await;
    let query = r#"{ node(uid: "arn:aws:s3:::web") {
        tag(key: "team") tier: tag(key: "tier") nothing: tag(key: "Team")
        port: configuration(path: "Rules[1].Port") gone: configuration(path: "Rules[2].Port")
        all: configuration
    } group: node(uid: "sg-1") { aliases { kind value scope } } }"#;
    let answer = shop.query(query).await;
    assert_eq!(
        answer["node"],
        json!({
            "tag": "data", "tier": "2", "nothing": null, "port": 443, "gone": null,
            "all": {"Rules": [{"Port": 22}, {"Port": 443}], "Name": "shop-logs"},
        })
    );
    assert_eq!(
        answer["group"]["aliases"],
        json!([{"kind": "id", "value": "sg-1", "scope": null}])
    );
    let wrong = r#"{ node(uid: "sg-1") { configuration(path: "Rules[x]") } }"#;
    let error = shop.query_error(wrong).await;
    assert!(
        error.contains("at character 7") && error.contains("IpPermissions[0].FromPort"),
        "{error}"
    );
}

#[tokio::test]
async fn a_node_without_a_name_has_a_label() {
    let shop = Shop::new().await;
    let label = async |uid: &str| {
        let query = format!("{{ node(uid: {uid:?}) {{ name label }} }}");
        let node = shop.query(&query).await["node"].clone();
        (node["name"].clone(), node["label"].clone())
    };
    assert_eq!(label("arn:i-1").await, (json!("i-1"), json!("i-1")));
    assert_eq!(label("svc:////front").await, (json!(null), json!("front")));
    let endpoint = uid::external("db.example", Some(5432));
    shop.write(edge("svc:////front", "CALLS", &endpoint, 1))
        .await;
    let unnamed = (json!(null), json!("db.example:5432"));
    assert_eq!(
        label(&endpoint).await,
        unnamed,
        "only an edge names the node"
    );
}

#[tokio::test]
async fn nodes_are_filtered_by_kind_account_region_and_tag() {
    let shop = Shop::new().await;
    shop.write(bucket()).await;
    let run = async |filter: &str| {
        let query = format!("{{ nodes(filter: {filter}) {{ edges {{ node {{ uid }} }} }} }}");
        let answer = shop.query(&query).await;
        let edges = answer["nodes"]["edges"].as_array().unwrap().iter();
        let uids = edges.map(|edge| edge["node"]["uid"].as_str().unwrap().to_owned());
        uids.collect::<Vec<_>>()
    };
    let bucket = ["arn:aws:s3:::web"];
    assert_eq!(run(r#"{kinds: ["AWS::S3::Bucket"]}"#).await, bucket);
    assert_eq!(run(r#"{account: "1", region: "eu-west-1"}"#).await, bucket);
    assert_eq!(
        run(r#"{tags: [{key: "team", value: "data"}]}"#).await,
        bucket
    );
    assert_eq!(run(r#"{tags: [{key: "tier", value: "2"}]}"#).await, bucket);
    assert_eq!(run(r#"{tags: [{key: "team"}]}"#).await.len(), 4);
    let both = r#"{tags: [{key: "team", value: "shop"}, {key: "tier"}]}"#;
    assert_eq!(run(both).await, [""; 0]);
}

#[tokio::test]
async fn an_id_with_the_prefix_of_its_service_resolves_by_its_last_part() {
    let shop = Shop::new().await;
    let query = r#"{ a: node(uid: "aws:ec2:sg-1") { uid } b: node(uid: "aws:ec2:sg-2") { uid } }"#;
    assert_eq!(
        shop.query(query).await,
        json!({"a": {"uid": "arn:sg"}, "b": null})
    );
    shop.write(alias_at("arn:i-2", "id", "aws:ec2:sg-1", 2 * MINUTE))
        .await;
    let query = r#"{ impact(uid: "aws:ec2:sg-1") { start { uid } } }"#;
    let answer = shop.query(query).await;
    assert_eq!(
        answer["impact"]["start"]["uid"], "arn:i-2",
        "an alias that equals the whole name takes precedence"
    );
}

#[tokio::test]
async fn timeline_and_service_map_resolve_names_as_of_the_end_of_their_range() {
    let shop = Shop::new().await;
    shop.write(change("e", 3)).await;
    shop.write(alias_of("arn:i-1", "id", "sg-1")).await;
    let query =
        r#"{ timeline(uid: "arn:sg", to: "1970-01-01T00:04:00Z") { edges { node { kind } } } }"#;
    let entries = shop.query(query).await;
    assert_eq!(entries["timeline"]["edges"][0]["node"]["kind"], "change");
    let map = r#"{ serviceMap(from: "1970-01-01T00:02:00Z", to: "1970-01-01T00:03:00Z") {
        nodes { uid firstSeen } edges { toNode { uid } } } }"#;
    let map = shop.query(map).await["serviceMap"].clone();
    assert_eq!(map["nodes"][0]["uid"], "svc:////cart");
    assert_eq!(map["edges"][0]["toNode"]["uid"], "svc:////cart");
}
