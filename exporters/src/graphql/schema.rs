//! Builds the schema, with the limits that apply after parsing.

use async_graphql::EmptyMutation;
use async_graphql::dataloader::DataLoader;

use super::bounds::ExecutionLimits;
use super::config::Config;
use super::loader::{AliasLoader, BoundedReads, NodeLoader};
use super::query::Query;
use super::store::Store;
use super::subscription::Subscription;

pub(super) type Schema = async_graphql::Schema<Query, EmptyMutation, Subscription>;

pub(super) fn of(store: Store, config: &Config) -> Schema {
    let reads = BoundedReads {
        store: store.clone(),
        query_timeout: config.query_timeout,
    };
    let nodes = DataLoader::new(NodeLoader(reads.clone()), tokio::spawn);
    let aliases = DataLoader::new(AliasLoader(reads), tokio::spawn);
    Schema::build(Query::default(), EmptyMutation, Subscription)
        // `ExecutionLimits` adds suggestions, to the returned errors only.
        .disable_suggestions()
        .extension(ExecutionLimits {
            max_complexity: config.max_complexity,
            query_timeout: config.query_timeout,
        })
        .data(store)
        .data(nodes)
        .data(aliases)
        .finish()
}
