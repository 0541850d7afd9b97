//! The schema, with its limits.

use std::sync::Arc;

use async_graphql::EmptyMutation;
use async_graphql::dataloader::DataLoader;
use pipeline::graph_store::GraphStore;

use super::config::Config;
use super::limits::QueryTimeout;
use super::loader::Nodes;
use super::query::Query;
use super::subscription::Subscription;

/// The store, as data of the schema.
pub(super) type Store = Arc<dyn GraphStore>;

pub(super) type Schema = async_graphql::Schema<Query, EmptyMutation, Subscription>;

pub(super) fn of(store: Store, config: &Config) -> Schema {
    let nodes = DataLoader::new(Nodes(store.clone()), tokio::spawn);
    Schema::build(Query, EmptyMutation, Subscription)
        .limit_depth(config.max_depth)
        .limit_complexity(config.max_complexity)
        .extension(QueryTimeout(config.query_timeout))
        .data(store)
        .data(nodes)
        .finish()
}
