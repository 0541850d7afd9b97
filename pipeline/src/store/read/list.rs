//! Lists of nodes, page by page, in the order in which nodes were first written.

use serde_json::Value as Json;

use super::super::rows::{
    NodeId, Projection, ReadRows, RowFilter, RowsError, TextField, TextMatch, WantedText,
};
use super::super::texts::{fold, key_text, lower, said, tail};
use super::search::SHORTEST_PART;
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
            let fitting = self.fitting(filter, &rows, ids).await?;
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
        let tags = filter.tags.iter().map(|tag| vec![tag_text(tag)]);
        let text = filter.text.as_deref().filter(|text| !text.is_empty());
        Ok(Some(RowFilter {
            kinds,
            provider,
            account,
            region,
            with_ended: filter.with_ended || self.at != At::Now,
            texts: text.map(name_texts).into_iter().chain(tags).collect(),
            // Nodes were of other kinds and had other names then.
            changed_after: match self.at {
                At::Now => None,
                At::Time(time) => Some(time),
            },
        }))
    }

    /// Candidates that their headers do not rule out, without another name of something.
    async fn fitting(
        &mut self,
        filter: &NodeFilter,
        rows: &RowFilter,
        ids: Vec<NodeId>,
    ) -> Result<Vec<NodeId>, RowsError> {
        let is_restricted = *rows
            != RowFilter {
                with_ended: rows.with_ended,
                changed_after: rows.changed_after,
                ..RowFilter::default()
            };
        if self.at == At::Now {
            if rows.texts.is_empty() {
                return Ok(ids);
            }
            self.load_full(&ids).await?;
            let fitting = ids.into_iter().filter(|id| {
                self.header(*id)
                    .is_some_and(|row| has_texts(filter, &row.uid, row.name.as_deref(), &row.tags))
            });
            return Ok(fitting.collect());
        }
        let ids = self.without_merged(ids).await?;
        if !is_restricted {
            return Ok(ids);
        }
        self.load_lives(&ids).await?;
        let versions = self.winners(&ids, Projection::Header).await?;
        let fitting = ids.into_iter().filter(|id| {
            let header = self.header_at(*id, &versions);
            let is = |wanted, word| wanted == 0 || wanted == word;
            (rows.kinds.is_empty() || rows.kinds.contains(&header.kind))
                && is(rows.provider, header.provider)
                && is(rows.account, header.account)
                && is(rows.region, header.region)
                && has_texts(filter, self.uid(*id), header.name.as_deref(), &header.tags)
        });
        Ok(fitting.collect())
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

/// The texts of which a node has one where its name or uid has a text in it.
fn name_texts(text: &str) -> Vec<WantedText> {
    let texts = [
        (TextField::Name, fold(text)),
        (TextField::Uid, fold(tail(text))),
    ];
    let wanted = texts.map(|(field, text)| WantedText {
        field,
        how: match text.chars().count() < SHORTEST_PART {
            true => TextMatch::Prefix,
            false => TextMatch::Part,
        },
        text,
    });
    wanted.into()
}

/// The text that a node has where it has a tag.
fn tag_text(tag: &TagFilter) -> WantedText {
    let value = tag.value.as_deref().filter(|value| !value.is_empty());
    let (field, text) = match value {
        Some(value) => (TextField::Tag, fold(value)),
        None => (TextField::TagKey, key_text(&tag.key)),
    };
    WantedText {
        field,
        how: TextMatch::Exact,
        text,
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

/// Of a uid its tail counts, as in a search: it begins with where the resource is, which other filters
/// ask for. Less than three characters begin a name.
fn has_text(filter: &NodeFilter, uid: &str, name: Option<&str>) -> bool {
    let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) else {
        return true;
    };
    let wanted = lower(text);
    let is_short = text.chars().count() < SHORTEST_PART;
    let fits = |text: &str| match is_short {
        true => lower(text).starts_with(&wanted),
        false => lower(text).contains(&wanted),
    };
    // Who asks for a whole uid asks for more than its tail.
    let compared = match tail(text) == text {
        true => tail(uid),
        false => uid,
    };
    name.is_some_and(fits) || fits(compared)
}

fn has_tag(tags: &serde_json::Map<String, Json>, tag: &TagFilter) -> bool {
    let is = |found: &Json| tag.value.as_ref().is_none_or(|value| said(found) == *value);
    tags.get(&tag.key).is_some_and(is)
}
