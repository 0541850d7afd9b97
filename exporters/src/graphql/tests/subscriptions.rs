//! Tests of the subscription `changes`.

use std::time::Duration;

use async_graphql::{Executor, Request, Response};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use serde_json::{Value as Json, json};

use super::{Shop, alias_of, change, nodes_in_state};

async fn next(pushed: &mut (impl Stream<Item = Response> + Unpin)) -> Json {
    let next = tokio::time::timeout(Duration::from_secs(20), pushed.next()).await;
    let next = next
        .expect("a response within 20s")
        .expect("the subscription continues");
    next.data.into_json().unwrap()
}

/// Starts a subscription and waits until it is active. Requests begin in order, so it is active when a second request
/// has its response.
async fn follow(shop: &Shop, query: &str) -> BoxStream<'static, Response> {
    let mut pushed = shop.schema.execute_stream(Request::new(query), None);
    let mut next = shop.schema.execute_stream("{ __typename }".into(), None);
    tokio::select! {
        response = pushed.next() => panic!("a response before any commit: {response:?}"),
        response = next.next() => assert!(response.unwrap().is_ok()),
    }
    drop(next);
    pushed
}

#[tokio::test]
async fn commits_are_pushed() {
    let shop = Shop::new().await;
    let query = "subscription { changes { sequence missed uids nodes { kind } edges { from kind to } changes { id uid } } }";
    let mut pushed = follow(&shop, query).await;
    shop.write(nodes_in_state(3)).await;
    shop.write(change("e", 4)).await;
    let first = next(&mut pushed).await;
    assert_eq!(
        first["changes"]["uids"],
        json!(["arn:i-1", "arn:i-2", "arn:sg"])
    );
    assert_eq!(
        first["changes"]["nodes"][2]["kind"],
        "AWS::EC2::SecurityGroup"
    );
    let second = next(&mut pushed).await;
    assert_eq!(
        second["changes"]["changes"],
        json!([{"id": "e", "uid": "arn:sg"}])
    );
    assert_eq!(second["changes"]["missed"], 0);
}

#[tokio::test]
async fn a_subscription_can_be_restricted_to_nodes() {
    let shop = Shop::new().await;
    let query = r#"subscription { changes(of: ["sg-1"]) { uids changes { id } } }"#;
    let mut pushed = follow(&shop, query).await;
    shop.write(alias_of("arn:i-1", "name", "other")).await;
    shop.write(nodes_in_state(3)).await;
    let first = next(&mut pushed).await;
    assert_eq!(first["changes"]["uids"], json!(["arn:sg"]));
}

#[tokio::test]
async fn a_slow_subscriber_gets_the_number_of_missed_commits() {
    let shop = Shop::new().await;
    let query = "subscription { changes { missed changes { id } } }";
    let mut pushed = follow(&shop, query).await;
    for id in 0..262 {
        shop.write(change(&id.to_string(), 4)).await;
    }
    let first = next(&mut pushed).await;
    assert_eq!(first["changes"]["missed"], 6);
    assert_eq!(first["changes"]["changes"], json!([{"id": "6"}]));
}
