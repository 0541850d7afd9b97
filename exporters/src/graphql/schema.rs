//! Builds the schema.

use async_graphql::EmptyMutation;
use async_graphql::dataloader::DataLoader;

use super::config::Config;
use super::loader::{AliasLoader, BoundedReads, NodeLoader};
use super::query::Query;
use super::store::Store;
use super::subscription::Subscription;

pub(super) type Schema = async_graphql::Schema<Query, EmptyMutation, Subscription>;

pub(super) type SchemaBuilder = async_graphql::SchemaBuilder<Query, EmptyMutation, Subscription>;

/// The schema without its limits, which `bounds` adds.
pub(super) fn builder(store: Store, config: &Config) -> SchemaBuilder {
    let reads = BoundedReads {
        store: store.clone(),
        query_timeout: config.query_timeout,
    };
    let nodes = DataLoader::new(NodeLoader(reads.clone()), tokio::spawn);
    let aliases = DataLoader::new(AliasLoader(reads), tokio::spawn);
    Schema::build(Query::default(), EmptyMutation, Subscription)
        .data(store)
        .data(nodes)
        .data(aliases)
}
