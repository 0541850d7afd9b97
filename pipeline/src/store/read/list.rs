//! Lists of nodes, page by page, in the order in which nodes were first written.

use serde_json::Value as Json;

use super::super::rows::{NodeId, Projection, ReadRows, RowFilter, RowsError};
use super::super::texts::said;
use super::session::Session;
use crate::attributes::{Map, map_to_json};
use crate::graph_store::{At, Node, NodeFilter, TagFilter};

/// Candidates that are looked at together, at least and at most.
const PAGE: (usize, usize) = if cfg!(test) { (2, 4) } else { (64, 2000) };

impl<R: ReadRows> Session<R> {
    pub(super) async fn list(
        &mut self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Node>, RowsError> {
        let mut found = Vec::new();
        let Some(mut after) = self.place(after).await? else {
            return Ok(found);
        };
        let Some(rows) = self.row_filter(filter).await? else {
            return Ok(found);
        };
        // Where few fit, as of T most of all, pages become larger.
        let mut least = PAGE.0;
        while found.len() < limit {
            let page = (limit - found.len()).clamp(least, PAGE.1);
            least = (least * 2).min(PAGE.1);
            let ids = self.rows.list(&rows, after, page).await?;
            let Some(&last) = ids.last() else { break };
            after = last;
            let is_last = ids.len() < page;
            let fitting = self.fitting(filter, ids).await?;
            let mut nodes = self.claimed_nodes(&fitting).await?;
            let nodes = fitting
                .iter()
                .filter_map(|id| Some((*id, nodes.remove(id)?)));
            let nodes = nodes.filter(|(id, node)| {
                fits(filter, node) && (filter.with_ended || self.is_current(*id))
            });
            found.extend(nodes.map(|(_, node)| node));
            self.forget();
            if is_last {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// What the backend restricts a list to; none where nothing can fit.
    async fn row_filter(&mut self, filter: &NodeFilter) -> Result<Option<RowFilter>, RowsError> {
        if self.at != At::Now {
            // Nodes were of other kinds and had other names then.
            return Ok(Some(RowFilter {
                with_ended: true,
                ..RowFilter::default()
            }));
        }
        let kinds = self.find_words(&filter.kinds).await?;
        if kinds.is_empty() && !filter.kinds.is_empty() {
            return Ok(None);
        }
        let mut words = [0; 3];
        let wanted = [&filter.provider, &filter.account, &filter.region];
        for (word, wanted) in words.iter_mut().zip(wanted) {
            if let Some(wanted) = wanted {
                *word = self.find_word(wanted).await?;
                if *word == 0 {
                    return Ok(None);
                }
            }
        }
        let [provider, account, region] = words;
        let tags = filter.tags.iter();
        Ok(Some(RowFilter {
            kinds,
            provider,
            account,
            region,
            with_ended: filter.with_ended,
            tags: tags
                .map(|tag| (tag.key.clone(), tag.value.clone()))
                .collect(),
            text: filter.text.as_ref().map(|text| text.to_lowercase()),
        }))
    }

    /// Candidates that the node rows do not rule out, without another name of something.
    async fn fitting(
        &mut self,
        filter: &NodeFilter,
        ids: Vec<NodeId>,
    ) -> Result<Vec<NodeId>, RowsError> {
        if self.at != At::Now {
            return self.without_merged(ids).await;
        }
        if filter.tags.is_empty() && filter.text.is_none() {
            return Ok(ids);
        }
        let rows = self.rows.nodes(&ids, Projection::Full).await?;
        let fitting = rows.into_iter().filter(|row| {
            let tags = row.tags.as_deref().unwrap_or_default();
            let tags = map_to_json(Map::new(tags));
            has_text(filter, &row.uid, row.name.as_deref())
                && filter.tags.iter().all(|tag| has_tag(&tags, tag))
        });
        let mut fitting: Vec<NodeId> = fitting.map(|row| row.id).collect();
        fitting.sort_unstable();
        Ok(fitting)
    }

    pub(super) async fn without_merged(
        &mut self,
        ids: Vec<NodeId>,
    ) -> Result<Vec<NodeId>, RowsError> {
        let same = self.owners(&ids).await?;
        let alone = ids.into_iter().filter(|id| same.canonical(*id) == *id);
        Ok(alone.collect())
    }

    /// Nodes that stand in the list of the moment, the next ones after a number.
    pub(super) async fn listed(
        &mut self,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<NodeId>, RowsError> {
        let filter = RowFilter {
            with_ended: self.at != At::Now,
            ..RowFilter::default()
        };
        self.rows.list(&filter, after, limit).await
    }
}

fn fits(filter: &NodeFilter, node: &Node) -> bool {
    let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    (filter.kinds.is_empty() || filter.kinds.contains(&node.kind))
        && is(&filter.provider, &node.provider)
        && is(&filter.account, &node.account)
        && is(&filter.region, &node.region)
        && has_text(filter, &node.uid, node.name.as_deref())
        && filter.tags.iter().all(|tag| has_tag(&node.tags, tag))
        && (filter.with_ended || node.ended.is_none())
}

fn has_text(filter: &NodeFilter, uid: &str, name: Option<&str>) -> bool {
    let Some(text) = &filter.text else {
        return true;
    };
    let text = text.to_lowercase();
    let name = name.unwrap_or_default();
    name.to_lowercase().contains(&text) || uid.to_lowercase().contains(&text)
}

fn has_tag(tags: &serde_json::Map<String, Json>, tag: &TagFilter) -> bool {
    let is = |found: &Json| tag.value.as_ref().is_none_or(|value| said(found) == *value);
    tags.get(&tag.key).is_some_and(is)
}
