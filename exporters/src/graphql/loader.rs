//! Reads nodes and their names for all who ask in one answer at once.

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Error, Result};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{self, At, OtherName};
use tokio::time::timeout;

use super::store::{Store, unanswered};
use super::types::Node;

/// Reads nodes by their uids.
pub(super) struct Nodes(pub(super) Reads);

/// Reads the other names of uids.
pub(super) struct Names(pub(super) Reads);

/// A load runs in a task of its own, for several queries, so it does not end with one of them. All
/// of these began before it: after their timeout none is left, and the read is dropped.
#[derive(Clone)]
pub(super) struct Reads {
    pub(super) store: Store,
    pub(super) query_timeout: Duration,
}

impl Reads {
    async fn within<T>(&self, read: impl Future<Output = Result<T>>) -> Result<T> {
        let late = |_| Error::new("no query waits for this read any longer");
        timeout(self.query_timeout, read).await.map_err(late)?
    }
}

/// A uid at a moment, in nanoseconds since 1970; none is now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    uid: String,
    at: Option<u64>,
}

impl Key {
    pub(super) fn of(uid: &str, at: At) -> Key {
        Key {
            uid: uid.to_owned(),
            at: match at {
                At::Now => None,
                At::Time(time) => Some(time.0),
            },
        }
    }
}

/// The uids of each moment.
fn by_moment(keys: &[Key]) -> Vec<(At, Vec<Key>)> {
    let mut moments: HashMap<Option<u64>, Vec<Key>> = HashMap::new();
    for key in keys {
        moments.entry(key.at).or_default().push(key.clone());
    }
    let at = |at: Option<u64>| at.map_or(At::Now, |at| At::Time(UnixNanos(at)));
    let moments = moments.into_iter();
    moments.map(|(moment, keys)| (at(moment), keys)).collect()
}

fn uids(keys: &[Key]) -> Vec<String> {
    keys.iter().map(|key| key.uid.clone()).collect()
}

impl Loader<Key> for Nodes {
    type Value = graph_store::Node;
    type Error = Error;

    async fn load(&self, keys: &[Key]) -> Result<HashMap<Key, graph_store::Node>> {
        let read = async {
            let mut found = HashMap::with_capacity(keys.len());
            for (at, keys) in by_moment(keys) {
                let nodes = self.0.store.nodes(&uids(&keys), at).await;
                let known = keys.into_iter().zip(nodes.map_err(unanswered)?);
                found.extend(known.filter_map(|(key, node)| Some((key, node?))));
            }
            Ok(found)
        };
        self.0.within(read).await
    }
}

impl Loader<Key> for Names {
    type Value = Vec<OtherName>;
    type Error = Error;

    async fn load(&self, keys: &[Key]) -> Result<HashMap<Key, Vec<OtherName>>> {
        let read = async {
            let mut found = HashMap::with_capacity(keys.len());
            for (at, keys) in by_moment(keys) {
                let names = self.0.store.aliases_of(&uids(&keys), at).await;
                found.extend(keys.into_iter().zip(names.map_err(unanswered)?));
            }
            Ok(found)
        };
        self.0.within(read).await
    }
}

/// The node of a uid, read together with all others of the answer.
pub(super) async fn load(context: &Context<'_>, uid: &str, at: At) -> Result<Option<Node>> {
    let loader = context.data_unchecked::<DataLoader<Nodes>>();
    let node = loader.load_one(Key::of(uid, at)).await?;
    Ok(node.map(|node| Node { node, at }))
}

/// The other names of a uid, likewise.
pub(super) async fn names(context: &Context<'_>, uid: &str, at: At) -> Result<Vec<OtherName>> {
    let loader = context.data_unchecked::<DataLoader<Names>>();
    Ok(loader.load_one(Key::of(uid, at)).await?.unwrap_or_default())
}
