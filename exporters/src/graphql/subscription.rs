//! The subscription `changes`: pushes the commits of the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Error, Result, SimpleObject};
use futures::{Stream, StreamExt, stream};
use pipeline::Signal;
use pipeline::graph_store::{self, AsOf};
use tokio::sync::broadcast::error::RecvError;

use super::names;
use super::store::{store, store_error};
use super::time::DateTime;
use super::types::{Node, RecordKind};

/// The root type of subscriptions.
pub(super) struct Subscription;

/// The maximum number of nodes of one commit that are read.
const MAX_NODES: usize = 500;

/// The maximum number of uids and aliases that one subscription follows.
const MAX_NAMES: usize = 100;

/// What one commit of the store changed.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Commit {
    /// Increases with each commit.
    sequence: u64,
    /// Uids of nodes whose current rows changed.
    uids: Vec<String>,
    /// Edges that are new.
    edges: Vec<NewEdge>,
    /// Changes that are new.
    changes: Vec<NewChange>,
    /// Changes, drift, health, correlations and alerts that are new or were updated.
    records: Vec<PushedRecord>,
    /// The number of commits before this one that were not pushed, because the subscriber was too slow or the store
    /// no longer had them.
    missed: u64,
    /// True if the commit had more than 2,000 nodes, edges or records. The rest is not in this commit's lists.
    truncated: bool,
}

/// An edge that the commit added.
#[derive(SimpleObject)]
struct NewEdge {
    from: String,
    kind: String,
    to: String,
}

/// A change: an actor did something to a resource.
#[derive(SimpleObject)]
struct NewChange {
    id: String,
    /// The uid of the changed resource.
    uid: Option<String>,
}

/// A record that the commit added or updated.
#[derive(SimpleObject)]
struct PushedRecord {
    kind: RecordKind,
    id: String,
    /// When the episode was opened.
    opened: DateTime,
    /// The uid of the node that the record is about.
    uid: Option<String>,
    status: Option<String>,
    severity: Option<String>,
    /// False if the commit updated a known record.
    is_new: bool,
}

#[ComplexObject]
impl Commit {
    /// The current nodes of `uids`, at most the first 500.
    #[graphql(complexity = "50 * child_complexity")]
    async fn nodes(&self, context: &Context<'_>) -> Result<Vec<Node>> {
        let uids = &self.uids[..self.uids.len().min(MAX_NODES)];
        let nodes = store(context)
            .nodes(uids, AsOf::Now)
            .await
            .map_err(store_error)?;
        Ok(Node::all(nodes, AsOf::Now))
    }
}

#[async_graphql::Subscription]
impl Subscription {
    /// The commits from now on: all commits, or only those that concern the given nodes.
    async fn changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "follow only these uids or aliases, at most 100")] of: Option<Vec<String>>,
    ) -> Result<impl Stream<Item = Commit>> {
        // The subscription starts before the names are read, so that commits during these reads are pushed.
        let commits = store(context).commits();
        let mut followed = None;
        if let Some(names) = of {
            followed = Some(followed_uids(context, names).await?);
        }
        let commits = stream::unfold(commits, async |mut commits| {
            let mut missed = 0;
            loop {
                match commits.recv().await {
                    Ok(commit) => return Some(((commit, missed), commits)),
                    Err(RecvError::Lagged(behind)) => missed += behind,
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Ok(commits.filter_map(move |(commit, missed)| {
            let missed = missed + commit.missed;
            let pushed = Commit::of(&commit, missed, followed.as_ref());
            async move { pushed }
        }))
    }
}

/// The uids that the names resolve to, and the names themselves, since a commit names a node by the uid that its
/// source uses.
async fn followed_uids(context: &Context<'_>, names: Vec<String>) -> Result<BTreeSet<String>> {
    if names.len() > MAX_NAMES {
        return Err(Error::new(format!(
            "a subscription can follow at most {MAX_NAMES} uids or aliases, not {}",
            names.len()
        )));
    }
    let resolved = names::resolve(context, &names, AsOf::Now).await?;
    for (name, uids) in names.iter().zip(&resolved) {
        if uids.is_empty() {
            return Err(Error::new(format!(
                "node {name} not found: look it up with search(text: …)"
            )));
        }
        // An ended node no longer changes, and its alias may move to another node.
        for uid in uids.iter().filter(|uid| *uid != name) {
            names::reject_ended(context, name, uid, AsOf::Now).await?;
        }
    }
    Ok(resolved.into_iter().flatten().chain(names).collect())
}

impl Commit {
    /// `None` if the commit concerns no followed node, was not truncated, and no commit before it was missed.
    fn of(
        commit: &Arc<graph_store::Commit>,
        missed: u64,
        followed: Option<&BTreeSet<String>>,
    ) -> Option<Commit> {
        let is_followed = |uid: &String| followed.is_none_or(|uids| uids.contains(uid));
        let uids: Vec<String> = commit
            .nodes
            .iter()
            .filter(|uid| is_followed(uid))
            .cloned()
            .collect();
        let edges = commit
            .edges
            .iter()
            .filter(|(from, _, to)| is_followed(from) || is_followed(to));
        let edges: Vec<NewEdge> = edges
            .map(|(from, kind, to)| NewEdge {
                from: from.clone(),
                kind: kind.clone(),
                to: to.clone(),
            })
            .collect();
        let concerns_followed = |change: &&graph_store::NewRecord| match followed {
            Some(_) => change.names.iter().any(is_followed),
            None => true,
        };
        let changes = commit.changes().filter(concerns_followed);
        let changes: Vec<NewChange> = changes
            .map(|change| NewChange {
                id: change.id.clone(),
                uid: change.uid.clone(),
            })
            .collect();
        let records = commit.records.iter().filter(concerns_followed);
        let records: Vec<PushedRecord> = records.filter_map(PushedRecord::of).collect();
        let is_empty =
            uids.is_empty() && edges.is_empty() && changes.is_empty() && records.is_empty();
        (!is_empty || missed > 0 || commit.truncated).then_some(Commit {
            sequence: commit.sequence,
            uids,
            edges,
            changes,
            records,
            missed,
            truncated: commit.truncated,
        })
    }
}

impl PushedRecord {
    /// `None` for a signal that this version of airdig does not know: a newer version wrote the record.
    fn of(record: &graph_store::NewRecord) -> Option<PushedRecord> {
        let mut signals = Signal::ALL.into_iter();
        let signal = signals.find(|signal| signal.name() == record.signal)?;
        Some(PushedRecord {
            kind: RecordKind::of(signal),
            id: record.id.clone(),
            opened: DateTime(record.opened),
            uid: record.uid.clone(),
            status: record.status.clone(),
            severity: record.severity.clone(),
            is_new: record.is_new,
        })
    }
}
