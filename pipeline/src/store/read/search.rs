//! What people look for: names, aliases, uids, values of tags.
//!
//! The texts that match say how well their nodes fit, so that of a thousand only those are read that
//! stand among the first of the result. Of the past they do not say it, and all are read.

use std::collections::{HashMap, HashSet};

use super::super::rows::{
    NO_WORD, NodeId, ReadRows, RowsError, TextField, TextMatch, TextRow, Word,
};
use super::super::texts::{fold, lower, said, tail};
use super::nodes::UNKNOWN;
use super::session::Session;
use crate::graph_store::{At, Fit, Found, FoundIn, Node, OtherName, Search, SearchResult};

/// Texts of each kind of match that are looked at, at least and where only nodes of some kinds are wanted:
/// what is beyond is not found.
const CANDIDATES: (usize, usize) = if cfg!(test) { (20, 20) } else { (250, 1000) };

/// Nodes that are read together, at most.
const PAGE: usize = if cfg!(test) { 2 } else { 256 };

/// Characters that a text needs so that it is looked for inside of others.
pub(super) const SHORTEST_PART: usize = 3;

/// What is looked for next where the match before found too little.
const STEPS: [(Option<TextMatch>, Fit); 4] = [
    (Some(TextMatch::Exact), Fit::Exact),
    (Some(TextMatch::Prefix), Fit::Prefix),
    (Some(TextMatch::Part), Fit::Part),
    // The values of tags were found with the others.
    (None, Fit::Tag),
];

/// Texts that match.
#[derive(Default)]
struct Matches {
    rows: Vec<TextRow>,
    /// Whether there are more of them.
    has_more: bool,
    /// Whether a text was too short to be searched for inside of others.
    lacks_short: bool,
}

/// How well a node fits, the best first.
type Rank = (Fit, FoundIn);

/// Nodes that texts lead to.
#[derive(Default)]
struct Candidates {
    /// Those that were not looked at, with the best that is known of each.
    ranks: HashMap<NodeId, Rank>,
    looked_at: HashSet<NodeId>,
    /// Texts of each kind of match.
    most: usize,
    has_more: bool,
}

impl<R: ReadRows> Session<R> {
    pub(super) async fn search(
        &mut self,
        search: &Search,
        limit: usize,
    ) -> Result<SearchResult, RowsError> {
        let wanted = lower(&search.text);
        let mut found: Vec<Found> = Vec::new();
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
            most: match kinds.is_empty() {
                true => CANDIDATES.0.max(limit.saturating_mul(2)),
                false => CANDIDATES.1,
            },
            ..Candidates::default()
        };
        let mut parts = Matches::default();
        for (how, fit) in STEPS {
            let most = candidates.most;
            let matches = match how {
                Some(TextMatch::Exact) => self.matches(search, TextMatch::Exact, most).await?,
                Some(TextMatch::Prefix) => {
                    // Where there are few they all are found at once, and ranked by themselves.
                    parts = self.matches(search, TextMatch::Part, most).await?;
                    match parts.has_more || parts.lacks_short {
                        true => self.matches(search, TextMatch::Prefix, most).await?,
                        false => std::mem::take(&mut parts),
                    }
                }
                Some(TextMatch::Part) => std::mem::take(&mut parts),
                None => Matches::default(),
            };
            self.add_candidates(search, how, matches, &kinds, &mut candidates)
                .await?;
            let ids = self.ranked(&candidates, fit);
            let mut ids = ids.as_slice();
            while !ids.is_empty() {
                // A text may be a name that is over: then its node fits worse than the text said.
                let as_well = found.iter().filter(|hit| hit.fit <= fit).count();
                let room = match self.at {
                    At::Now if as_well >= limit => break,
                    At::Now => limit - as_well,
                    At::Time(_) => PAGE,
                };
                let (page, rest) = ids.split_at(room.min(PAGE).min(ids.len()));
                ids = rest;
                candidates.look_at(page);
                self.add_hits(search, &wanted, page, &mut found).await?;
            }
            // What the next kinds of match find fits worse.
            if found.iter().filter(|hit| hit.fit <= fit).count() >= limit {
                candidates.has_more |= fit < Fit::Part;
                break;
            }
        }
        let key = |found: &Found| (found.fit, found.found_in, found.node.uid.clone());
        found.sort_by_cached_key(key);
        let truncated = candidates.has_more || candidates.are_left() || found.len() > limit;
        found.truncate(limit);
        Ok(SearchResult { found, truncated })
    }

    /// Texts that match, those of current nodes first.
    async fn matches(
        &mut self,
        search: &Search,
        how: TextMatch,
        most: usize,
    ) -> Result<Matches, RowsError> {
        let mut matches = Matches::default();
        let lists: &[bool] = match self.at {
            At::Now => &[true],
            At::Time(_) => &[true, false],
        };
        for current in lists {
            for text in texts(search) {
                let is_short = text.chars().count() < SHORTEST_PART;
                if how == TextMatch::Part && is_short {
                    matches.lacks_short = true;
                    continue;
                }
                let found = self.rows.find_text(&text, how, *current, most);
                let mut found = found.await?;
                matches.has_more |= found.has_more;
                matches.rows.append(&mut found.rows);
            }
        }
        Ok(matches)
    }

    /// Nodes with a text that matches.
    async fn add_candidates(
        &mut self,
        search: &Search,
        how: Option<TextMatch>,
        matches: Matches,
        kinds: &[Word],
        candidates: &mut Candidates,
    ) -> Result<(), RowsError> {
        candidates.has_more |= matches.has_more;
        let found = matches.rows;
        let mut uids = Vec::new();
        if how == Some(TextMatch::Exact) {
            let uid = std::slice::from_ref(&search.text);
            uids.extend(self.rows.find_nodes(uid).await?.into_iter().flatten());
        }
        let wanted = fold(&search.text);
        uids.extend(found.iter().map(|row| row.node));
        self.load_headers(&uids).await?;
        let is_now = self.at == At::Now;
        let is_wanted = |id: NodeId| {
            let header = self.header(id);
            !is_now || kinds.is_empty() || header.is_some_and(|row| kinds.contains(&row.kind))
        };
        let of_texts = found
            .iter()
            .filter_map(|row| Some((row.node, rank(row, &wanted)?)));
        let of_uids = uids.iter().filter_map(|id| {
            let fit = fit_of(&fold(self.uid(*id)), &wanted);
            // What a node of the past was called is found when it is read.
            let fit = fit.or((!is_now).then_some(Fit::Part));
            Some((*id, (fit?, FoundIn::Uid)))
        });
        for (node, rank) in of_texts.chain(of_uids).filter(|(id, _)| is_wanted(*id)) {
            candidates.add(node, rank);
        }
        Ok(())
    }

    /// Those that fit as well as this or better and were not looked at, in the order of the result.
    fn ranked(&self, candidates: &Candidates, fit: Fit) -> Vec<NodeId> {
        let ranks = candidates.ranks.iter();
        let ranks = ranks.filter(|(_, rank)| self.at != At::Now || rank.0 <= fit);
        let mut ids: Vec<(Rank, &str, NodeId)> = ranks
            .map(|(id, rank)| (*rank, self.uid(*id), *id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(.., id)| id).collect()
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

impl Candidates {
    fn add(&mut self, node: NodeId, rank: Rank) {
        if !self.looked_at.contains(&node) {
            let known = self.ranks.entry(node).or_insert(rank);
            *known = rank.min(*known);
        }
    }

    fn look_at(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            self.ranks.remove(node);
            self.looked_at.insert(*node);
        }
    }

    fn are_left(&self) -> bool {
        !self.ranks.is_empty()
    }
}

/// What is looked for: of a uid only the tail is kept as a text.
fn texts(search: &Search) -> Vec<String> {
    let mut texts = vec![fold(&search.text), fold(tail(&search.text))];
    texts.dedup();
    texts.retain(|text| !text.is_empty());
    texts
}

/// How well a node fits by one of its texts; none for that of a uid, which itself decides.
fn rank(row: &TextRow, wanted: &str) -> Option<Rank> {
    let fit = fit_of(&row.text, wanted).unwrap_or(Fit::Part);
    match row.field {
        TextField::Name => Some((fit, FoundIn::Name)),
        TextField::Alias => Some((fit, FoundIn::Alias)),
        TextField::Uid | TextField::TagKey => None,
        TextField::Tag => Some((Fit::Tag, FoundIn::Tag)),
    }
}

/// How well a name in lower case fits.
fn fit_of(name: &str, wanted: &str) -> Option<Fit> {
    Some(match name.find(wanted)? {
        0 if name.len() == wanted.len() => Fit::Exact,
        0 => Fit::Prefix,
        _ => Fit::Part,
    })
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
        let fit = fit_of(&lower(value), wanted)?;
        Some((fit, found_in, value.to_owned()))
    });
    let tags = node.tags.values().filter_map(|value| {
        let value = said(value);
        let has = lower(&value).contains(wanted);
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
