//! Edges at some nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use pipeline::attributes::{Map, map_to_json};
use pipeline::component::UnixNanos;
use pipeline::facts::group;
use pipeline::graph_store::{At, Direction, Edge};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::super::bulk::json_list;
use super::super::reader::Session;
use super::super::rows::{hash, text, time};
use super::aliases::SameAs;
use super::facts::{Facts, NewestSets, Part};

const OUT: &str = include_str!("../sql/edges_out.sql");
const IN: &str = include_str!("../sql/edges_in.sql");

/// Rows that are read at a time.
const PAGE: i64 = if cfg!(test) { 3 } else { 4096 };

/// An edge as its ends and kind name it.
type Key = (String, String, String);

pub(in super::super) async fn edges(
    session: &mut Session<'_>,
    uids: &[String],
    direction: Direction,
    kinds: &[String],
    limit: usize,
    at: At,
) -> Result<Vec<Edge>, sqlx::Error> {
    let same = SameAs::of(session, uids.iter().map(String::as_str), at).await?;
    let mut ends: BTreeSet<&str> = BTreeSet::new();
    for uid in uids {
        let canonical = same.canonical(uid);
        ends.insert(uid);
        ends.insert(canonical);
        ends.extend(same.names_of(canonical));
    }
    let ends: Vec<&str> = ends.into_iter().collect();
    let mut found = BTreeMap::new();
    if direction != Direction::In {
        follow(session, OUT, &ends, kinds, limit, at, &mut found).await?;
    }
    if direction != Direction::Out {
        follow(session, IN, &ends, kinds, limit, at, &mut found).await?;
    }
    Ok(found.into_values().take(limit).collect())
}

/// Adds the edges that hold, until there are enough.
async fn follow(
    session: &mut Session<'_>,
    sql: &'static str,
    ends: &[&str],
    kinds: &[String],
    limit: usize,
    at: At,
    found: &mut BTreeMap<Key, Edge>,
) -> Result<(), sqlx::Error> {
    let kinds = (!kinds.is_empty()).then(|| json_list(kinds.iter().map(String::as_str)));
    let (enough, mut after) = (
        found.len() + limit,
        (
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            i64::MIN,
        ),
    );
    loop {
        let rows = sqlx::query(sql)
            .bind(json_list(ends.iter().copied()))
            .bind(&kinds)
            .bind(&after.0)
            .bind(&after.1)
            .bind(&after.2)
            .bind(&after.3)
            .bind(after.4)
            .bind(PAGE)
            .fetch_all(session.connection())
            .await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = (
            text(last, "uid")?,
            text(last, "kind")?,
            text(last, "to_uid")?,
            text(last, "source")?,
            last.try_get("set_hash")?,
        );
        let is_last = i64::try_from(rows.len()).unwrap_or(PAGE) < PAGE;
        add(session, &rows, at, found).await?;
        if is_last || found.len() >= enough {
            return Ok(());
        }
    }
}

async fn add(
    session: &mut Session<'_>,
    rows: &[SqliteRow],
    at: At,
    found: &mut BTreeMap<Key, Edge>,
) -> Result<(), sqlx::Error> {
    let mut uids = BTreeSet::new();
    for row in rows {
        uids.insert(text(row, "uid")?);
        uids.insert(text(row, "to_uid")?);
    }
    let same = SameAs::of(session, uids.iter().map(String::as_str), at).await?;
    let canonical: Vec<&str> = uids.iter().map(|uid| same.canonical(uid)).collect();
    let all = uids
        .iter()
        .map(String::as_str)
        .chain(canonical.iter().copied());
    let facts = Facts::of(session, all, Part::Keys, at).await?;
    let mut ended: HashMap<&str, bool> = HashMap::new();
    for uid in canonical {
        ended.entry(uid).or_insert_with(|| facts.has_ended(uid, at));
    }
    let sets = facts.newest_sets(group::EDGES, at);
    for row in rows {
        let (uid, to) = (text(row, "uid")?, text(row, "to_uid")?);
        let (from, to) = (same.canonical(&uid), same.canonical(&to));
        let is_over = |uid| ended.get(uid).copied().unwrap_or_default();
        if is_over(from) || is_over(to) {
            continue;
        }
        let Some((first_seen, last_seen)) = holds(row, &uid, &sets, session.reader.seen_for(), at)?
        else {
            continue;
        };
        let properties: Option<Vec<u8>> = row.try_get("properties")?;
        let edge = Edge {
            from: from.to_owned(),
            kind: text(row, "kind")?,
            to: to.to_owned(),
            source: text(row, "source")?,
            is_of_set: hash(row, "set_hash")? != 0,
            confidence: row.try_get("confidence")?,
            properties: properties
                .map(|bytes| map_to_json(Map::new(&bytes)))
                .unwrap_or_default(),
            first_seen,
            last_seen,
        };
        let key = (edge.from.clone(), edge.kind.clone(), edge.to.clone());
        match found.get_mut(&key) {
            Some(known) => merge(known, edge),
            None => {
                found.insert(key, edge);
            }
        }
    }
    Ok(())
}

/// When an edge that holds at the moment was first and last seen.
fn holds(
    row: &SqliteRow,
    uid: &str,
    sets: &NewestSets<'_>,
    seen_for: Duration,
    at: At,
) -> Result<Option<(UnixNanos, UnixNanos)>, sqlx::Error> {
    let set = hash(row, "set_hash")?;
    if set == 0 {
        let (first, last) = (time(row, "first_seen")?, time(row, "last_seen")?);
        let moment = match at {
            At::Now => UnixNanos::now(),
            At::Time(time) => time,
        };
        let began = at == At::Now || first <= moment;
        let lives = seen_for.is_zero() || moment <= last.after(seen_for);
        return Ok((began && lives).then_some((first, last)));
    }
    let source = text(row, "source")?;
    let newest = sets.get(uid).and_then(|sets| sets.get(source.as_str()));
    let told = newest.filter(|(hash, ..)| *hash == set);
    Ok(told.map(|(_, first, last)| (*first, *last)))
}

/// Of several sources that tell one edge the surest speaks.
fn merge(known: &mut Edge, other: Edge) {
    let (first, last) = (
        known.first_seen.min(other.first_seen),
        known.last_seen.max(other.last_seen),
    );
    if (other.confidence, &other.source) > (known.confidence, &known.source) {
        *known = other;
    }
    known.first_seen = first;
    known.last_seen = last;
}
