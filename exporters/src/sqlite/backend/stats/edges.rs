//! The tables `edge_stats` and `edge_stats_hourly` (statistics of edges, packed into a row per minute, part of the
//! edges, writer and chunk), and `edge_stats_ends` (when statistics last named a node).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use pipeline::component::UnixNanos;
use pipeline::store::rows::{EdgeStatsRow, NodeId, StatsEdge, StatsResolution};
use sqlx::SqliteConnection;

use super::packed::{self, PackedKey, StatsByEdge};
use super::statements::statements_for;
use crate::sqlite::backend::bulk::{BoundValues, BulkStatement, json_list, sql_limit};
use crate::sqlite::backend::cells::{CellReader, fetch_packed};

static PUT_ENDS: BulkStatement = BulkStatement::new(
    "INSERT OR FAIL INTO edge_stats_ends (node, last) VALUES (?, ?) \
     ON CONFLICT DO UPDATE SET last = excluded.last WHERE excluded.last > last",
);
pub(in crate::sqlite::backend) const READ_ENDS: &str = "SELECT pack_rows(node, last) FROM edge_stats_ends \
     WHERE node IN (SELECT value FROM json_each(?1))";

/// The number of rows of a page. One row has the statistics of a 64th of the edges, of one minute, writer and chunk.
const PAGE_SIZE: usize = if cfg!(test) { 2 } else { 4096 };

/// `edge_stats_ends` has the end of the last day with statistics of a node. The time is rounded to days, so that it is
/// seldom written.
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

/// Reads a key and the packed statistics.
fn key(cells: &mut CellReader<'_>) -> Result<(PackedKey, Vec<u8>), sqlx::Error> {
    let key = PackedKey {
        minute: cells.time()?,
        part: cells.take()?,
        writer: cells.take()?,
        chunk: cells.take()?,
    };
    Ok((key, cells.take()?))
}

/// Adds the columns of a key.
fn bind<'v>(values: &'v mut BoundValues, key: &PackedKey) -> &'v mut BoundValues {
    values
        .add(key.minute.timestamp())
        .add(key.part)
        .add(key.writer)
        .add(key.chunk)
}

/// The statistics of all edges in `from..to`.
pub(in crate::sqlite::backend) async fn read_edges(
    connection: &mut SqliteConnection,
    resolution: StatsResolution,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Vec<EdgeStatsRow>, sqlx::Error> {
    let mut stats = Vec::new();
    // Parts are at least 0, so the first page begins with the first row of the minute `from`.
    let mut after = (from.timestamp(), -1, 0, 0);
    loop {
        let query = sqlx::query(statements_for(resolution).read)
            .bind(after.0)
            .bind(after.1)
            .bind(after.2)
            .bind(after.3)
            .bind(to.timestamp())
            .bind(sql_limit(PAGE_SIZE));
        let rows = fetch_packed(connection, query).await?;
        for (key, body) in rows.read(key)? {
            packed::decode(&key, &body, |row| stats.push(row))?;
            let (part, chunk) = (i64::from(key.part), i64::from(key.chunk));
            after = (key.minute.timestamp(), part, key.writer, chunk);
        }
        if rows.len() < PAGE_SIZE {
            return Ok(stats);
        }
    }
}

/// The first minute, or hour, with statistics, if there are any.
pub(in crate::sqlite::backend) async fn oldest(
    connection: &mut SqliteConnection,
    resolution: StatsResolution,
) -> Result<Option<UnixNanos>, sqlx::Error> {
    let first: Option<i64> = sqlx::query_scalar(statements_for(resolution).oldest)
        .fetch_one(connection)
        .await?;
    Ok(first.map(|first| UnixNanos(first.unsigned_abs())))
}

/// For each of the nodes that statistics name, the end of the last day with statistics.
pub(in crate::sqlite::backend) async fn read_ends(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<(NodeId, UnixNanos)>, sqlx::Error> {
    let query = sqlx::query(READ_ENDS).bind(json_list(nodes));
    let rows = fetch_packed(connection, query).await?;
    rows.read(|cells| Ok((cells.take()?, cells.time()?)))
}

/// Removes the statistics of these edges in `from..to`, of all writers and chunks.
pub(in crate::sqlite::backend) async fn remove_edges(
    connection: &mut SqliteConnection,
    resolution: StatsResolution,
    edges: &[StatsEdge],
    from: UnixNanos,
    to: UnixNanos,
) -> Result<(), sqlx::Error> {
    let parts: BTreeSet<u8> = edges.iter().map(StatsEdge::part).collect();
    let edges: HashSet<&StatsEdge> = edges.iter().collect();
    let query = sqlx::query(statements_for(resolution).read_parts)
        .bind(from.timestamp())
        .bind(to.timestamp())
        .bind(json_list(parts));
    let rows = fetch_packed(connection, query).await?;
    let (mut changed, mut empty) = (BTreeMap::new(), Vec::new());
    for (key, body) in rows.read(key)? {
        let (mut kept, mut removed) = (StatsByEdge::new(), false);
        packed::decode(&key, &body, |row| {
            let edge = StatsEdge::of(&row);
            match edges.contains(&edge) {
                true => removed = true,
                false => drop(kept.insert(edge, row)),
            }
        })?;
        if kept.is_empty() {
            empty.push(key);
        } else if removed {
            changed.insert(key, kept);
        }
    }
    replace(connection, resolution, &changed).await?;
    statements_for(resolution)
        .remove
        .run(connection, &empty, |values, key| {
            bind(values, key);
        })
        .await?;
    Ok(())
}

/// Writes whole rows.
async fn replace(
    connection: &mut SqliteConnection,
    resolution: StatsResolution,
    rows: &BTreeMap<PackedKey, StatsByEdge>,
) -> Result<(), sqlx::Error> {
    let rows: Vec<(&PackedKey, Vec<u8>)> = rows
        .iter()
        .map(|(key, rows)| (key, packed::encode(rows)))
        .collect();
    statements_for(resolution)
        .replace
        .run(connection, &rows, |values, (key, body)| {
            bind(values, key).add(body.as_slice());
        })
        .await?;
    Ok(())
}

/// Updates `edge_stats_ends` for the nodes of these statistics.
async fn put_ends(
    connection: &mut SqliteConnection,
    rows: &[EdgeStatsRow],
) -> Result<(), sqlx::Error> {
    let mut ends: BTreeMap<NodeId, UnixNanos> = BTreeMap::new();
    for row in rows {
        let end_of_day = (row.minute.0 / DAY).saturating_add(1).saturating_mul(DAY);
        for end in [row.from, row.to] {
            let last = ends.entry(end).or_default();
            *last = UnixNanos(end_of_day).max(*last);
        }
    }
    let ends: Vec<(NodeId, UnixNanos)> = ends.into_iter().collect();
    PUT_ENDS
        .run(connection, &ends, |values, (node, last)| {
            values.add(*node).add(last.timestamp());
        })
        .await?;
    Ok(())
}

/// Merges statistics into the stored ones. Of two rows with the same edge, minute, writer and chunk, [`merge`] keeps
/// one.
///
/// # Errors
/// If a duration is NaN, or SQLite fails.
pub(in crate::sqlite::backend) async fn put_edges(
    connection: &mut SqliteConnection,
    resolution: StatsResolution,
    rows: &[EdgeStatsRow],
) -> Result<(), sqlx::Error> {
    put_ends(connection, rows).await?;
    let mut packed_rows: BTreeMap<PackedKey, StatsByEdge> = BTreeMap::new();
    for row in rows {
        if row.duration_sum.is_nan() || row.duration_max.is_nan() {
            return Err(sqlx::Error::Encode("a duration is NaN".into()));
        }
        let edge = StatsEdge::of(row);
        let key = PackedKey {
            minute: row.minute,
            part: edge.part(),
            writer: row.writer,
            chunk: row.chunk,
        };
        merge(packed_rows.entry(key).or_default(), edge, row.clone());
    }
    for (key, mut stored) in stored(connection, resolution, &packed_rows).await? {
        if let Some(new) = packed_rows.get_mut(&key) {
            for (edge, row) in std::mem::take(new) {
                merge(&mut stored, edge, row);
            }
            *new = stored;
        }
    }
    replace(connection, resolution, &packed_rows).await
}

/// The stored statistics with these keys.
async fn stored(
    connection: &mut SqliteConnection,
    resolution: StatsResolution,
    keys: &BTreeMap<PackedKey, StatsByEdge>,
) -> Result<Vec<(PackedKey, StatsByEdge)>, sqlx::Error> {
    let keys: Vec<&PackedKey> = keys.keys().collect();
    let rows = statements_for(resolution)
        .find
        .run(connection, &keys, |values, key| {
            bind(values, key);
        })
        .await?;
    let stored = rows.read(key)?.into_iter().map(|(key, body)| {
        let mut stats = StatsByEdge::new();
        packed::decode(&key, &body, |row| {
            stats.insert(StatsEdge::of(&row), row);
        })?;
        Ok((key, stats))
    });
    stored.collect()
}

/// Inserts a row. Of two rows of an edge, the one with the greater (calls, errors, sum of durations) stays; if they are
/// equal, the first.
fn merge(rows: &mut StatsByEdge, edge: StatsEdge, row: EdgeStatsRow) {
    let size = |row: &EdgeStatsRow| (row.calls, row.errors, row.duration_sum);
    match rows.entry(edge) {
        std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(row)),
        std::collections::btree_map::Entry::Occupied(mut entry) => {
            if size(&row) > size(entry.get()) {
                entry.insert(row);
            }
        }
    }
}
