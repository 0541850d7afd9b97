//! The subscription.

use std::time::Duration;

use async_graphql::{Executor, Request, Response};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use serde_json::{Value as Json, json};

use super::{Shop, change, named, things};

async fn next(pushed: &mut (impl Stream<Item = Response> + Unpin)) -> Json {
    let next = tokio::time::timeout(Duration::from_secs(20), pushed.next()).await;
    let next = next.expect("something is pushed").expect("it goes on");
    next.data.into_json().unwrap()
}

/// A subscription that follows: a request begins after those before it.
async fn follow(shop: &Shop, query: &str) -> BoxStream<'static, Response> {
    let mut pushed = shop.schema.execute_stream(Request::new(query), None);
    let mut next = shop.schema.execute_stream("{ __typename }".into(), None);
    tokio::select! {
        response = pushed.next() => panic!("nothing is committed: {response:?}"),
        response = next.next() => assert!(response.unwrap().is_ok()),
    }
    drop(next);
    pushed
}

#[tokio::test]
async fn what_becomes_known_is_pushed() {
    let shop = Shop::new().await;
    let query = "subscription { changes { sequence missed uids nodes { kind } edges { from kind to } changes { id uid } } }";
    let mut pushed = follow(&shop, query).await;
    shop.tell(things(3)).await;
    shop.tell(change("e", 4)).await;
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
async fn only_what_concerns_some_nodes_can_be_followed() {
    let shop = Shop::new().await;
    let query = r#"subscription { changes(of: ["sg-1"]) { uids changes { id } } }"#;
    let mut pushed = follow(&shop, query).await;
    shop.tell(named("arn:i-1", "name", "other")).await;
    shop.tell(things(3)).await;
    let first = next(&mut pushed).await;
    assert_eq!(first["changes"]["uids"], json!(["arn:sg"]));
}

#[tokio::test]
async fn who_is_too_slow_is_told_how_much_was_missed() {
    let shop = Shop::new().await;
    let query = "subscription { changes { missed changes { id } } }";
    let mut pushed = follow(&shop, query).await;
    for id in 0..262 {
        shop.tell(change(&id.to_string(), 4)).await;
    }
    let first = next(&mut pushed).await;
    assert_eq!(first["changes"]["missed"], 6);
    assert_eq!(first["changes"]["changes"], json!([{"id": "6"}]));
}
