//! What is counted: calls on edges, nodes of each kind.

use std::collections::BTreeMap;

use pipeline::component::UnixNanos;
use pipeline::store::rows::{CountRow, EdgeStatsRow, NodeId, Resolution, StatsEdge};
use prost::encoding::{decode_varint, encode_varint};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::bulk::{Bulk, json_list, sorted};
use super::cells::{Cells, read_all, signed};

static PUT_MINUTES: Bulk = Bulk::new(include_str!("../sql/put_edge_stats.sql"));
static PUT_HOURS: Bulk = Bulk::new(include_str!("../sql/put_hourly_edge_stats.sql"));
static PUT_ENDS: Bulk = Bulk::new(
    "INSERT OR FAIL INTO edge_stats_ends (node, last) VALUES (?, ?) \
     ON CONFLICT DO UPDATE SET last = excluded.last WHERE excluded.last > last",
);
pub(super) const READ_EDGES: &str = include_str!("../sql/read_edge_stats.sql");
pub(super) const READ_ENDS: &str =
    "SELECT node, last FROM edge_stats_ends WHERE node IN (SELECT value FROM json_each(?1))";
pub(super) static REMOVE_MINUTES: Bulk = Bulk::new(
    "DELETE FROM edge_stats \
     WHERE (minute, from_node, kind, to_node, connection_type) IN (VALUES (?, ?, ?, ?, ?))",
);
pub(super) static REMOVE_HOURS: Bulk = Bulk::new(
    "DELETE FROM edge_stats_hourly \
     WHERE (minute, from_node, kind, to_node, connection_type) IN (VALUES (?, ?, ?, ?, ?))",
);
static ADD_COUNTS: Bulk = Bulk::new(
    "INSERT INTO counts (kind, provider, count) VALUES (?, ?, ?) \
     ON CONFLICT DO UPDATE SET count = count + excluded.count",
);
const READ_COUNTS: &str = "SELECT kind, provider, count FROM counts WHERE count <> 0";

/// How the last day of a node's statistics is rounded, so that it is seldom written.
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

/// A statement about minutes, for this resolution.
fn of(resolution: Resolution, sql: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(match resolution {
        Resolution::Minute => sql.to_owned(),
        Resolution::Hour => sql.replace("edge_stats", "edge_stats_hourly"),
    })
}

pub(super) async fn read_edges(
    connection: &mut SqliteConnection,
    resolution: Resolution,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Vec<EdgeStatsRow>, sqlx::Error> {
    let rows = sqlx::query(of(resolution, READ_EDGES))
        .bind(from.timestamp())
        .bind(to.timestamp())
        .fetch_all(connection)
        .await?;
    read_all(&rows, edge)
}

fn edge(cells: &mut Cells<'_>) -> Result<EdgeStatsRow, sqlx::Error> {
    Ok(EdgeStatsRow {
        minute: cells.time()?,
        from: cells.take()?,
        kind: cells.take()?,
        to: cells.take()?,
        connection_type: cells.take()?,
        writer: cells.take()?,
        chunk: cells.take()?,
        calls: cells.hash()?,
        errors: cells.hash()?,
        duration_sum: cells.take()?,
        duration_max: cells.take()?,
        scale: cells.take()?,
        offset: cells.take()?,
        counts: decode(cells.take()?)?,
    })
}

/// The first time of which there is any, in a span.
async fn first(
    connection: &mut SqliteConnection,
    resolution: Resolution,
    from: i64,
    to: i64,
) -> Result<Option<i64>, sqlx::Error> {
    const FIRST: &str = "SELECT min(minute) FROM edge_stats WHERE minute >= ?1 AND minute < ?2";
    sqlx::query_scalar(of(resolution, FIRST))
        .bind(from)
        .bind(to)
        .fetch_one(connection)
        .await
}

pub(super) async fn oldest(
    connection: &mut SqliteConnection,
    resolution: Resolution,
) -> Result<Option<UnixNanos>, sqlx::Error> {
    let first = first(connection, resolution, 0, i64::MAX).await?;
    Ok(first.map(|first| UnixNanos(first.unsigned_abs())))
}

pub(super) async fn read_ends(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<(NodeId, UnixNanos)>, sqlx::Error> {
    let rows = sqlx::query(READ_ENDS)
        .bind(json_list(nodes))
        .fetch_all(connection)
        .await?;
    read_all(&rows, |cells| Ok((cells.take()?, cells.time()?)))
}

pub(super) async fn remove_edges(
    connection: &mut SqliteConnection,
    resolution: Resolution,
    edges: &[StatsEdge],
    from: UnixNanos,
    to: UnixNanos,
) -> Result<(), sqlx::Error> {
    let mut edges = edges.to_vec();
    edges.sort_unstable();
    let (mut from, to) = (from.timestamp(), to.timestamp());
    let statement = match resolution {
        Resolution::Minute => &REMOVE_MINUTES,
        Resolution::Hour => &REMOVE_HOURS,
    };
    // Minute by minute: in the table the rows of an edge do not stand together.
    while let Some(minute) = first(connection, resolution, from, to).await? {
        statement
            .run(connection, &edges, |values, edge| {
                values
                    .add(minute)
                    .add(edge.from)
                    .add(edge.kind)
                    .add(edge.to)
                    .add(edge.connection_type);
            })
            .await?;
        from = minute + 1;
    }
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

pub(super) async fn put_edges(
    connection: &mut SqliteConnection,
    resolution: Resolution,
    rows: &[EdgeStatsRow],
) -> Result<(), sqlx::Error> {
    put_ends(connection, rows).await?;
    let statement = match resolution {
        Resolution::Minute => &PUT_MINUTES,
        Resolution::Hour => &PUT_HOURS,
    };
    let rows = sorted(rows, |row| {
        let edge = (row.from, row.kind, row.to, row.connection_type);
        (row.minute, edge, row.writer, row.chunk)
    });
    statement
        .run(connection, &rows, |values, row| {
            values
                .add(row.minute.timestamp())
                .add(row.from)
                .add(row.kind)
                .add(row.to)
                .add(row.connection_type)
                .add(row.writer)
                .add(row.chunk)
                .add(signed(row.calls))
                .add(signed(row.errors))
                .real(row.duration_sum)
                .real(row.duration_max)
                .add(row.scale)
                .add(row.offset)
                .add(encode(&row.counts));
        })
        .await?;
    Ok(())
}

fn encode(counts: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(counts.len());
    for count in counts {
        encode_varint(*count, &mut bytes);
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Result<Vec<u64>, sqlx::Error> {
    let mut counts = Vec::with_capacity(bytes.len());
    while !bytes.is_empty() {
        let count = decode_varint(&mut bytes);
        counts.push(count.map_err(|error| sqlx::Error::Decode(error.into()))?);
    }
    Ok(counts)
}

pub(super) async fn read_counts(
    connection: &mut SqliteConnection,
) -> Result<Vec<CountRow>, sqlx::Error> {
    let rows = sqlx::query(READ_COUNTS).fetch_all(connection).await?;
    read_all(&rows, |cells| {
        Ok(CountRow {
            kind: cells.take()?,
            provider: cells.take()?,
            count: cells.take()?,
        })
    })
}

pub(super) async fn add_counts(
    connection: &mut SqliteConnection,
    changes: &[CountRow],
) -> Result<(), sqlx::Error> {
    ADD_COUNTS
        .run(connection, changes, |values, change| {
            values
                .add(change.kind)
                .add(change.provider)
                .add(change.count);
        })
        .await?;
    Ok(())
}
