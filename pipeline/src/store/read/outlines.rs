//! Pages of nodes with no more than a graph in memory needs: neither values nor tags are read.

use super::super::rows::{NodeId, ReadRows, RowsError};
use super::session::Session;
use crate::claims::{Class, winner};
use crate::graph_store::{NodeOutline, OutlinesPage};

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
        self.load_lives(&listed).await?;
        self.load_claims(&listed).await?;
        let last = listed.last().filter(|_| listed.len() == limit);
        let last = last.map(|id| self.uid(*id).to_owned());
        let current = listed.into_iter();
        let current = current.filter(|id| self.is_claimed(*id) && self.is_current(*id));
        let current: Vec<NodeId> = current.collect();
        let mut edges = self.edges_from(&current, edge_kinds).await?;
        let kinds = current.iter().filter_map(|id| self.header(*id));
        let kinds: Vec<_> = kinds.map(|header| header.kind).collect();
        self.words.read(&mut self.rows, kinds.into_iter()).await?;
        let outlines = current.into_iter().map(|id| NodeOutline {
            uid: self.uid(id).to_owned(),
            kind: self.kind(self.header(id).map_or(0, |header| header.kind)),
            class: self.class_of(id),
            last_seen: self.last_seen(id).unwrap_or_default(),
            claims: self.claim_infos(id),
            edges: edges.remove(&id).unwrap_or_default(),
        });
        let nodes = outlines.collect();
        Ok(OutlinesPage { nodes, last })
    }

    /// The class of the reports by which a node is called what it is; its claims are loaded.
    fn class_of(&self, id: NodeId) -> Class {
        let mut classes = [Class::Actual, Class::Created, Class::Desired].into_iter();
        let class = classes.find(|class| winner(self.claims(id), *class, self.at).is_some());
        class.unwrap_or(Class::Telemetry)
    }
}
