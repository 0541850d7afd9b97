//! What people look for: names, aliases, uids, values of tags.

use std::collections::HashSet;

use super::super::rows::{NodeId, ReadRows, RowsError, TextMatch};
use super::super::texts::{fold, said, tail};
use super::session::Session;
use crate::graph_store::{At, Fit, Found, FoundIn, Node, OtherName, Search, SearchResult};

/// Texts of each kind of match that are looked at: what is beyond is not found.
const CANDIDATES: usize = if cfg!(test) { 20 } else { 1000 };

/// Nodes that are read together.
const PAGE: usize = if cfg!(test) { 2 } else { 256 };

/// Characters that a text needs so that it is looked for inside of others.
const SHORTEST_PART: usize = 3;

impl<R: ReadRows> Session<R> {
    pub(super) async fn search(
        &mut self,
        search: &Search,
        limit: usize,
    ) -> Result<SearchResult, RowsError> {
        let wanted = search.text.to_lowercase();
        let mut found: Vec<Found> = Vec::new();
        let mut truncated = false;
        if wanted.is_empty() || limit == 0 {
            return Ok(SearchResult { found, truncated });
        }
        let mut met = HashSet::new();
        for (how, fit) in [
            (TextMatch::Exact, Fit::Exact),
            (TextMatch::Prefix, Fit::Prefix),
            (TextMatch::Part, Fit::Part),
        ] {
            let (ids, has_more) = self.candidates(&search.text, how).await?;
            truncated |= has_more;
            let new = ids.into_iter().filter(|id| met.insert(*id));
            let new: Vec<NodeId> = new.collect();
            for ids in new.chunks(PAGE) {
                self.add_hits(search, &wanted, ids, &mut found).await?;
            }
            // What the next kinds of match find fits worse.
            if found.iter().filter(|hit| hit.fit <= fit).count() >= limit {
                truncated |= how != TextMatch::Part;
                break;
            }
        }
        let key = |found: &Found| (found.fit, found.found_in, found.node.uid.clone());
        found.sort_by_cached_key(key);
        truncated |= found.len() > limit;
        found.truncate(limit);
        Ok(SearchResult { found, truncated })
    }

    /// Nodes with a text that matches, current ones first, and whether there are more than that.
    async fn candidates(
        &mut self,
        text: &str,
        how: TextMatch,
    ) -> Result<(Vec<NodeId>, bool), RowsError> {
        let (mut found, mut has_more) = (Vec::new(), false);
        if how == TextMatch::Exact {
            let uid = self.rows.find_nodes(&[text.to_owned()]).await?;
            found.extend(uid.into_iter().flatten());
        }
        // Of a uid only the tail is kept as a text.
        let mut texts = vec![fold(text), fold(tail(text))];
        texts.dedup();
        let lists: &[bool] = match self.at {
            At::Now => &[true],
            At::Time(_) => &[true, false],
        };
        for current in lists {
            for text in &texts {
                let is_short = text.chars().count() < SHORTEST_PART;
                if text.is_empty() || (how == TextMatch::Part && is_short) {
                    continue;
                }
                let rows = self.rows.find_text(text, how, *current, CANDIDATES + 1);
                let rows = rows.await?;
                has_more |= rows.len() > CANDIDATES;
                found.extend(rows.into_iter().take(CANDIDATES).map(|row| row.node));
            }
        }
        Ok((found, has_more))
    }

    async fn add_hits(
        &mut self,
        search: &Search,
        wanted: &str,
        ids: &[NodeId],
        found: &mut Vec<Found>,
    ) -> Result<(), RowsError> {
        let ids = self.without_merged(ids.to_vec()).await?;
        let mut nodes = self.claimed_nodes(&ids).await?;
        let mut names = self.other_names(&ids).await?;
        for id in ids {
            let Some(node) = nodes.remove(&id) else {
                continue;
            };
            let is_wanted = search.kinds.is_empty() || search.kinds.contains(&node.kind);
            if is_wanted && self.is_current(id) {
                let names = names.remove(&id).unwrap_or_default();
                found.extend(best(node, &names, wanted));
            }
        }
        Ok(())
    }
}

/// Where the node fits best; none where nothing of it does at the moment.
fn best(node: Node, names: &[OtherName], wanted: &str) -> Option<Found> {
    let name = node.name.iter().map(|name| (FoundIn::Name, name.as_str()));
    let aliases = names
        .iter()
        .map(|name| (FoundIn::Alias, name.value.as_str()));
    let uid = [(FoundIn::Uid, node.uid.as_str())];
    let called = name.chain(aliases).chain(uid);
    let called = called.filter_map(|(found_in, value)| {
        let value_in_lower_case = value.to_lowercase();
        let fit = match value_in_lower_case.find(wanted)? {
            0 if value_in_lower_case.len() == wanted.len() => Fit::Exact,
            0 => Fit::Prefix,
            _ => Fit::Part,
        };
        Some((fit, found_in, value.to_owned()))
    });
    let tags = node.tags.values().filter_map(|value| {
        let value = said(value);
        let has = value.to_lowercase().contains(wanted);
        has.then_some((Fit::Tag, FoundIn::Tag, value))
    });
    let (fit, found_in, value) = called.chain(tags).min()?;
    Some(Found {
        node,
        fit,
        found_in,
        value,
    })
}
