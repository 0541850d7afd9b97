//! Reads lists of nodes, page by page, in the order in which nodes were first written.

use serde_json::Value as Json;

use super::reader::GraphReader;
use super::search::MIN_SUBSTRING;
use crate::attributes::{Map, map_to_json};
use crate::graph_store::{AsOf, Node, NodeFilter, TagFilter};
use crate::store::rows::{
    NodeId, NodeRowFilter, Projection, ReadRows, RowsError, TextCondition, TextField, TextMatch,
};
use crate::store::search_texts::{lowercase, normalize, tag_key_text, tag_value_text, uid_tail};

/// The minimum and maximum number of candidates that are examined together.
const PAGE: (usize, usize) = if cfg!(test) { (2, 4) } else { (64, 2000) };

impl<R: ReadRows> GraphReader<R> {
    /// Returns up to `limit` nodes that match a filter, starting after the uid `after`.
    pub(super) async fn list(
        &mut self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Node>, RowsError> {
        let mut found = Vec::new();
        let Some(mut after) = self.page_start(after).await? else {
            return Ok(found);
        };
        let Some(rows) = self.row_filter(filter).await? else {
            return Ok(found);
        };
        // Pages grow, since few candidates may match, especially as of a past time.
        let mut min_page = PAGE.0;
        while found.len() < limit {
            let page = (limit - found.len()).clamp(min_page, PAGE.1);
            min_page = (min_page * 2).min(PAGE.1);
            let ids = self.rows.list(&rows, after, page).await?;
            let Some(&last) = ids.last() else { break };
            after = last;
            let is_last = ids.len() < page;
            let prefiltered = self.filter_by_header(filter, &rows, ids).await?;
            let mut nodes = self.claimed_nodes(&prefiltered).await?;
            let nodes = prefiltered
                .iter()
                .filter_map(|id| Some((*id, nodes.remove(id)?)));
            let nodes = nodes.filter(|(id, node)| {
                matches_filter(filter, node) && (filter.include_ended || self.is_current(*id))
            });
            found.extend(nodes.map(|(_, node)| node));
            self.clear_nodes();
            if is_last {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Converts a filter for the backend; `None` if no node can match.
    async fn row_filter(
        &mut self,
        filter: &NodeFilter,
    ) -> Result<Option<NodeRowFilter>, RowsError> {
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
        let tags = filter.tags.iter().map(|tag| vec![tag_condition(tag)]);
        let text = filter.text.as_deref().filter(|text| !text.is_empty());
        Ok(Some(NodeRowFilter {
            kinds,
            provider,
            account,
            region,
            include_ended: filter.include_ended || self.as_of != AsOf::Now,
            texts: text.map(name_conditions).into_iter().chain(tags).collect(),
            // A node that changed since that time may have had another kind or name.
            changed_after: match self.as_of {
                AsOf::Now => None,
                AsOf::Time(time) => Some(time),
            },
        }))
    }

    /// Returns the candidates whose headers match. Leaves out merged nodes.
    async fn filter_by_header(
        &mut self,
        filter: &NodeFilter,
        rows: &NodeRowFilter,
        ids: Vec<NodeId>,
    ) -> Result<Vec<NodeId>, RowsError> {
        let is_restricted = *rows
            != NodeRowFilter {
                include_ended: rows.include_ended,
                changed_after: rows.changed_after,
                ..NodeRowFilter::default()
            };
        if self.as_of == AsOf::Now {
            if rows.texts.is_empty() {
                return Ok(ids);
            }
            self.load_full(&ids).await?;
            let prefiltered = ids.into_iter().filter(|id| {
                self.header(*id)
                    .is_some_and(|row| has_texts(filter, &row.uid, row.name.as_deref(), &row.tags))
            });
            return Ok(prefiltered.collect());
        }
        let ids = self.without_merged(ids).await?;
        if !is_restricted {
            return Ok(ids);
        }
        self.load_lifecycles(&ids).await?;
        let versions = self.winning_versions(&ids, Projection::Header).await?;
        let prefiltered = ids.into_iter().filter(|id| {
            let header = self.header_at(*id, &versions);
            let is = |wanted, word| wanted == 0 || wanted == word;
            (rows.kinds.is_empty() || rows.kinds.contains(&header.kind))
                && is(rows.provider, header.provider)
                && is(rows.account, header.account)
                && is(rows.region, header.region)
                && has_texts(filter, self.uid(*id), header.name.as_deref(), &header.tags)
        });
        Ok(prefiltered.collect())
    }

    /// Returns those of these nodes that are not merged into another node.
    pub(super) async fn without_merged(
        &mut self,
        ids: Vec<NodeId>,
    ) -> Result<Vec<NodeId>, RowsError> {
        let owners = self.load_owners(&ids).await?;
        let unmerged = ids.into_iter().filter(|id| owners.canonical(*id) == *id);
        Ok(unmerged.collect())
    }

    /// Returns the next `limit` listed nodes after `after`. A read of now returns only current nodes, a read of the
    /// past also ended ones.
    pub(super) async fn listed(
        &mut self,
        after: NodeId,
        limit: usize,
    ) -> Result<Vec<NodeId>, RowsError> {
        let filter = NodeRowFilter {
            include_ended: self.as_of != AsOf::Now,
            ..NodeRowFilter::default()
        };
        self.rows.list(&filter, after, limit).await
    }
}

/// Returns two conditions. A node meets at least one of them if its name or uid contains the text.
fn name_conditions(text: &str) -> Vec<TextCondition> {
    let texts = [
        (TextField::Name, normalize(text)),
        (TextField::Uid, normalize(uid_tail(text))),
    ];
    let wanted = texts.map(|(field, text)| TextCondition {
        field,
        mode: match text.chars().count() < MIN_SUBSTRING {
            true => TextMatch::Prefix,
            false => TextMatch::Substring,
        },
        text,
    });
    wanted.into()
}

/// Returns the condition that a node with a tag meets.
fn tag_condition(tag: &TagFilter) -> TextCondition {
    let value = tag.value.as_deref().filter(|value| !value.is_empty());
    let (field, text) = match value {
        Some(value) => (TextField::Tag, normalize(value)),
        None => (TextField::TagKey, tag_key_text(&tag.key)),
    };
    TextCondition {
        field,
        mode: TextMatch::Exact,
        text,
    }
}

/// Whether a node matches a filter.
fn matches_filter(filter: &NodeFilter, node: &Node) -> bool {
    let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    (filter.kinds.is_empty() || filter.kinds.contains(&node.kind))
        && is(&filter.provider, &node.provider)
        && is(&filter.account, &node.account)
        && is(&filter.region, &node.region)
        && has_text(filter, &node.uid, node.name.as_deref())
        && filter.tags.iter().all(|tag| has_tag(&node.tags, tag))
        && (filter.include_ended || node.ended.is_none())
}

/// Whether a name or uid and the tags match a filter.
fn has_texts(filter: &NodeFilter, uid: &str, name: Option<&str>, tags: &Option<Vec<u8>>) -> bool {
    if !has_text(filter, uid, name) {
        return false;
    }
    if filter.tags.is_empty() {
        return true;
    }
    let tags = map_to_json(Map::new(tags.as_deref().unwrap_or_default()));
    filter.tags.iter().all(|tag| has_tag(&tags, tag))
}

/// Whether a name or uid matches the text of a filter. Only the tail of the uid is compared: its beginning is the
/// location of the resource, and there are other filters for that. A text of less than three characters must be at the
/// beginning.
fn has_text(filter: &NodeFilter, uid: &str, name: Option<&str>) -> bool {
    let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) else {
        return true;
    };
    let wanted = lowercase(text);
    let is_short = text.chars().count() < MIN_SUBSTRING;
    let is_match = |text: &str| match is_short {
        true => lowercase(text).starts_with(&wanted),
        false => lowercase(text).contains(&wanted),
    };
    // A text that is more than the tail of a uid is compared with the whole uid.
    let compared = match uid_tail(text) == text {
        true => uid_tail(uid),
        false => uid,
    };
    name.is_some_and(is_match) || is_match(compared)
}

/// Whether tags contain a tag.
fn has_tag(tags: &serde_json::Map<String, Json>, tag: &TagFilter) -> bool {
    let is = |found: &Json| {
        tag.value
            .as_ref()
            .is_none_or(|value| tag_value_text(found) == *value)
    };
    tags.get(&tag.key).is_some_and(is)
}
