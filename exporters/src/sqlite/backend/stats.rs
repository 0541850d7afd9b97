//! What is counted: calls on edges, nodes of each kind.

use pipeline::component::UnixNanos;
use pipeline::store::rows::{CountRow, EdgeStatsRow};
use prost::encoding::{decode_varint, encode_varint};
use sqlx::SqliteConnection;

use super::bulk::{Bulk, sorted};
use super::cells::{Cells, read_all, signed};

static PUT_EDGES: Bulk = Bulk::new(include_str!("../sql/put_edge_stats.sql"));
pub(super) const READ_EDGES: &str = include_str!("../sql/read_edge_stats.sql");
static ADD_COUNTS: Bulk = Bulk::new(
    "INSERT INTO counts (kind, provider, count) VALUES (?, ?, ?) \
     ON CONFLICT DO UPDATE SET count = count + excluded.count",
);
const READ_COUNTS: &str = "SELECT kind, provider, count FROM counts WHERE count <> 0";

pub(super) async fn read_edges(
    connection: &mut SqliteConnection,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Vec<EdgeStatsRow>, sqlx::Error> {
    let rows = sqlx::query(READ_EDGES)
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

pub(super) async fn put_edges(
    connection: &mut SqliteConnection,
    rows: &[EdgeStatsRow],
) -> Result<(), sqlx::Error> {
    let rows = sorted(rows, |row| {
        let edge = (row.from, row.kind, row.to, row.connection_type);
        (row.minute, edge, row.writer, row.chunk)
    });
    PUT_EDGES
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
