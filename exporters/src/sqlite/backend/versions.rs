//! The tables `versions` and `snapshots`. A version refers to its snapshots of edges and aliases by their hashes.

use pipeline::store::rows::{
    Projection, SnapshotKey, SnapshotKind, VersionContent, VersionKey, VersionRow, Word,
};
use sqlx::SqliteConnection;

use super::bulk::{BulkStatement, sorted};
use super::cells::{CellReader, signed};

static PUT: BulkStatement = BulkStatement::new(include_str!("../sql/put_versions.sql"));
pub(super) static READ: BulkStatement =
    BulkStatement::new(include_str!("../sql/read_versions.sql"));
pub(super) static READ_HEADERS: BulkStatement =
    BulkStatement::new(include_str!("../sql/read_version_headers.sql"));
static PUT_SNAPSHOTS: BulkStatement = BulkStatement::new(
    "INSERT OR IGNORE INTO snapshots (node, part, hash, body) VALUES (?, ?, ?, ?)",
);
pub(super) static READ_SNAPSHOTS: BulkStatement = BulkStatement::new(
    "SELECT pack_rows(node, part, hash, body) FROM snapshots WHERE (node, part, hash) IN (VALUES (?, ?, ?))",
);

const SNAPSHOT_KINDS: [SnapshotKind; 2] = [SnapshotKind::Edges, SnapshotKind::Aliases];

/// The existing versions with these keys, in any order.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    keys: &[VersionKey],
    projection: Projection,
) -> Result<Vec<VersionRow>, sqlx::Error> {
    let statement = match projection {
        Projection::Full => &READ,
        Projection::Header => &READ_HEADERS,
    };
    let mut keys = sorted(keys, |key| *key);
    keys.dedup();
    let rows = statement
        .run(connection, &keys, |values, key| {
            values
                .add(key.node)
                .add(key.source)
                .add(key.scope)
                .add(signed(key.state));
        })
        .await?;
    rows.read(version)
}

/// Reads a version.
pub(super) fn version(cells: &mut CellReader<'_>) -> Result<VersionRow, sqlx::Error> {
    let key = VersionKey {
        node: cells.take()?,
        source: cells.take()?,
        scope: cells.take()?,
        state: cells.hash()?,
    };
    let edges: Option<i64> = cells.take()?;
    let aliases: Option<i64> = cells.take()?;
    let written = cells.time()?;
    let kind: Option<Word> = cells.take()?;
    let content = match kind {
        Some(kind) => Some(VersionContent {
            kind,
            provider: cells.take()?,
            account: cells.take()?,
            region: cells.take()?,
            name: cells.take()?,
            tags: cells.take()?,
            value: cells.take()?,
        }),
        None => None,
    };
    Ok(VersionRow {
        key,
        content,
        edges: edges.map(i64::cast_unsigned),
        aliases: aliases.map(i64::cast_unsigned),
        written,
    })
}

/// Writes versions. Of a stored version, only the missing parts are written, and `written` becomes the greater time.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    rows: &[VersionRow],
) -> Result<(), sqlx::Error> {
    PUT.run(connection, &sorted(rows, |row| row.key), |values, row| {
        let content = row.content.as_ref();
        values
            .add(row.key.node)
            .add(row.key.source)
            .add(row.key.scope)
            .add(signed(row.key.state))
            .add(row.edges.map(signed))
            .add(row.aliases.map(signed))
            .add(content.map(|content| content.kind))
            .add(content.map(|content| content.provider))
            .add(content.map(|content| content.account))
            .add(content.map(|content| content.region))
            .add(content.and_then(|content| content.name.as_deref()))
            .add(content.and_then(|content| content.tags.as_deref()))
            .add(content.and_then(|content| content.value.as_deref()))
            .add(row.written.timestamp());
    })
    .await?;
    Ok(())
}

/// The existing snapshots with these keys, in any order.
pub(super) async fn read_snapshots(
    connection: &mut SqliteConnection,
    keys: &[SnapshotKey],
) -> Result<Vec<(SnapshotKey, Vec<u8>)>, sqlx::Error> {
    let mut keys = sorted(keys, |key| *key);
    keys.dedup();
    let rows = READ_SNAPSHOTS
        .run(connection, &keys, |values, key| {
            values
                .add(key.node)
                .add(key.kind as i64)
                .add(signed(key.hash));
        })
        .await?;
    rows.read(|cells| {
        let key = SnapshotKey {
            node: cells.take()?,
            kind: cells.code(&SNAPSHOT_KINDS)?,
            hash: cells.hash()?,
        };
        Ok((key, cells.take()?))
    })
}

/// Writes snapshots that are not stored yet.
pub(super) async fn put_snapshots(
    connection: &mut SqliteConnection,
    rows: &[(SnapshotKey, Vec<u8>)],
) -> Result<(), sqlx::Error> {
    let rows = sorted(rows, |(key, _)| *key);
    PUT_SNAPSHOTS
        .run(connection, &rows, |values, (key, body)| {
            values
                .add(key.node)
                .add(key.kind as i64)
                .add(signed(key.hash))
                .add(body.as_slice());
        })
        .await?;
    Ok(())
}
