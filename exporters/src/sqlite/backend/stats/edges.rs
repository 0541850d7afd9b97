//! What was counted on edges.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use pipeline::component::UnixNanos;
use pipeline::store::rows::{EdgeStatsRow, NodeId, Resolution, StatsEdge, Word};
use sqlx::SqliteConnection;

use super::super::bulk::{Bulk, Values, json_list, limit as rows_limit};
use super::super::cells::{Cells, fetch};
use super::packed::{self, Rows};
use super::statements::statements_for;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackedKey {
    pub(super) minute: UnixNanos,
    /// Of the edges, see [`StatsEdge::part`].
    part: u8,
    pub(super) writer: Word,
    pub(super) chunk: u32,
}

static PUT_ENDS: Bulk = Bulk::new(
    "INSERT OR FAIL INTO edge_stats_ends (node, last) VALUES (?, ?) \
     ON CONFLICT DO UPDATE SET last = excluded.last WHERE excluded.last > last",
);
pub(in super::super) const READ_ENDS: &str = "SELECT pack_rows(node, last) FROM edge_stats_ends WHERE node IN (SELECT value FROM json_each(?1))";

/// Rows that are read at a time. One is what a writer counted in a minute on a 64th of the edges.
const PAGE: usize = if cfg!(test) { 2 } else { 4096 };

/// How the last day of a node's statistics is rounded, so that it is seldom written.
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

fn key(cells: &mut Cells<'_>) -> Result<(PackedKey, Vec<u8>), sqlx::Error> {
    let key = PackedKey {
        minute: cells.time()?,
        part: cells.take()?,
        writer: cells.take()?,
        chunk: cells.take()?,
    };
    Ok((key, cells.take()?))
}

/// The columns of a key as parameters.
fn bind<'v>(values: &'v mut Values, key: &PackedKey) -> &'v mut Values {
    values
        .add(key.minute.timestamp())
        .add(key.part)
        .add(key.writer)
        .add(key.chunk)
}

pub(in super::super) async fn read_edges(
    connection: &mut SqliteConnection,
    resolution: Resolution,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Vec<EdgeStatsRow>, sqlx::Error> {
    let mut found = Vec::new();
    // No part is less than 0.
    let mut after = (from.timestamp(), -1, 0, 0);
    loop {
        let query = sqlx::query(statements_for(resolution).read)
            .bind(after.0)
            .bind(after.1)
            .bind(after.2)
            .bind(after.3)
            .bind(to.timestamp())
            .bind(rows_limit(PAGE));
        let rows = fetch(connection, query).await?;
        for (key, body) in rows.read(key)? {
            packed::decode(&key, &body, |row| found.push(row))?;
            let (part, chunk) = (i64::from(key.part), i64::from(key.chunk));
            after = (key.minute.timestamp(), part, key.writer, chunk);
        }
        if rows.len() < PAGE {
            return Ok(found);
        }
    }
}

pub(in super::super) async fn oldest(
    connection: &mut SqliteConnection,
    resolution: Resolution,
) -> Result<Option<UnixNanos>, sqlx::Error> {
    let first: Option<i64> = sqlx::query_scalar(statements_for(resolution).oldest)
        .fetch_one(connection)
        .await?;
    Ok(first.map(|first| UnixNanos(first.unsigned_abs())))
}

pub(in super::super) async fn read_ends(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<(NodeId, UnixNanos)>, sqlx::Error> {
    let query = sqlx::query(READ_ENDS).bind(json_list(nodes));
    let rows = fetch(connection, query).await?;
    rows.read(|cells| Ok((cells.take()?, cells.time()?)))
}

pub(in super::super) async fn remove_edges(
    connection: &mut SqliteConnection,
    resolution: Resolution,
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
    let rows = fetch(connection, query).await?;
    let (mut left, mut empty) = (BTreeMap::new(), Vec::new());
    for (key, body) in rows.read(key)? {
        let (mut kept, mut removed) = (Rows::new(), false);
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
            left.insert(key, kept);
        }
    }
    replace(connection, resolution, &left).await?;
    statements_for(resolution)
        .remove
        .run(connection, &empty, |values, key| {
            bind(values, key);
        })
        .await?;
    Ok(())
}

async fn replace(
    connection: &mut SqliteConnection,
    resolution: Resolution,
    rows: &BTreeMap<PackedKey, Rows>,
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

async fn put_ends(
    connection: &mut SqliteConnection,
    rows: &[EdgeStatsRow],
) -> Result<(), sqlx::Error> {
    let mut ends: BTreeMap<NodeId, UnixNanos> = BTreeMap::new();
    for row in rows {
        let end_of_day = (row.minute.0 / DAY).saturating_add(1).saturating_mul(DAY);
        for end in [row.from, row.to] {
            let known = ends.entry(end).or_default();
            *known = UnixNanos(end_of_day).max(*known);
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

pub(in super::super) async fn put_edges(
    connection: &mut SqliteConnection,
    resolution: Resolution,
    rows: &[EdgeStatsRow],
) -> Result<(), sqlx::Error> {
    put_ends(connection, rows).await?;
    let mut of: BTreeMap<PackedKey, Rows> = BTreeMap::new();
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
        add(of.entry(key).or_default(), edge, row.clone());
    }
    for (key, mut stored) in stored(connection, resolution, &of).await? {
        if let Some(new) = of.get_mut(&key) {
            for (edge, row) in std::mem::take(new) {
                add(&mut stored, edge, row);
            }
            *new = stored;
        }
    }
    replace(connection, resolution, &of).await
}

/// What stands under these keys.
async fn stored(
    connection: &mut SqliteConnection,
    resolution: Resolution,
    keys: &BTreeMap<PackedKey, Rows>,
) -> Result<Vec<(PackedKey, Rows)>, sqlx::Error> {
    let keys: Vec<&PackedKey> = keys.keys().collect();
    let found = statements_for(resolution)
        .find
        .run(connection, &keys, |values, key| {
            bind(values, key);
        })
        .await?;
    let found = found.read(key)?.into_iter().map(|(key, body)| {
        let mut rows = Rows::new();
        packed::decode(&key, &body, |row| {
            rows.insert(StatsEdge::of(&row), row);
        })?;
        Ok((key, rows))
    });
    found.collect()
}

/// Of two rows the greater stays; of equal ones the first.
fn add(rows: &mut Rows, edge: StatsEdge, row: EdgeStatsRow) {
    let size = |row: &EdgeStatsRow| (row.calls, row.errors, row.duration_sum);
    match rows.entry(edge) {
        std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(row)),
        std::collections::btree_map::Entry::Occupied(mut known) => {
            if size(&row) > size(known.get()) {
                known.insert(row);
            }
        }
    }
}
