//! The schema, with the limits that are checked after parsing.

use async_graphql::EmptyMutation;
use async_graphql::dataloader::DataLoader;

use super::bounds::ExecutionLimits;
use super::config::Config;
use super::loader::{Names, Nodes, Reads};
use super::query::Query;
use super::store::Store;
use super::subscription::Subscription;

pub(super) type Schema = async_graphql::Schema<Query, EmptyMutation, Subscription>;

pub(super) fn of(store: Store, config: &Config) -> Schema {
    let reads = Reads {
        store: store.clone(),
        query_timeout: config.query_timeout,
    };
    let nodes = DataLoader::new(Nodes(reads.clone()), tokio::spawn);
    let names = DataLoader::new(Names(reads), tokio::spawn);
    Schema::build(Query::default(), EmptyMutation, Subscription)
        // The extension makes them, of the errors that are returned.
        .disable_suggestions()
        .extension(ExecutionLimits {
            max_complexity: config.max_complexity,
            query_timeout: config.query_timeout,
        })
        .data(store)
        .data(nodes)
        .data(names)
        .finish()
}
