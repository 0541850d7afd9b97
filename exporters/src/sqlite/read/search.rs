//! What people look for: names, aliases, uids, values of tags.

use std::collections::HashSet;

use pipeline::graph_store::{At, Fit, Found, FoundIn, Node, OtherName, Search};
use sqlx::Row as _;

use super::super::bulk::json_list;
use super::super::reader::Session;
use super::super::rows::text;
use super::aliases::{SameAs, aliases_of};
use super::facts::{Facts, Part};
use super::nodes::said;

const SEARCH: &str = include_str!("../sql/search.sql");

/// Candidates that are looked at together, at least.
const PAGE: usize = if cfg!(test) { 2 } else { 256 };

pub(in super::super) async fn search(
    session: &mut Session<'_>,
    search: &Search,
    limit: usize,
    at: At,
) -> Result<Vec<Found>, sqlx::Error> {
    let wanted = search.text.to_lowercase();
    let mut found: Vec<Found> = Vec::new();
    let mut met = HashSet::new();
    let mut after = (-1, String::new());
    while found.len() < limit && !wanted.is_empty() {
        let page = limit.max(PAGE);
        let uids = candidates(session, search, &wanted, page, &mut after).await?;
        let is_last = uids.len() < page;
        let same = SameAs::of(session, uids.iter().map(String::as_str), at).await?;
        let canonical = uids.iter().map(|uid| same.canonical(uid).to_owned());
        let canonical: Vec<String> = canonical.filter(|uid| met.insert(uid.clone())).collect();
        let facts = Facts::of(
            session,
            canonical.iter().map(String::as_str),
            Part::Whole,
            at,
        )
        .await?;
        let names = aliases_of(session, &canonical, at).await?;
        for (uid, names) in canonical.iter().zip(names) {
            let Some(current) = facts.current(uid, at) else {
                continue;
            };
            let node = current.node();
            let is_wanted = search.kinds.is_empty() || search.kinds.contains(&node.kind);
            if is_wanted && node.ended.is_none() {
                found.extend(best(node, &names, &wanted));
            }
        }
        if is_last {
            break;
        }
    }
    let key = |found: &Found| (found.fit, found.found_in, found.node.uid.clone());
    found.sort_by_cached_key(key);
    found.truncate(limit);
    Ok(found)
}

async fn candidates(
    session: &mut Session<'_>,
    search: &Search,
    wanted: &str,
    page: usize,
    after: &mut (i64, String),
) -> Result<Vec<String>, sqlx::Error> {
    let kinds =
        (!search.kinds.is_empty()).then(|| json_list(search.kinds.iter().map(String::as_str)));
    let rows = sqlx::query(SEARCH)
        .bind(wanted)
        .bind(&search.text)
        .bind(after.0)
        .bind(&after.1)
        .bind(kinds)
        .bind(i64::try_from(page).unwrap_or(i64::MAX))
        .bind(!wanted.is_ascii())
        .fetch_all(session.connection())
        .await?;
    if let Some(last) = rows.last() {
        *after = (last.try_get("fit")?, text(last, "uid")?);
    }
    rows.iter().map(|row| text(row, "uid")).collect()
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
        has.then(|| (Fit::Tag, FoundIn::Tag, value.into_owned()))
    });
    let (fit, found_in, value) = called.chain(tags).min()?;
    Some(Found {
        node,
        fit,
        found_in,
        value,
    })
}
