//! Searches nodes by name, alias, uid and tag value.
//!
//! The matching text gives the rank of its node, so a search of now reads only the nodes that are among the first of
//! the result. As of a past time the stored texts give no rank, and all nodes with a matching text are read.

use std::collections::{HashMap, HashSet};

use super::nodes::UNKNOWN;
use super::reader::GraphReader;
use crate::graph_store::{
    AsOf, GraphAlias, MatchRank, MatchedField, Node, SearchHit, SearchQuery, SearchResult,
};
use crate::store::rows::{
    NO_WORD, NodeId, ReadRows, RowsError, TextField, TextMatch, TextRow, Word,
};
use crate::store::search_texts::{lowercase, normalize, tag_value_text, uid_tail};

/// The maximum number of texts that are examined in each step of a search: without and with a filter by kind of node.
/// The search does not find other texts. (Without a filter, a search with a large limit examines twice its limit.)
const MAX_TEXTS: (usize, usize) = if cfg!(test) { (20, 20) } else { (250, 1000) };

/// The maximum number of nodes that are read together.
const PAGE: usize = if cfg!(test) { 2 } else { 256 };

/// The minimum length, in characters, of a text that is searched within other texts.
pub(super) const MIN_SUBSTRING: usize = 3;

/// The steps of a search, each for one kind of match. They run in this order until enough nodes are found.
const STEPS: [(Option<TextMatch>, MatchRank); 4] = [
    (Some(TextMatch::Exact), MatchRank::Exact),
    (Some(TextMatch::Prefix), MatchRank::Prefix),
    (Some(TextMatch::Substring), MatchRank::Substring),
    // The earlier steps also found the values of tags.
    (None, MatchRank::Tag),
];

/// The stored texts that match.
#[derive(Default)]
struct TextMatches {
    rows: Vec<TextRow>,
    /// Whether more texts match.
    has_more: bool,
    /// Whether a text was too short to be searched within other texts.
    skipped_short: bool,
}

/// How well a node matches; the least is the best.
type Rank = (MatchRank, MatchedField);

/// Nodes with a matching text.
#[derive(Default)]
struct Candidates {
    /// The nodes that are not yet read, with the best known rank of each.
    ranks: HashMap<NodeId, Rank>,
    /// The nodes that were read.
    read: HashSet<NodeId>,
    /// The maximum number of texts that each step examines.
    max_texts: usize,
    /// Whether more texts may match than were examined.
    has_more: bool,
}

impl<R: ReadRows> GraphReader<R> {
    /// Returns up to `limit` current nodes that match a text, the best first.
    pub(super) async fn search(
        &mut self,
        search: &SearchQuery,
        limit: usize,
    ) -> Result<SearchResult, RowsError> {
        let wanted = lowercase(&search.text);
        let mut hits: Vec<SearchHit> = Vec::new();
        if wanted.is_empty() || limit == 0 {
            return Ok(SearchResult::default());
        }
        let mut kinds = self.find_words(&search.kinds).await?;
        if search.kinds.iter().any(|kind| kind == UNKNOWN) {
            kinds.push(NO_WORD);
        }
        if kinds.is_empty() && !search.kinds.is_empty() {
            return Ok(SearchResult::default());
        }
        let mut candidates = Candidates {
            max_texts: match kinds.is_empty() {
                true => MAX_TEXTS.0.max(limit.saturating_mul(2)),
                false => MAX_TEXTS.1,
            },
            ..Candidates::default()
        };
        let mut substring_matches = TextMatches::default();
        for (mode, rank) in STEPS {
            let max_texts = candidates.max_texts;
            let matches = match mode {
                Some(TextMatch::Exact) => {
                    self.text_matches(search, TextMatch::Exact, max_texts)
                        .await?
                }
                Some(TextMatch::Prefix) => {
                    // If there are few substring matches, they include all prefix matches and are ranked one by one.
                    substring_matches = self
                        .text_matches(search, TextMatch::Substring, max_texts)
                        .await?;
                    match substring_matches.has_more || substring_matches.skipped_short {
                        true => {
                            self.text_matches(search, TextMatch::Prefix, max_texts)
                                .await?
                        }
                        false => std::mem::take(&mut substring_matches),
                    }
                }
                Some(TextMatch::Substring) => std::mem::take(&mut substring_matches),
                None => TextMatches::default(),
            };
            self.add_candidates(search, mode, matches, &kinds, &mut candidates)
                .await?;
            let ids = self.ranked(&candidates, rank);
            let mut ids = ids.as_slice();
            while !ids.is_empty() {
                // A stored text may be a name that is no longer valid: then its node has a worse rank than the text.
                let good_hits = hits.iter().filter(|hit| hit.rank <= rank).count();
                let remaining = match self.as_of {
                    AsOf::Now if good_hits >= limit => break,
                    AsOf::Now => limit - good_hits,
                    AsOf::Time(_) => PAGE,
                };
                let (page, rest) = ids.split_at(remaining.min(PAGE).min(ids.len()));
                ids = rest;
                candidates.mark_as_read(page);
                self.add_hits(search, &wanted, page, &mut hits).await?;
            }
            // The matches of the next steps have worse ranks.
            if hits.iter().filter(|hit| hit.rank <= rank).count() >= limit {
                candidates.has_more |= rank < MatchRank::Substring;
                break;
            }
        }
        let key = |hit: &SearchHit| (hit.rank, hit.matched_field, hit.node.uid.clone());
        hits.sort_by_cached_key(key);
        let truncated = candidates.has_more || candidates.has_unread() || hits.len() > limit;
        hits.truncate(limit);
        Ok(SearchResult { hits, truncated })
    }

    /// Returns the matching texts of current nodes. A read of the past also returns, after them, those of all other
    /// nodes.
    async fn text_matches(
        &mut self,
        search: &SearchQuery,
        mode: TextMatch,
        max_texts: usize,
    ) -> Result<TextMatches, RowsError> {
        let mut matches = TextMatches::default();
        let lists: &[bool] = match self.as_of {
            AsOf::Now => &[true],
            AsOf::Time(_) => &[true, false],
        };
        for current in lists {
            for text in search_texts(search) {
                let is_short = text.chars().count() < MIN_SUBSTRING;
                if mode == TextMatch::Substring && is_short {
                    matches.skipped_short = true;
                    continue;
                }
                let hits = self.rows.find_text(&text, mode, *current, max_texts);
                let mut hits = hits.await?;
                matches.has_more |= hits.has_more;
                matches.rows.append(&mut hits.rows);
            }
        }
        Ok(matches)
    }

    /// Adds the nodes of matching texts to the candidates, with their ranks.
    async fn add_candidates(
        &mut self,
        search: &SearchQuery,
        mode: Option<TextMatch>,
        matches: TextMatches,
        kinds: &[Word],
        candidates: &mut Candidates,
    ) -> Result<(), RowsError> {
        candidates.has_more |= matches.has_more;
        let hits = matches.rows;
        let mut uids = Vec::new();
        if mode == Some(TextMatch::Exact) {
            let uid = std::slice::from_ref(&search.text);
            uids.extend(self.rows.find_nodes(uid).await?.into_iter().flatten());
        }
        let wanted = normalize(&search.text);
        uids.extend(hits.iter().map(|row| row.node));
        self.load_headers(&uids).await?;
        let is_now = self.as_of == AsOf::Now;
        let is_wanted = |id: NodeId| {
            let header = self.header(id);
            !is_now || kinds.is_empty() || header.is_some_and(|row| kinds.contains(&row.kind))
        };
        let of_texts = hits
            .iter()
            .filter_map(|row| Some((row.node, rank_of_text(row, &wanted)?)));
        let of_uids = uids.iter().filter_map(|id| {
            let rank = rank_of_name(&normalize(self.uid(*id)), &wanted);
            // A read of the past compares the node with the text only when it reads the node.
            let rank = rank.or((!is_now).then_some(MatchRank::Substring));
            Some((*id, (rank?, MatchedField::Uid)))
        });
        for (node, rank) in of_texts.chain(of_uids).filter(|(id, _)| is_wanted(*id)) {
            candidates.add(node, rank);
        }
        Ok(())
    }

    /// Returns the candidates with this rank or a better one, in the order of the result. A read of the past returns
    /// all candidates, since their ranks are not known yet.
    fn ranked(&self, candidates: &Candidates, max_rank: MatchRank) -> Vec<NodeId> {
        let ranks = candidates.ranks.iter();
        let ranks = ranks.filter(|(_, rank)| self.as_of != AsOf::Now || rank.0 <= max_rank);
        let mut ids: Vec<(Rank, &str, NodeId)> = ranks
            .map(|(id, rank)| (*rank, self.uid(*id), *id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(.., id)| id).collect()
    }

    /// Reads nodes and adds those that match to the hits.
    async fn add_hits(
        &mut self,
        search: &SearchQuery,
        wanted: &str,
        ids: &[NodeId],
        hits: &mut Vec<SearchHit>,
    ) -> Result<(), RowsError> {
        let ids = self.without_merged(ids.to_vec()).await?;
        let mut nodes = self.claimed_nodes(&ids).await?;
        let mut names = self.graph_aliases(&ids).await?;
        for id in ids {
            let Some(node) = nodes.remove(&id) else {
                continue;
            };
            let is_wanted = search.kinds.is_empty() || search.kinds.contains(&node.kind);
            if is_wanted && self.is_current(id) {
                let names = names.remove(&id).unwrap_or_default();
                hits.extend(best_match(node, &names, wanted));
            }
        }
        Ok(())
    }
}

impl Candidates {
    fn add(&mut self, node: NodeId, rank: Rank) {
        if !self.read.contains(&node) {
            let best = self.ranks.entry(node).or_insert(rank);
            *best = rank.min(*best);
        }
    }

    fn mark_as_read(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            self.ranks.remove(node);
            self.read.insert(*node);
        }
    }

    fn has_unread(&self) -> bool {
        !self.ranks.is_empty()
    }
}

/// Returns the texts to search for: the text and its uid tail, since only the tail of a uid is stored as a text.
fn search_texts(search: &SearchQuery) -> Vec<String> {
    let mut texts = vec![normalize(&search.text), normalize(uid_tail(&search.text))];
    texts.dedup();
    texts.retain(|text| !text.is_empty());
    texts
}

/// Returns the rank of a node by one of its texts; `None` for the text of a uid, since the whole uid gives the rank.
fn rank_of_text(row: &TextRow, wanted: &str) -> Option<Rank> {
    let rank = rank_of_name(&row.text, wanted).unwrap_or(MatchRank::Substring);
    match row.field {
        TextField::Name => Some((rank, MatchedField::Name)),
        TextField::Alias => Some((rank, MatchedField::Alias)),
        TextField::Uid | TextField::TagKey => None,
        TextField::Tag => Some((MatchRank::Tag, MatchedField::Tag)),
    }
}

/// Returns the rank of a name in lower case.
fn rank_of_name(name: &str, wanted: &str) -> Option<MatchRank> {
    Some(match name.find(wanted)? {
        0 if name.len() == wanted.len() => MatchRank::Exact,
        0 => MatchRank::Prefix,
        _ => MatchRank::Substring,
    })
}

/// Returns the best match of a node; `None` if nothing of it matches at the time of the read.
fn best_match(node: Node, names: &[GraphAlias], wanted: &str) -> Option<SearchHit> {
    let name = node
        .name
        .iter()
        .map(|name| (MatchedField::Name, name.as_str()));
    let aliases = names
        .iter()
        .map(|name| (MatchedField::Alias, name.value.as_str()));
    let uid = [(MatchedField::Uid, node.uid.as_str())];
    let named = name.chain(aliases).chain(uid);
    let named = named.filter_map(|(matched_field, value)| {
        let rank = rank_of_name(&lowercase(value), wanted)?;
        Some((rank, matched_field, value.to_owned()))
    });
    let tags = node.tags.values().filter_map(|value| {
        let value = tag_value_text(value);
        let has = lowercase(&value).contains(wanted);
        has.then_some((MatchRank::Tag, MatchedField::Tag, value))
    });
    let (rank, matched_field, value) = named.chain(tags).min()?;
    Some(SearchHit {
        node,
        rank,
        matched_field,
        value,
    })
}
