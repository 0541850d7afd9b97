//! Nodes by uid, and lists of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use pipeline::component::UnixNanos;
use pipeline::graph_store::{At, Node, NodeFilter, TagFilter};
use serde_json::Value as Json;
use sqlx::Row as _;

use super::super::bulk::json_list;
use super::super::reader::Session;
use super::aliases::SameAs;
use super::facts::{Facts, Part};

/// Uids of which some row fits: what is current of them is checked afterwards.
const CANDIDATES: &str = include_str!("../sql/candidates.sql");
const CANDIDATES_OF_KINDS: &str = include_str!("../sql/candidates_of_kinds.sql");

const AT_ENDS: &str = include_str!("../sql/at_ends.sql");

pub(in super::super) async fn nodes(
    session: &mut Session<'_>,
    uids: &[String],
    at: At,
) -> Result<Vec<Option<Node>>, sqlx::Error> {
    let same = SameAs::of(session, uids.iter().map(String::as_str), at).await?;
    let canonical: Vec<&str> = uids.iter().map(|uid| same.canonical(uid)).collect();
    let facts = Facts::of(session, canonical.iter().copied(), Part::Whole, at).await?;
    let node = |uid: &&str| facts.current(uid, at).map(|current| current.node());
    let mut nodes: Vec<Option<Node>> = canonical.iter().map(node).collect();
    let unknown = canonical
        .iter()
        .zip(&nodes)
        .filter(|(_, node)| node.is_none());
    let unknown: Vec<&str> = unknown.map(|(uid, _)| *uid).collect();
    if unknown.is_empty() {
        return Ok(nodes);
    }
    let placeholders = placeholders(session, &unknown, at).await?;
    for (uid, node) in canonical.iter().zip(&mut nodes) {
        if node.is_none() {
            *node = placeholders.get(*uid).cloned();
        }
    }
    Ok(nodes)
}

/// Nodes that only edges lead to.
async fn placeholders(
    session: &mut Session<'_>,
    uids: &[&str],
    at: At,
) -> Result<HashMap<String, Node>, sqlx::Error> {
    let rows = sqlx::query(AT_ENDS)
        .bind(json_list(uids.iter().copied()))
        .fetch_all(session.connection())
        .await?;
    let mut nodes: HashMap<String, Node> = HashMap::new();
    for row in rows {
        let uid: String = row.try_get(0)?;
        let nanos = |nanos: i64| UnixNanos(u64::try_from(nanos).unwrap_or_default());
        let (first, last) = (nanos(row.try_get(1)?), nanos(row.try_get(2)?));
        if matches!(at, At::Time(time) if first > time) {
            continue;
        }
        let node = nodes.entry(uid).or_insert_with_key(|uid| Node {
            uid: uid.clone(),
            kind: "unknown".to_owned(),
            name: None,
            provider: None,
            account: None,
            region: None,
            tags: serde_json::Map::new(),
            facts: BTreeMap::new(),
            first_seen: first,
            last_seen: last,
            ended: None,
            unobserved_since: None,
        });
        node.first_seen = node.first_seen.min(first);
        node.last_seen = node.last_seen.max(last);
    }
    Ok(nodes)
}

pub(in super::super) async fn list(
    session: &mut Session<'_>,
    filter: &NodeFilter,
    after: Option<&str>,
    limit: usize,
    at: At,
) -> Result<Vec<Node>, sqlx::Error> {
    let mut after = after.map(str::to_owned);
    let mut found = Vec::new();
    while found.len() < limit {
        let wanted = (limit - found.len()).max(64);
        let uids = candidates(session, filter, after.as_deref(), wanted).await?;
        let facts = Facts::of(session, uids.iter().map(String::as_str), Part::Whole, at).await?;
        let nodes = uids
            .iter()
            .filter_map(|uid| Some(facts.current(uid, at)?.node()));
        found.extend(nodes.filter(|node| fits(filter, node)));
        if uids.len() < wanted {
            break;
        }
        after = uids.into_iter().next_back();
    }
    found.truncate(limit);
    Ok(found)
}

pub(super) async fn candidates(
    session: &mut Session<'_>,
    filter: &NodeFilter,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, sqlx::Error> {
    let kinds =
        (!filter.kinds.is_empty()).then(|| json_list(filter.kinds.iter().map(String::as_str)));
    let sql = if kinds.is_some() {
        CANDIDATES_OF_KINDS
    } else {
        CANDIDATES
    };
    sqlx::query_scalar(sql)
        .bind(after.unwrap_or_default())
        .bind(kinds)
        .bind(&filter.provider)
        .bind(&filter.account)
        .bind(&filter.region)
        .bind(filter.text.as_ref().map(|text| text.to_lowercase()))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind((!filter.tags.is_empty()).then(|| needles(&filter.tags)))
        .fetch_all(session.connection())
        .await
}

/// Texts that stand in the bytes of a node's tags where it has all of these.
fn needles(tags: &[TagFilter]) -> String {
    // What is written like a number may be one, whose bytes are others.
    let is_text = |value: &&str| serde_json::from_str::<Json>(value).is_err();
    let texts = tags.iter().flat_map(|tag| {
        let value = tag.value.as_deref().filter(is_text);
        [Some(tag.key.as_str()), value]
    });
    json_list(texts.flatten())
}

fn fits(filter: &NodeFilter, node: &Node) -> bool {
    let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    let has_text = |text: &String| {
        let text = text.to_lowercase();
        let name = node.name.as_deref().unwrap_or_default();
        name.to_lowercase().contains(&text) || node.uid.to_lowercase().contains(&text)
    };
    let has_tag = |tag: &TagFilter| {
        let found = node.tags.get(&tag.key);
        found.is_some_and(|found| tag.value.as_ref().is_none_or(|value| said(found) == *value))
    };
    (filter.kinds.is_empty() || filter.kinds.contains(&node.kind))
        && is(&filter.provider, &node.provider)
        && is(&filter.account, &node.account)
        && is(&filter.region, &node.region)
        && filter.text.as_ref().is_none_or(has_text)
        && filter.tags.iter().all(has_tag)
        && (filter.with_ended || node.ended.is_none())
}

/// The value of a tag as people write it.
pub(super) fn said(value: &Json) -> Cow<'_, str> {
    match value {
        Json::String(text) => text.into(),
        other => other.to_string().into(),
    }
}
