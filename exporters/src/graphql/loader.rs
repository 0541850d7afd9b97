//! Loads nodes and aliases in batches. A batch has the uids that fields of all running queries request at nearly the
//! same moment. It takes one read of the store for each `asOf` time among them.

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Error, Result};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{self, AsOf, GraphAlias};
use tokio::time::timeout;

use super::store::{Store, store_error};

/// Loads nodes by uid.
pub(super) struct NodeLoader(pub(super) BoundedReads);

/// Loads the aliases of uids.
pub(super) struct AliasLoader(pub(super) BoundedReads);

/// The store, with a timeout for each load. A load runs in its own task and may serve several queries, so a query that
/// ends does not cancel it. All its queries began before the load. So after `query_timeout` they have all ended, and
/// the read is dropped.
#[derive(Clone)]
pub(super) struct BoundedReads {
    pub(super) store: Store,
    pub(super) query_timeout: Duration,
}

impl BoundedReads {
    async fn with_timeout<T>(&self, read: impl Future<Output = Result<T>>) -> Result<T> {
        let timed_out = |_| Error::new("the read of the store took longer than query_timeout");
        timeout(self.query_timeout, read).await.map_err(timed_out)?
    }
}

/// A uid, and the time at which to read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct LoaderKey {
    uid: String,
    /// Nanoseconds since 1970; `None` reads the current graph.
    at: Option<u64>,
}

impl LoaderKey {
    pub(super) fn of(uid: &str, at: AsOf) -> LoaderKey {
        LoaderKey {
            uid: uid.to_owned(),
            at: match at {
                AsOf::Now => None,
                AsOf::Time(time) => Some(time.0),
            },
        }
    }
}

/// Groups the keys by time.
fn by_time(keys: &[LoaderKey]) -> Vec<(AsOf, Vec<LoaderKey>)> {
    let mut times: HashMap<Option<u64>, Vec<LoaderKey>> = HashMap::new();
    for key in keys {
        times.entry(key.at).or_default().push(key.clone());
    }
    let as_of = |nanos: Option<u64>| nanos.map_or(AsOf::Now, |nanos| AsOf::Time(UnixNanos(nanos)));
    let times = times.into_iter();
    times.map(|(nanos, keys)| (as_of(nanos), keys)).collect()
}

fn uids(keys: &[LoaderKey]) -> Vec<String> {
    keys.iter().map(|key| key.uid.clone()).collect()
}

impl Loader<LoaderKey> for NodeLoader {
    type Value = graph_store::Node;
    type Error = Error;

    async fn load(&self, keys: &[LoaderKey]) -> Result<HashMap<LoaderKey, graph_store::Node>> {
        let read = async {
            let mut loaded = HashMap::with_capacity(keys.len());
            for (at, keys) in by_time(keys) {
                let nodes = self.0.store.nodes(&uids(&keys), at).await;
                let nodes = keys.into_iter().zip(nodes.map_err(store_error)?);
                loaded.extend(nodes.filter_map(|(key, node)| Some((key, node?))));
            }
            Ok(loaded)
        };
        self.0.with_timeout(read).await
    }
}

impl Loader<LoaderKey> for AliasLoader {
    type Value = Vec<GraphAlias>;
    type Error = Error;

    async fn load(&self, keys: &[LoaderKey]) -> Result<HashMap<LoaderKey, Vec<GraphAlias>>> {
        let read = async {
            let mut loaded = HashMap::with_capacity(keys.len());
            for (at, keys) in by_time(keys) {
                let aliases = self.0.store.aliases_of(&uids(&keys), at).await;
                loaded.extend(keys.into_iter().zip(aliases.map_err(store_error)?));
            }
            Ok(loaded)
        };
        self.0.with_timeout(read).await
    }
}

/// Loads the node of a uid, in one batch with the other requested nodes; `None` if the store does not have it.
pub(super) async fn node(
    context: &Context<'_>,
    uid: &str,
    at: AsOf,
) -> Result<Option<graph_store::Node>> {
    let loader = context.data_unchecked::<DataLoader<NodeLoader>>();
    loader.load_one(LoaderKey::of(uid, at)).await
}

/// Loads the aliases of a uid, in one batch with the other requested aliases.
pub(super) async fn aliases(context: &Context<'_>, uid: &str, at: AsOf) -> Result<Vec<GraphAlias>> {
    let loader = context.data_unchecked::<DataLoader<AliasLoader>>();
    Ok(loader
        .load_one(LoaderKey::of(uid, at))
        .await?
        .unwrap_or_default())
}
