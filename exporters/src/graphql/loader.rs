//! Reads nodes for all who ask in one answer at once.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error, Result};
use pipeline::graph_store::{At, Node};

use super::store::{Store, unanswered};

pub(super) struct Nodes(pub(super) Store);

/// A uid at a moment, in nanoseconds since 1970; none is now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    uid: String,
    at: Option<u64>,
}

impl Loader<Key> for Nodes {
    type Value = Node;
    type Error = Error;

    async fn load(&self, keys: &[Key]) -> Result<HashMap<Key, Node>> {
        let mut moments: HashMap<Option<u64>, Vec<String>> = HashMap::new();
        for key in keys {
            moments.entry(key.at).or_default().push(key.uid.clone());
        }
        let mut found = HashMap::with_capacity(keys.len());
        for (at, uids) in moments {
            let moment = at.map_or(At::Now, |at| At::Time(pipeline::component::UnixNanos(at)));
            let nodes = self.0.nodes(&uids, moment).await.map_err(unanswered)?;
            for (uid, node) in uids.into_iter().zip(nodes) {
                if let Some(node) = node {
                    found.insert(Key { uid, at }, node);
                }
            }
        }
        Ok(found)
    }
}

/// The node of a uid, read together with all others of the answer.
pub(super) async fn load(context: &Context<'_>, uid: &str, at: At) -> Result<Option<Node>> {
    let loader = context.data_unchecked::<async_graphql::dataloader::DataLoader<Nodes>>();
    let at = match at {
        At::Now => None,
        At::Time(time) => Some(time.0),
    };
    let key = Key {
        uid: uid.to_owned(),
        at,
    };
    loader.load_one(key).await
}
