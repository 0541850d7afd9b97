//! The tables `scopes` (with the scans of each scope), `members` (of scans) and `contested` (contested nodes).
//!
//! The column `forgotten` has [`ScopeRow::dropped_before`], and `touched` has [`ScopeRow::last_direct_report`].

use pipeline::claims::{ClaimClass, Removal};
use pipeline::component::UnixNanos;
use pipeline::store::rows::{NodeId, ScanRow, ScopeKey, ScopeRow, Word};
use sqlx::SqliteConnection;

use super::bulk::{BoundValues, BulkStatement, json_list, sorted};
use super::cells::{CellReader, decode_code, fetch_packed, signed};

static PUT: BulkStatement = BulkStatement::new(include_str!("../sql/put_scopes.sql"));
pub(super) const READ: &str =
    "SELECT pack_rows(class, source, scope, forgotten, touched, scans) FROM scopes";
pub(super) const READ_NAMED: &str = include_str!("../sql/read_scopes.sql");
static PUT_MEMBERS: BulkStatement = BulkStatement::new(
    "INSERT INTO members (class, source, scope, hash, pairs) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
);
pub(super) const REMOVE_MEMBERS: &str = include_str!("../sql/remove_members.sql");
pub(super) const READ_MEMBERS: &str =
    "SELECT pairs FROM members WHERE class = ?1 AND source = ?2 AND scope = ?3 AND hash = ?4";
static PUT_CONTESTED: BulkStatement = BulkStatement::new(
    "INSERT INTO contested (class, source, scope, node) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
);
pub(super) const REMOVE_CONTESTED: &str =
    "DELETE FROM contested WHERE node IN (SELECT value FROM json_each(?1))";
pub(super) const READ_CONTESTED: &str =
    "SELECT pack_rows(node) FROM contested WHERE class = ?1 AND source = ?2 AND scope = ?3";

pub(super) static REMOVE: BulkStatement =
    BulkStatement::new("DELETE FROM scopes WHERE (class, source, scope) IN (VALUES (?, ?, ?))");
pub(super) static REMOVE_ALL_MEMBERS: BulkStatement =
    BulkStatement::new("DELETE FROM members WHERE (class, source, scope) IN (VALUES (?, ?, ?))");

/// The stored code of a removal is its index in this list.
const MISSES: [Removal; 2] = [Removal::Deleted, Removal::Released];

/// The bytes of a scan in the column `scans`: its begin, the hash of its members, and how a claim ends whose uid is not
/// a member.
const SCAN_BYTES: usize = 17;

/// The scopes with these names; all scopes if `None`.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    names: Option<&[Word]>,
) -> Result<Vec<ScopeRow>, sqlx::Error> {
    let query = match names {
        None => sqlx::query(READ),
        Some(names) => sqlx::query(READ_NAMED).bind(json_list(names)),
    };
    let rows = fetch_packed(connection, query).await?;
    rows.read(|cells| {
        Ok(ScopeRow {
            key: key(cells)?,
            dropped_before: cells.time()?,
            last_direct_report: cells.time()?,
            scans: decode_scans(cells.blob()?)?,
        })
    })
}

fn key(cells: &mut CellReader<'_>) -> Result<ScopeKey, sqlx::Error> {
    Ok(ScopeKey {
        class: cells.code(&ClaimClass::ALL)?,
        source: cells.take()?,
        scope: cells.take()?,
    })
}

fn bind_key(values: &mut BoundValues, key: &ScopeKey) {
    values.add(key.class as i64).add(key.source).add(key.scope);
}

/// Writes scopes; replaces rows with the same key.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    rows: &[ScopeRow],
) -> Result<(), sqlx::Error> {
    PUT.run(connection, &sorted(rows, |row| row.key), |values, row| {
        bind_key(values, &row.key);
        values
            .add(row.dropped_before.timestamp())
            .add(row.last_direct_report.timestamp())
            .add(encode_scans(&row.scans));
    })
    .await?;
    Ok(())
}

fn encode_scans(scans: &[ScanRow]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(scans.len() * SCAN_BYTES);
    for scan in scans {
        bytes.extend_from_slice(&scan.began.0.to_le_bytes());
        bytes.extend_from_slice(&scan.members.to_le_bytes());
        bytes.push(match scan.miss {
            Removal::Deleted => 0,
            Removal::Released => 1,
        });
    }
    bytes
}

fn decode_scans(bytes: &[u8]) -> Result<Vec<ScanRow>, sqlx::Error> {
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
    let scan = |bytes: &[u8]| {
        Ok(ScanRow {
            began: UnixNanos(number(&bytes[..8])),
            members: number(&bytes[8..16]),
            miss: decode_code(bytes[16].into(), &MISSES)?,
        })
    };
    bytes.chunks_exact(SCAN_BYTES).map(scan).collect()
}

/// The encoded members of a scan, by their hash.
pub(super) async fn read_members(
    connection: &mut SqliteConnection,
    scope: ScopeKey,
    hash: u64,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar(READ_MEMBERS)
        .bind(scope.class as i64)
        .bind(scope.source)
        .bind(scope.scope)
        .bind(signed(hash))
        .fetch_optional(connection)
        .await
}

/// Writes members of scans: (hash, encoded members). Then removes the members of the scope to which no scan in
/// `scope.scans` refers.
pub(super) async fn put_members(
    connection: &mut SqliteConnection,
    scope: &ScopeRow,
    members: &[(u64, Vec<u8>)],
) -> Result<(), sqlx::Error> {
    PUT_MEMBERS
        .run(connection, members, |values, (hash, pairs)| {
            bind_key(values, &scope.key);
            values.add(signed(*hash)).add(pairs.as_slice());
        })
        .await?;
    let kept = scope.scans.iter().map(|scan| signed(scan.members));
    sqlx::query(REMOVE_MEMBERS)
        .bind(scope.key.class as i64)
        .bind(scope.key.source)
        .bind(scope.key.scope)
        .bind(json_list(kept))
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes scopes and the members of their scans.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    keys: &[ScopeKey],
) -> Result<(), sqlx::Error> {
    for statement in [&REMOVE_ALL_MEMBERS, &REMOVE] {
        statement.run(connection, keys, bind_key).await?;
    }
    Ok(())
}

/// The contested nodes of a scope, in order.
pub(super) async fn read_contested(
    connection: &mut SqliteConnection,
    scope: ScopeKey,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let query = sqlx::query(READ_CONTESTED)
        .bind(scope.class as i64)
        .bind(scope.source)
        .bind(scope.scope);
    let mut nodes = fetch_packed(connection, query)
        .await?
        .read(CellReader::take)?;
    nodes.sort_unstable();
    Ok(nodes)
}

/// Adds contested nodes to scopes.
pub(super) async fn put_contested(
    connection: &mut SqliteConnection,
    rows: &[(ScopeKey, NodeId)],
) -> Result<(), sqlx::Error> {
    PUT_CONTESTED
        .run(
            connection,
            &sorted(rows, |row| *row),
            |values, (scope, node)| {
                bind_key(values, scope);
                values.add(*node);
            },
        )
        .await?;
    Ok(())
}

/// Removes nodes from the contested nodes of all scopes.
pub(super) async fn remove_contested(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<(), sqlx::Error> {
    sqlx::query(REMOVE_CONTESTED)
        .bind(json_list(nodes))
        .execute(connection)
        .await?;
    Ok(())
}
