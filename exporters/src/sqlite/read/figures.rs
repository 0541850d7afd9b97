//! Figures of edges, summed over minutes, writers and chunks.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use pipeline::component::UnixNanos;
use pipeline::graph_store::{At, EdgeFigures, Histogram};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::super::reader::Session;
use super::super::rows::{text, time};
use super::aliases::SameAs;

const FIGURES: &str = "SELECT minute, uid, kind, to_uid, connection_type, calls, errors, duration_sum, duration_max, scale, \
     first_bucket, counts FROM edge_figures WHERE minute >= ?1 AND minute < ?2";

/// Ends, kind and connection type.
type Key = (String, String, String, String);

pub(in super::super) async fn edge_figures(
    session: &mut Session<'_>,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Vec<EdgeFigures>, sqlx::Error> {
    let mut rows = sqlx::query(FIGURES)
        .bind(from.timestamp())
        .bind(to.timestamp())
        .fetch(session.connection());
    let mut told: BTreeMap<Key, EdgeFigures> = BTreeMap::new();
    // Row by row: a long time has many minutes, and no more edges than a short one.
    while let Some(row) = rows.try_next().await? {
        let key = (
            text(&row, "uid")?,
            text(&row, "kind")?,
            text(&row, "to_uid")?,
            text(&row, "connection_type")?,
        );
        let figures = minute(&row, &key)?;
        add(&mut told, key, figures);
    }
    drop(rows);
    let uids = told
        .keys()
        .flat_map(|(from, _, to, _)| [from.as_str(), to.as_str()]);
    // What was known by then of whom an endpoint is: the nodes of that moment have those names.
    let at = match to < UnixNanos::now() {
        true => At::Time(to),
        false => At::Now,
    };
    let same = SameAs::of(session, uids, at).await?;
    let mut found = BTreeMap::new();
    for ((from, kind, to, connection_type), mut figures) in told {
        figures.from = same.canonical(&from).to_owned();
        figures.to = same.canonical(&to).to_owned();
        let key = (
            figures.from.clone(),
            kind,
            figures.to.clone(),
            connection_type,
        );
        add(&mut found, key, figures);
    }
    Ok(found.into_values().collect())
}

fn minute(
    row: &SqliteRow,
    (from, kind, to, connection_type): &Key,
) -> Result<EdgeFigures, sqlx::Error> {
    let whole = |column| -> Result<u64, sqlx::Error> {
        let number: i64 = row.try_get(column)?;
        Ok(u64::try_from(number).unwrap_or_default())
    };
    let calls = whole("calls")?;
    let counts: Vec<u64> = serde_json::from_str(&text(row, "counts")?)
        .map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(EdgeFigures {
        from: from.clone(),
        kind: kind.clone(),
        to: to.clone(),
        connection_type: connection_type.clone(),
        since: time(row, "minute")?,
        calls,
        errors: whole("errors")?,
        duration_sum: row.try_get("duration_sum")?,
        duration_max: row.try_get("duration_max")?,
        durations: Histogram::of(
            row.try_get("scale")?,
            row.try_get("first_bucket")?,
            &counts,
            calls,
        ),
    })
}

fn add(found: &mut BTreeMap<Key, EdgeFigures>, key: Key, figures: EdgeFigures) {
    let Some(sum) = found.get_mut(&key) else {
        found.insert(key, figures);
        return;
    };
    sum.since = sum.since.min(figures.since);
    sum.calls += figures.calls;
    sum.errors += figures.errors;
    sum.duration_sum += figures.duration_sum;
    sum.duration_max = sum.duration_max.max(figures.duration_max);
    sum.durations.add(figures.durations);
}
