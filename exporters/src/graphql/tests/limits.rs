//! Tests of limits on arguments, complexity and time.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use async_graphql::dataloader::Loader;
use futures::StreamExt;
use pipeline::graph_store::AsOf;
use pipeline::store::Store;
use pipeline::testing::{GatedBackend, store_over};
use tokio::time::Instant;

use super::{Shop, bounded};
use crate::graphql::loader::{AliasLoader, BoundedReads, LoaderKey, NodeLoader};

#[tokio::test]
async fn pages_and_depths_are_bounded() {
    let shop = Shop::new().await;
    let error = shop
        .query_error("{ nodes(first: 501) { edges { cursor } } }")
        .await;
    assert_eq!(error, "first must be at most 500, not 501");
    let error = shop
        .query_error("{ nodes(first: -1) { edges { cursor } } }")
        .await;
    assert_eq!(error, "first must not be negative: -1");
    let error = shop
        .query_error(r#"{ neighbors(uid: "sg-1", depth: 6) { truncated } }"#)
        .await;
    assert_eq!(error, "depth must be between 1 and 5, not 6");
    let error = shop
        .query_error(r#"{ impact(uid: "sg-1", depth: 11) { count } }"#)
        .await;
    assert_eq!(error, "depth must be between 1 and 10, not 11");
    let error = shop
        .query_error(r#"{ path(from: "sg-1", to: "arn:i-1", maxDepth: 0) { length } }"#)
        .await;
    assert_eq!(error, "maxDepth must be between 1 and 10, not 0");
    let error = shop
        .query_error(r#"{ node(uid: "unknown", asOf: "-1h") { uid } impact(uid: "unknown", asOf: "-1h") { count } }"#)
        .await;
    assert_eq!(
        error,
        "node unknown not found at that time: look it up with search(text: …), or query without asOf"
    );
    let error = shop
        .query_error(r#"{ timeline(uid: "unknown") { edges { cursor } } }"#)
        .await;
    assert_eq!(
        error,
        "node unknown not found: look it up with search(text: …)"
    );
    let error = shop
        .query_error(r#"{ serviceMap(from: "-1m", to: "-2m") { edges { calls } } }"#)
        .await;
    assert_eq!(error, "from is later than to");
    let error = shop
        .query_error(r#"{ serviceMap(from: "yesterday") { edges { calls } } }"#)
        .await;
    assert!(error.contains("invalid DateTime"), "{error}");
}

#[tokio::test]
async fn a_query_that_is_too_deep_or_too_complex_is_rejected() {
    let shop = Shop::with(|config| {
        config.max_depth = 4;
        config.max_complexity = 1100;
    })
    .await;
    let error = shop
        .query_error("{ nodes(first: 1) { edges { node { facts { value } } } } }")
        .await;
    assert_eq!(
        error,
        "the query has 5 levels of nested fields (max_depth); the limit is 4"
    );
    let error = shop
        .query_error("{ nodes(first: 500) { edges { node { uid } } } }")
        .await;
    assert_eq!(
        error,
        "the query has 2500 fields in its response, with full pages and 1000 for each read of the store \
         (max_complexity); the limit is 1100"
    );
    for query in [
        r#"{ search(text: "a", first: 100) { hits { value } } }"#,
        r#"{ impact(uid: "sg-1", depth: 1, first: 51) { nodes { score } } }"#,
        r#"{ impact(uid: "sg-1", depth: 2, first: 1) { nodes { score } } }"#,
        r#"{ a: node(uid: "sg-1") { uid } b: node(uid: "sg-1") { uid } }"#,
    ] {
        let error = shop.query_error(query).await;
        assert!(error.contains("max_complexity"), "{error}");
    }
    shop.query("{ nodes(first: 2) { edges { node { uid } } } }")
        .await;
}

/// A store whose reads never finish.
fn pending_store() -> Arc<Store<GatedBackend>> {
    Arc::new(store_over(GatedBackend::default(), Duration::ZERO))
}

#[tokio::test]
async fn a_query_that_takes_too_long_times_out() {
    let mut config = super::config();
    config.query_timeout = Duration::from_millis(100);
    let schema = bounded(pending_store(), &config);
    let query = "{ nodes { edges { node { uid } } } }";
    let response = schema.execute(query.into()).await;
    let streamed = schema.execute_stream(query.into(), None).next().await;
    for response in [response, streamed.unwrap()] {
        let error = &response.errors[0].message;
        assert!(
            error.contains("took longer than 100ms") && error.contains("query_timeout"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_store_error_names_the_action_and_hides_the_cause() {
    use pipeline::component::Exporter;
    let shop = Shop::new().await;
    shop.sqlite.stop().await.unwrap();
    let error = shop.query_error(r#"{ node(uid: "sg-1") { uid } }"#).await;
    assert_eq!(error, "the store could not look up 1 names");
}

#[tokio::test(start_paused = true)]
async fn a_load_times_out_after_query_timeout() {
    let reads = BoundedReads {
        store: pending_store(),
        query_timeout: Duration::from_secs(10),
    };
    let key = [LoaderKey::of("a", AsOf::Now)];
    let start = Instant::now();
    NodeLoader(reads.clone()).load(&key).await.unwrap_err();
    AliasLoader(reads).load(&key).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 20);
}
