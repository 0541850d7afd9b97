//! What is pushed.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Error, Result, SimpleObject};
use futures::{Stream, StreamExt, stream};
use pipeline::Signal;
use pipeline::graph_store::{self, At};
use tokio::sync::broadcast::error::RecvError;

use super::names;
use super::store::{store, unanswered};
use super::time::DateTime;
use super::types::{Node, RecordKind};

pub(super) struct Subscription;

/// Nodes of one commit that are read.
const NODES: usize = 500;

/// Nodes that one subscription follows by name.
const NAMES: usize = 100;

/// What a commit of the store made new.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Commit {
    /// Grows with each commit since the process started.
    sequence: u64,
    /// Uids of nodes of which something new is known.
    uids: Vec<String>,
    edges: Vec<NewEdge>,
    changes: Vec<NewChange>,
    /// Drift, health, correlations, alerts and changes that are new or were reported anew.
    records: Vec<PushedRecord>,
    /// Commits that were missed before this one, since the subscriber was too slow.
    missed: u64,
    /// Whether the commit had more than 2,000 of something, which is left out.
    truncated: bool,
}

/// An edge that was not known before.
#[derive(SimpleObject)]
struct NewEdge {
    from: String,
    kind: String,
    to: String,
}

/// Something that somebody did.
#[derive(SimpleObject)]
struct NewChange {
    id: String,
    /// What was changed.
    uid: Option<String>,
}

/// A record of which a row was written.
#[derive(SimpleObject)]
struct PushedRecord {
    kind: RecordKind,
    id: String,
    /// When the episode began.
    opened: DateTime,
    /// What it is about.
    uid: Option<String>,
    status: Option<String>,
    severity: Option<String>,
    /// False where an older row of it was known.
    is_new: bool,
}

#[ComplexObject]
impl Commit {
    /// The nodes of `uids` as they are now, the first 500 of them.
    #[graphql(complexity = "50 * child_complexity")]
    async fn nodes(&self, context: &Context<'_>) -> Result<Vec<Node>> {
        let uids = &self.uids[..self.uids.len().min(NODES)];
        let nodes = store(context)
            .nodes(uids, At::Now)
            .await
            .map_err(unanswered)?;
        Ok(Node::all(nodes, At::Now))
    }
}

#[async_graphql::Subscription]
impl Subscription {
    /// What becomes known from now on, or only what concerns some nodes.
    async fn changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uids or aliases")] of: Option<Vec<String>>,
    ) -> Result<impl Stream<Item = Commit>> {
        // Before anything is read: what is committed meanwhile is pushed.
        let commits = store(context).commits();
        let mut wanted = None;
        if let Some(names) = of {
            wanted = Some(uids(context, names).await?);
        }
        let followed = stream::unfold(commits, async |mut commits| {
            let mut missed = 0;
            loop {
                match commits.recv().await {
                    Ok(commit) => return Some(((commit, missed), commits)),
                    Err(RecvError::Lagged(behind)) => missed += behind,
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Ok(followed.filter_map(move |(commit, missed)| {
            let missed = missed + commit.missed;
            let told = Commit::of(&commit, missed, wanted.as_ref());
            async move { told }
        }))
    }
}

/// What these names lead to, and the names themselves: commits call a thing what its source does.
async fn uids(context: &Context<'_>, names: Vec<String>) -> Result<BTreeSet<String>> {
    if names.len() > NAMES {
        return Err(Error::new(format!(
            "{NAMES} nodes can be followed at once, not {}",
            names.len()
        )));
    }
    let found = names::resolve(context, &names, At::Now).await?;
    for (name, uids) in names.iter().zip(&found) {
        if uids.is_empty() {
            return Err(Error::new(format!(
                "nothing is known of {name}: find it with search(text: …)"
            )));
        }
        // Nothing more is told of what has ended, and of what has its name next it is another's.
        for uid in uids.iter().filter(|uid| *uid != name) {
            names::refuse_ended(context, name, uid, At::Now).await?;
        }
    }
    Ok(found.into_iter().flatten().chain(names).collect())
}

impl Commit {
    /// None where nothing of it was asked for.
    fn of(
        commit: &Arc<graph_store::Commit>,
        missed: u64,
        wanted: Option<&BTreeSet<String>>,
    ) -> Option<Commit> {
        let is_wanted = |uid: &String| wanted.is_none_or(|wanted| wanted.contains(uid));
        let uids: Vec<String> = commit
            .nodes
            .iter()
            .filter(|uid| is_wanted(uid))
            .cloned()
            .collect();
        let edges = commit
            .edges
            .iter()
            .filter(|(from, _, to)| is_wanted(from) || is_wanted(to));
        let edges: Vec<NewEdge> = edges
            .map(|(from, kind, to)| NewEdge {
                from: from.clone(),
                kind: kind.clone(),
                to: to.clone(),
            })
            .collect();
        let concerns = |change: &&graph_store::NewRecord| match wanted {
            Some(_) => change.names.iter().any(is_wanted),
            None => true,
        };
        let changes = commit.changes().filter(concerns);
        let changes: Vec<NewChange> = changes
            .map(|change| NewChange {
                id: change.id.clone(),
                uid: change.uid.clone(),
            })
            .collect();
        let records = commit.records.iter().filter(concerns);
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
    /// None where a newer version of airdig wrote a signal that this one does not know.
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
