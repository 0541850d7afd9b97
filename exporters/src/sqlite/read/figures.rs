//! Figures of edges, summed over minutes, writers and chunks.

use std::collections::BTreeMap;

use pipeline::component::UnixNanos;
use pipeline::graph_store::{At, EdgeFigures, Histogram};
use sqlx::Row as _;

use super::super::reader::Reader;
use super::super::rows::{text, time};
use super::aliases::SameAs;

const FIGURES: &str = "SELECT minute, uid, kind, to_uid, connection_type, calls, errors, duration_sum, duration_max, scale, \
     first_bucket, counts FROM edge_figures WHERE minute >= ?1 AND minute < ?2";

pub(in super::super) async fn edge_figures(
    reader: &Reader,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Vec<EdgeFigures>, sqlx::Error> {
    let rows = sqlx::query(FIGURES)
        .bind(from.timestamp())
        .bind(to.timestamp())
        .fetch_all(reader.pool()?)
        .await?;
    let mut uids = Vec::with_capacity(rows.len() * 2);
    for row in &rows {
        uids.extend([text(row, "uid")?, text(row, "to_uid")?]);
    }
    uids.sort();
    uids.dedup();
    let same = SameAs::of(reader, uids.iter().map(String::as_str), At::Now).await?;
    let mut found: BTreeMap<(String, String, String, String), EdgeFigures> = BTreeMap::new();
    for row in &rows {
        let (uid, to) = (text(row, "uid")?, text(row, "to_uid")?);
        let key = (
            same.canonical(&uid).to_owned(),
            text(row, "kind")?,
            same.canonical(&to).to_owned(),
            text(row, "connection_type")?,
        );
        let sum = found
            .entry(key)
            .or_insert_with_key(|(from, kind, to, connection_type)| EdgeFigures {
                from: from.clone(),
                kind: kind.clone(),
                to: to.clone(),
                connection_type: connection_type.clone(),
                since: UnixNanos(u64::MAX),
                calls: 0,
                errors: 0,
                duration_sum: 0.0,
                duration_max: 0.0,
                durations: Histogram::default(),
            });
        sum.since = sum.since.min(time(row, "minute")?);
        let whole = |column| -> Result<u64, sqlx::Error> {
            let number: i64 = row.try_get(column)?;
            Ok(u64::try_from(number).unwrap_or_default())
        };
        let calls = whole("calls")?;
        sum.calls += calls;
        sum.errors += whole("errors")?;
        sum.duration_sum += row.try_get::<f64, _>("duration_sum")?;
        sum.duration_max = sum.duration_max.max(row.try_get("duration_max")?);
        let counts: Vec<u64> = serde_json::from_str(&text(row, "counts")?)
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        let durations = Histogram::of(
            row.try_get("scale")?,
            row.try_get("first_bucket")?,
            &counts,
            calls,
        );
        sum.durations.add(durations);
    }
    Ok(found.into_values().collect())
}
