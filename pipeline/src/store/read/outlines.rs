//! Reads outlines: nodes with their claims and edges, but without values and tags, for a graph in memory.

use std::collections::BTreeSet;

use super::reader::GraphReader;
use crate::claims::{ClaimClass, winner};
use crate::graph_store::{NodeOutline, Outlines, OutlinesPage};
use crate::store::rows::{NodeId, ReadRows, RowsError};

impl<R: ReadRows> GraphReader<R> {
    /// Returns a page of the outlines of current nodes after `after`.
    pub(super) async fn outlines(
        &mut self,
        edge_kinds: &[String],
        after: Option<&str>,
        limit: usize,
    ) -> Result<OutlinesPage, RowsError> {
        let Some(after) = self.page_start(after).await? else {
            return Ok(OutlinesPage::default());
        };
        let listed = self.listed(after, limit).await?;
        let nodes = self.outlines_of_nodes(&listed, edge_kinds).await?;
        let last = listed.last().filter(|_| listed.len() == limit);
        let last = last.map(|id| self.uid(*id).to_owned());
        Ok(OutlinesPage { nodes, last })
    }

    /// Returns the outlines of these uids, and of the nodes that they are merged into.
    pub(super) async fn outlines_of_uids(
        &mut self,
        edge_kinds: &[String],
        uids: &[String],
    ) -> Result<Outlines, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let ids: BTreeSet<NodeId> = ids.into_iter().flatten().collect();
        let requested: Vec<NodeId> = ids.iter().copied().collect();
        let owners = self.load_owners(&requested).await?;
        let canonical = ids.iter().map(|id| owners.canonical(*id));
        let canonical: BTreeSet<NodeId> = canonical.collect();
        let canonical: Vec<NodeId> = canonical.into_iter().collect();
        let nodes = self.outlines_of_nodes(&canonical, edge_kinds).await?;
        let all: BTreeSet<&NodeId> = ids.iter().chain(&canonical).collect();
        let ended = all.into_iter().filter_map(|id| {
            let ended = self.lifecycle(*id).ended?;
            Some((self.uid(*id).to_owned(), ended))
        });
        let ended = ended.collect();
        Ok(Outlines { nodes, ended })
    }

    /// Returns the outlines of those of these nodes that are current.
    async fn outlines_of_nodes(
        &mut self,
        ids: &[NodeId],
        edge_kinds: &[String],
    ) -> Result<Vec<NodeOutline>, RowsError> {
        self.load_lifecycles(ids).await?;
        self.load_claims(ids).await?;
        let current = ids.iter().copied();
        let current = current.filter(|id| self.is_claimed(*id) && self.is_current(*id));
        let current: Vec<NodeId> = current.collect();
        let mut edges = self.edges_from(&current, edge_kinds).await?;
        let kinds = current.iter().filter_map(|id| self.header(*id));
        let kinds: Vec<_> = kinds.map(|header| header.kind).collect();
        self.words
            .load_texts(&mut self.rows, kinds.into_iter())
            .await?;
        let outlines = current.into_iter().map(|id| {
            let (edges, ended_targets) = edges.remove(&id).unwrap_or_default();
            NodeOutline {
                uid: self.uid(id).to_owned(),
                kind: self.kind(self.header(id).map_or(0, |header| header.kind)),
                class: self.class_of(id),
                last_seen: self.last_seen(id).unwrap_or_default(),
                claims: self.claim_infos(id),
                edges,
                ended_targets,
            }
        });
        Ok(outlines.collect())
    }

    /// Returns the class of the claims that determine the kind of a node. Its claims must be loaded.
    fn class_of(&self, id: NodeId) -> ClaimClass {
        let mut classes =
            [ClaimClass::Actual, ClaimClass::Created, ClaimClass::Desired].into_iter();
        let class = classes.find(|class| winner(self.claims(id), *class, self.as_of).is_some());
        class.unwrap_or(ClaimClass::Telemetry)
    }
}
