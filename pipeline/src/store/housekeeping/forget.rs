//! Removes what of a node has aged, or the node with all its rows, in the transaction of a step.

use std::collections::BTreeSet;

use super::super::rows::{
    AliasKey, ClaimKey, CountRow, EdgeKey, EdgePage, Listing, NodeId, Part, Projection, RowsError,
    SnapshotKey, TextField, VersionKey, VersionRow, Word, WriteRows,
};
use super::super::write::Transaction;
use super::super::{snapshot, texts};
use super::aged::{self, Limits};
use super::node::{self, NodeRows, PAST_EDGES};
use crate::component::UnixNanos;
use crate::schema::aliases::kind;

/// Rows of one kind that are removed of a node at once.
const LIMIT: usize = if cfg!(test) { 2 } else { 500 };

/// Snapshots that are read at a time.
const SNAPSHOTS: usize = if cfg!(test) { 2 } else { 64 };

const FIELDS: [TextField; 5] = [
    TextField::Name,
    TextField::Alias,
    TextField::Uid,
    TextField::Tag,
    TextField::TagKey,
];

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tidied {
    pub(super) removed: u64,
    /// Whether nothing of the node is left to remove.
    pub(super) is_complete: bool,
}

/// What snapshots have in them.
#[derive(Default)]
struct Contents {
    /// (to, kind)
    edges: BTreeSet<(NodeId, Word)>,
    aliases: BTreeSet<String>,
}

pub(super) async fn tidy<R: WriteRows>(
    transaction: &mut Transaction<'_, R>,
    id: NodeId,
    limits: &Limits,
) -> Result<Tidied, RowsError> {
    let mut nodes = node::load(transaction.rows, &[id], limits).await?;
    let Some(node) = nodes.pop() else {
        return Ok(Tidied {
            removed: 0,
            is_complete: true,
        });
    };
    let is_removed =
        aged::is_over(&node, limits) && !node::is_needed(transaction.rows, id, limits).await?;
    let mut forget = Forget {
        transaction,
        tidied: Tidied {
            removed: 0,
            is_complete: true,
        },
    };
    match is_removed {
        true => forget.node(node).await?,
        false => forget.aged(node, limits).await?,
    }
    Ok(forget.tidied)
}

struct Forget<'f, 't, R> {
    transaction: &'f mut Transaction<'t, R>,
    tidied: Tidied,
}

impl<R: WriteRows> Forget<'_, '_, R> {
    /// The first of them that one transaction takes.
    fn some<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        if all.len() > LIMIT {
            all.truncate(LIMIT);
            self.tidied.is_complete = false;
        }
        self.tidied.removed += all.len() as u64;
        all
    }

    async fn aged(&mut self, node: NodeRows, limits: &Limits) -> Result<(), RowsError> {
        let old = node.claims.iter().flat_map(|(key, stretches)| {
            let old = aged::old_stretches(key.class, stretches, limits.cut);
            old.into_iter().map(|since| (*key, since))
        });
        let old = self.some(old.collect());
        let removed: BTreeSet<(ClaimKey, UnixNanos)> = old.iter().copied().collect();
        if !old.is_empty() {
            self.transaction.rows.remove_claims(&old).await?;
        }
        let mut claims = node.claims;
        for (key, stretches) in &mut claims {
            stretches.retain(|it| !removed.contains(&(*key, it.since)));
        }
        let kept: Vec<_> = claims
            .iter()
            .map(|(key, it)| (*key, it.as_slice()))
            .collect();
        let unnamed = aged::unnamed_versions(&node.versions, &kept, limits);
        let unnamed = unnamed.into_iter().map(|row| row.key).collect();
        self.versions(node.row.id, &node.versions, unnamed).await?;
        let edges = self.some(node.expired_edges);
        let aliases = self.some(node.expired_aliases);
        if edges.is_empty() && aliases.is_empty() {
            return Ok(());
        }
        let snapshots = aged::snapshots_of(node.versions.iter());
        let kept = self.contents(&snapshots).await?;
        self.edges(&edges, &kept).await?;
        self.aliases(node.row.id, aliases, &kept).await
    }

    /// All of it.
    async fn node(&mut self, node: NodeRows) -> Result<(), RowsError> {
        let id = node.row.id;
        // The last ones go at the end: as long as they are there, so is the reason why the node goes.
        let (mut last, mut past) = (Vec::new(), Vec::new());
        for (key, stretches) in &node.claims {
            let mut all = stretches.iter().rev().map(|stretch| (*key, stretch.since));
            last.extend(all.next());
            past.extend(all);
        }
        let past = self.some(past);
        if !past.is_empty() {
            self.transaction.rows.remove_claims(&past).await?;
        }
        let versions = node.versions.iter().map(|row| row.key).collect();
        self.versions(id, &node.versions, versions).await?;
        let page = EdgePage {
            after: None,
            limit: LIMIT + 1,
        };
        let edges = self.transaction.rows.edges_out(&[id], &[], &page).await?;
        let edges = self.some(edges.into_iter().map(|row| row.key).collect());
        self.edges(&edges, &Contents::default()).await?;
        if !self.tidied.is_complete {
            return Ok(());
        }
        self.tidied.removed += last.len() as u64;
        self.transaction.rows.remove_claims(&last).await?;
        let aliases = self.transaction.rows.aliases(&[id]).await?;
        let aliases: Vec<AliasKey> = aliases.into_iter().map(|row| row.key).collect();
        self.aliases(id, aliases, &Contents::default()).await?;
        let rows = &mut *self.transaction.rows;
        let past = rows.past_edges_in(&[id], &[], None, PAST_EDGES).await?;
        rows.remove_past_edges(&past).await?;
        rows.put_texts(&FIELDS.map(|field| (id, field)), &[])
            .await?;
        rows.remove_contested(&[id]).await?;
        if node.row.listing == Listing::Current {
            rows.add_counts(&[CountRow {
                kind: node.row.kind,
                provider: node.row.provider,
                count: -1,
            }])
            .await?;
        }
        self.tidied.removed += 1;
        rows.remove_nodes(&[id]).await
    }

    /// Removes versions of a node, and the snapshots that no other version names.
    async fn versions(
        &mut self,
        node: NodeId,
        all: &[VersionRow],
        removed: Vec<VersionKey>,
    ) -> Result<(), RowsError> {
        let removed = self.some(removed);
        if removed.is_empty() {
            return Ok(());
        }
        let keys: BTreeSet<VersionKey> = removed.iter().copied().collect();
        let is_removed = |row: &&VersionRow| keys.contains(&row.key);
        let kept = aged::snapshots_of(all.iter().filter(|row| !is_removed(row)));
        let mut snapshots = aged::snapshots_of(all.iter().filter(is_removed));
        snapshots.retain(|key| !kept.contains(key));
        self.tidied.removed += snapshots.len() as u64;
        if !snapshots.is_empty() {
            self.past(node, &snapshots, &kept).await?;
            let snapshots: Vec<SnapshotKey> = snapshots.into_iter().collect();
            self.transaction.rows.remove_snapshots(&snapshots).await?;
        }
        self.transaction.rows.remove_versions(&removed).await
    }

    /// Forgets the edges and aliases that only these snapshots had.
    async fn past(
        &mut self,
        node: NodeId,
        removed: &BTreeSet<SnapshotKey>,
        kept: &BTreeSet<SnapshotKey>,
    ) -> Result<(), RowsError> {
        let mut gone = self.contents(removed).await?;
        let left = self.contents(kept).await?;
        gone.edges.retain(|edge| !left.edges.contains(edge));
        gone.aliases.retain(|alias| !left.aliases.contains(alias));
        let edges = gone.edges.into_iter().map(|(to, kind)| (to, kind, node));
        let edges: Vec<_> = edges.collect();
        let aliases: Vec<_> = gone
            .aliases
            .into_iter()
            .map(|value| (value, node))
            .collect();
        if !edges.is_empty() {
            self.transaction.rows.remove_past_edges(&edges).await?;
        }
        match aliases.is_empty() {
            true => Ok(()),
            false => self.transaction.rows.remove_past_aliases(&aliases).await,
        }
    }

    async fn contents(&mut self, keys: &BTreeSet<SnapshotKey>) -> Result<Contents, RowsError> {
        let keys: Vec<SnapshotKey> = keys.iter().copied().collect();
        let mut contents = Contents::default();
        for keys in keys.chunks(SNAPSHOTS) {
            for (key, bytes) in self.transaction.rows.snapshots(keys).await? {
                match key.part {
                    Part::Edges => {
                        let items = snapshot::decode_edges(&bytes).into_iter();
                        contents
                            .edges
                            .extend(items.map(|item| (item.to, item.kind)));
                    }
                    Part::Aliases => {
                        let items = snapshot::decode_aliases(&bytes).into_iter();
                        contents.aliases.extend(items.map(|item| item.value));
                    }
                }
            }
        }
        Ok(contents)
    }

    /// Removes current edges. Those that no snapshot has leave no trace.
    async fn edges(&mut self, keys: &[EdgeKey], kept: &Contents) -> Result<(), RowsError> {
        if keys.is_empty() {
            return Ok(());
        }
        let past = keys.iter().map(|key| (key.to, key.kind, key.from));
        let past = past.filter(|(to, kind, _)| !kept.edges.contains(&(*to, *kind)));
        let past: Vec<_> = past.collect();
        self.transaction.rows.remove_edges(keys).await?;
        self.transaction.rows.remove_past_edges(&past).await
    }

    /// Likewise aliases of a node.
    async fn aliases(
        &mut self,
        node: NodeId,
        keys: Vec<AliasKey>,
        kept: &Contents,
    ) -> Result<(), RowsError> {
        if keys.is_empty() {
            return Ok(());
        }
        let same_as = [kind::SAME_AS].into_iter();
        self.transaction
            .words
            .find(self.transaction.rows, same_as)
            .await?;
        let rows = &mut *self.transaction.rows;
        rows.remove_aliases(&keys).await?;
        let past = keys.iter().map(|key| &key.value);
        let past = past.filter(|value| !kept.aliases.contains(*value));
        let past: Vec<_> = past.map(|value| (value.clone(), node)).collect();
        rows.remove_past_aliases(&past).await?;
        let left = rows.aliases(&[node]).await?;
        let found = rows.nodes(&[node], Projection::Header).await?;
        let mut changes = texts::Changes::default();
        for row in &found {
            changes.aliases(row, left.iter().map(|alias| alias.key.value.as_str()));
        }
        let (fields, texts) = changes.finish();
        rows.put_texts(&fields, &texts).await?;
        self.transaction.same_as_changed(keys);
        Ok(())
    }
}
