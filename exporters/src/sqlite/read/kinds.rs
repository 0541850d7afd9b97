//! What kinds of nodes there are.

use std::collections::BTreeMap;

use pipeline::graph_store::{At, KindCount, NodeFilter};

use super::super::reader::Session;
use super::aliases::SameAs;
use super::facts::{Facts, Part};
use super::nodes::candidates;

/// Nodes that are looked at together.
const PAGE: usize = if cfg!(test) { 2 } else { 2000 };

pub(in super::super) async fn kinds_of(
    session: &mut Session<'_>,
    uids: &[String],
    at: At,
) -> Result<Vec<String>, sqlx::Error> {
    let same = SameAs::of(session, uids.iter().map(String::as_str), at).await?;
    let canonical: Vec<&str> = uids.iter().map(|uid| same.canonical(uid)).collect();
    let facts = Facts::of(session, canonical.iter().copied(), Part::Words, at).await?;
    let kinds = canonical.iter().map(|uid| {
        let node = facts.current(uid, at).map(|current| current.node());
        node.map_or_else(|| "unknown".to_owned(), |node| node.kind)
    });
    Ok(kinds.collect())
}

pub(in super::super) async fn count_kinds(
    session: &mut Session<'_>,
    at: At,
) -> Result<Vec<KindCount>, sqlx::Error> {
    let mut counts: BTreeMap<(String, Option<String>), u64> = BTreeMap::new();
    let all = NodeFilter::default();
    let mut after: Option<String> = None;
    loop {
        let uids = candidates(session, &all, after.as_deref(), PAGE).await?;
        let each = uids.iter().map(String::as_str);
        let facts = Facts::of(session, each, Part::Words, at).await?;
        let nodes = uids
            .iter()
            .filter_map(|uid| Some(facts.current(uid, at)?.node()));
        for node in nodes.filter(|node| node.ended.is_none()) {
            *counts.entry((node.kind, node.provider)).or_default() += 1;
        }
        let is_last = uids.len() < PAGE;
        after = uids.into_iter().next_back();
        if is_last || after.is_none() {
            break;
        }
    }
    let counts = counts.into_iter();
    let counts = counts.map(|((kind, provider), count)| KindCount {
        kind,
        provider,
        count,
    });
    Ok(counts.collect())
}
