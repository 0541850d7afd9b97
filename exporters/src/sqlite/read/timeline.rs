//! What happened to a node.

use pipeline::component::UnixNanos;
use pipeline::facts;
use pipeline::graph_store::{At, TimelineEntry};
use serde_json::Map as JsonMap;

use super::super::reader::Session;
use super::super::rows::{hash, text, time};
use super::aliases::SameAs;
use super::facts::{Facts, Part};
use sqlx::Row as _;

const CHANGES: &str = "SELECT c.id, c.time, c.source, c.event_name, c.actor, c.details \
     FROM change_uids u JOIN changes c ON c.id = u.id \
     WHERE u.uid IN (SELECT value FROM json_each(?1)) AND u.time >= ?2 AND u.time < ?3 \
     GROUP BY c.id ORDER BY c.time DESC, c.id DESC LIMIT ?4";

const SETS: &str =
    "SELECT source, set_hash, kind, to_uid FROM relations WHERE uid = ?1 AND set_hash <> 0";

async fn sets(session: &mut Session<'_>, uid: &str) -> Result<facts::Sets, sqlx::Error> {
    let rows = sqlx::query(SETS)
        .bind(uid)
        .fetch_all(session.connection())
        .await?;
    let mut sets = facts::Sets::new();
    for row in &rows {
        let set = (text(row, "source")?, hash(row, "set_hash")?);
        let edge = format!("{} {}", text(row, "kind")?, text(row, "to_uid")?);
        sets.entry(set).or_default().insert(edge);
    }
    Ok(sets)
}

pub(in super::super) async fn timeline(
    session: &mut Session<'_>,
    uid: &str,
    from: UnixNanos,
    to: UnixNanos,
    limit: usize,
) -> Result<Vec<TimelineEntry>, sqlx::Error> {
    let same = SameAs::of(session, [uid], At::Now).await?;
    let canonical = same.canonical(uid);
    let uids: Vec<&str> = [canonical]
        .into_iter()
        .chain(same.names_of(canonical))
        .collect();
    let facts = Facts::of(session, uids.iter().copied(), Part::Whole, At::Now).await?;
    let mut entries = Vec::new();
    for uid in &uids {
        let sets = sets(session, uid).await?;
        let of_uid = facts.of.get(*uid);
        let told = of_uid.map(|of_uid| facts::timeline(of_uid, &sets, &facts.completions));
        let told = told.unwrap_or_default().into_iter();
        entries.extend(told.filter(|entry| entry.time >= from && entry.time < to));
    }
    let rows = sqlx::query(CHANGES)
        .bind(super::super::bulk::json_list(uids))
        .bind(from.timestamp())
        .bind(to.timestamp())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(session.connection())
        .await?;
    for row in &rows {
        let id = text(row, "id")?;
        let (event, actor): (String, Option<String>) =
            (text(row, "event_name")?, row.try_get("actor")?);
        let details = serde_json::from_str(&text(row, "details")?);
        entries.push(TimelineEntry {
            time: time(row, "time")?,
            id: format!("change/{id}"),
            kind: "change".to_owned(),
            source: text(row, "source")?,
            summary: match actor {
                Some(actor) => format!("{event} by {actor}"),
                None => event,
            },
            details: details.unwrap_or_else(|_| JsonMap::new()),
        });
    }
    entries.sort_by(|one, other| (other.time, &other.id).cmp(&(one.time, &one.id)));
    entries.truncate(limit);
    Ok(entries)
}
