//! Tests of limits on arguments, complexity and time.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use async_graphql::dataloader::Loader;
use async_trait::async_trait;
use futures::StreamExt;
use pipeline::component::UnixNanos;
use pipeline::graph_store::{
    AliasesPage, AsOf, Commit, Direction, Edge, EdgeStats, GraphAlias, GraphStore, KindCount,
    Neighborhood, NeighborhoodQuery, Node, NodeFilter, ScannedPage, SearchQuery, SearchResult,
    StoreError, TimelineEntry,
};
use tokio::sync::broadcast;
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
#[derive(Debug)]
struct PendingStore;

#[async_trait]
impl GraphStore for PendingStore {
    async fn resolve(&self, _: &[String], _: AsOf) -> Result<Vec<Vec<String>>, StoreError> {
        pending().await
    }

    async fn nodes(&self, _: &[String], _: AsOf) -> Result<Vec<Option<Node>>, StoreError> {
        pending().await
    }

    async fn kinds_of(&self, _: &[String], _: AsOf) -> Result<Vec<String>, StoreError> {
        pending().await
    }

    async fn aliases_of(&self, _: &[String], _: AsOf) -> Result<Vec<Vec<GraphAlias>>, StoreError> {
        pending().await
    }

    async fn count_kinds(&self, _: AsOf) -> Result<Vec<KindCount>, StoreError> {
        pending().await
    }

    async fn search(&self, _: &SearchQuery, _: usize, _: AsOf) -> Result<SearchResult, StoreError> {
        pending().await
    }

    async fn list(
        &self,
        _: &NodeFilter,
        _: Option<&str>,
        _: usize,
        _: AsOf,
    ) -> Result<Vec<Node>, StoreError> {
        pending().await
    }

    async fn edges(
        &self,
        _: &[String],
        _: Direction,
        _: &[String],
        _: usize,
        _: AsOf,
    ) -> Result<Vec<Edge>, StoreError> {
        pending().await
    }

    async fn neighborhood(
        &self,
        _: &str,
        _: &NeighborhoodQuery<'_>,
        _: AsOf,
    ) -> Result<Option<Neighborhood>, StoreError> {
        pending().await
    }

    async fn edge_stats(&self, _: UnixNanos, _: UnixNanos) -> Result<Vec<EdgeStats>, StoreError> {
        pending().await
    }

    async fn timeline(
        &self,
        _: &str,
        _: UnixNanos,
        _: UnixNanos,
        _: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        pending().await
    }

    async fn scanned(&self, _: &str, _: Option<&str>, _: usize) -> Result<ScannedPage, StoreError> {
        pending().await
    }

    async fn aliases(
        &self,
        _: &[&str],
        _: Option<&str>,
        _: usize,
    ) -> Result<AliasesPage, StoreError> {
        pending().await
    }

    fn commits(&self) -> broadcast::Receiver<Arc<Commit>> {
        broadcast::Sender::new(1).subscribe()
    }
}

#[tokio::test]
async fn a_query_that_takes_too_long_times_out() {
    let mut config = super::config();
    config.query_timeout = Duration::from_millis(100);
    let schema = bounded(Arc::new(PendingStore), &config);
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
async fn a_load_times_out_with_the_queries_that_wait_for_it() {
    let reads = BoundedReads {
        store: Arc::new(PendingStore),
        query_timeout: Duration::from_secs(10),
    };
    let key = [LoaderKey::of("a", AsOf::Now)];
    let start = Instant::now();
    NodeLoader(reads.clone()).load(&key).await.unwrap_err();
    AliasLoader(reads).load(&key).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 20);
}
