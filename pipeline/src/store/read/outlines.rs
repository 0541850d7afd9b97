//! Pages of nodes with no more than a graph in memory needs: neither values nor tags are read.

use std::collections::BTreeSet;

use super::super::rows::{NodeId, ReadRows, RowsError};
use super::session::Session;
use crate::claims::{Class, winner};
use crate::graph_store::{NodeOutline, Outlines, OutlinesPage};

impl<R: ReadRows> Session<R> {
    pub(super) async fn outlines(
        &mut self,
        edge_kinds: &[String],
        after: Option<&str>,
        limit: usize,
    ) -> Result<OutlinesPage, RowsError> {
        let Some(after) = self.place(after).await? else {
            return Ok(OutlinesPage::default());
        };
        let listed = self.listed(after, limit).await?;
        let nodes = self.outlines_of_nodes(&listed, edge_kinds).await?;
        let last = listed.last().filter(|_| listed.len() == limit);
        let last = last.map(|id| self.uid(*id).to_owned());
        Ok(OutlinesPage { nodes, last })
    }

    /// The outlines of these uids, and of those that they are other names of.
    pub(super) async fn outlines_of_uids(
        &mut self,
        edge_kinds: &[String],
        uids: &[String],
    ) -> Result<Outlines, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let ids: BTreeSet<NodeId> = ids.into_iter().flatten().collect();
        let named: Vec<NodeId> = ids.iter().copied().collect();
        let same = self.owners(&named).await?;
        let alone = ids.iter().map(|id| same.canonical(*id));
        let alone: BTreeSet<NodeId> = alone.collect();
        let alone: Vec<NodeId> = alone.into_iter().collect();
        let nodes = self.outlines_of_nodes(&alone, edge_kinds).await?;
        let all: BTreeSet<&NodeId> = ids.iter().chain(&alone).collect();
        let ended = all.into_iter().filter_map(|id| {
            let ended = self.life(*id).ended?;
            Some((self.uid(*id).to_owned(), ended))
        });
        let ended = ended.collect();
        Ok(Outlines { nodes, ended })
    }

    /// Of these nodes those that are current.
    async fn outlines_of_nodes(
        &mut self,
        ids: &[NodeId],
        edge_kinds: &[String],
    ) -> Result<Vec<NodeOutline>, RowsError> {
        self.load_lives(ids).await?;
        self.load_claims(ids).await?;
        let current = ids.iter().copied();
        let current = current.filter(|id| self.is_claimed(*id) && self.is_current(*id));
        let current: Vec<NodeId> = current.collect();
        let mut edges = self.edges_from(&current, edge_kinds).await?;
        let kinds = current.iter().filter_map(|id| self.header(*id));
        let kinds: Vec<_> = kinds.map(|header| header.kind).collect();
        self.words.read(&mut self.rows, kinds.into_iter()).await?;
        let outlines = current.into_iter().map(|id| {
            let (edges, ended_ends) = edges.remove(&id).unwrap_or_default();
            NodeOutline {
                uid: self.uid(id).to_owned(),
                kind: self.kind(self.header(id).map_or(0, |header| header.kind)),
                class: self.class_of(id),
                last_seen: self.last_seen(id).unwrap_or_default(),
                claims: self.claim_infos(id),
                edges,
                ended_ends,
            }
        });
        Ok(outlines.collect())
    }

    /// The class of the reports by which a node is called what it is; its claims are loaded.
    fn class_of(&self, id: NodeId) -> Class {
        let mut classes = [Class::Actual, Class::Created, Class::Desired].into_iter();
        let class = classes.find(|class| winner(self.claims(id), *class, self.at).is_some());
        class.unwrap_or(Class::Telemetry)
    }
}
