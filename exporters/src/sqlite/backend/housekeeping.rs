//! What housekeeping needs besides: values under a name, walks over nodes, removals by key, and the
//! size of the file.

use pipeline::store::rows::{NodeId, Sizes, SnapshotKey, VersionKey, VersionRow, Word};
use pipeline::uid;
use sqlx::SqliteConnection;

use super::bulk::{Bulk, json_list, limit as rows_limit, sorted};
use super::cells::{Cells, fetch, signed};
use super::nodes::NewNodes;
use super::versions;

const STATE: &str = "SELECT value FROM state WHERE name = ?1";
const PUT_STATE: &str = "INSERT INTO state (name, value) VALUES (?1, ?2) \
                         ON CONFLICT DO UPDATE SET value = excluded.value";
pub(super) const NODE_PAGE: &str =
    "SELECT pack_rows(id) FROM (SELECT id FROM nodes WHERE id > ?1 ORDER BY id LIMIT ?2)";
pub(super) const VERSIONS_OF: &str = include_str!("../sql/read_versions_of_nodes.sql");
pub(super) static REMOVE_VERSIONS: Bulk =
    Bulk::new("DELETE FROM versions WHERE (node, source, scope, state) IN (VALUES (?, ?, ?, ?))");
pub(super) static REMOVE_SNAPSHOTS: Bulk =
    Bulk::new("DELETE FROM snapshots WHERE (node, part, hash) IN (VALUES (?, ?, ?))");
pub(super) static REMOVE_PAST_EDGES: Bulk =
    Bulk::new("DELETE FROM past_edges WHERE (to_node, kind, from_node) IN (VALUES (?, ?, ?))");
pub(super) static REMOVE_PAST_ALIASES: Bulk =
    Bulk::new("DELETE FROM past_aliases WHERE (value_hash, node) IN (VALUES (?, ?))");
pub(super) const REMOVE_NODES: &str =
    "DELETE FROM nodes WHERE id IN (SELECT value FROM json_each(?1))";
pub(super) const REMOVE_ENDS: &str =
    "DELETE FROM edge_stats_ends WHERE node IN (SELECT value FROM json_each(?1))";
// Numbers of commits have no gaps.
pub(super) const REMOVE_COMMITS: &str = "DELETE FROM commits WHERE sequence <= ?1 AND sequence < (SELECT min(sequence) FROM commits) + ?2";
const PAGES: &str = "SELECT page_count, page_size, freelist_count, auto_vacuum \
                     FROM pragma_page_count, pragma_page_size, pragma_freelist_count, pragma_auto_vacuum";

const MERGE: &str = "INSERT INTO trigrams (trigrams, rank) VALUES ('merge', ?1)";
const CHANGES: &str = "SELECT total_changes()";

/// Tables whose rows are numbered: the number of the last row, less that of the first, is about how
/// many there are.
const NUMBERED: [&str; 5] = ["nodes", "versions", "texts", "records", "words"];

/// The value of `auto_vacuum` of a file that gives pages back step by step.
const INCREMENTAL: i64 = 2;

pub(super) async fn state(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar(STATE)
        .bind(name)
        .fetch_optional(connection)
        .await
}

pub(super) async fn put_state(
    connection: &mut SqliteConnection,
    name: &str,
    value: &[u8],
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(PUT_STATE).bind(name).bind(value);
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn node_page(
    connection: &mut SqliteConnection,
    new: &NewNodes,
    after: NodeId,
    limit: usize,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let query = sqlx::query(NODE_PAGE).bind(after).bind(rows_limit(limit));
    let mut ids: Vec<NodeId> = fetch(connection, query).await?.read(Cells::take)?;
    ids.extend(new.after(after));
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(limit);
    Ok(ids)
}

pub(super) async fn versions_of(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<VersionRow>, sqlx::Error> {
    let query = sqlx::query(VERSIONS_OF).bind(json_list(nodes));
    let rows = fetch(connection, query).await?;
    rows.read(versions::version)
}

pub(super) async fn remove_versions(
    connection: &mut SqliteConnection,
    keys: &[VersionKey],
) -> Result<(), sqlx::Error> {
    REMOVE_VERSIONS
        .run(connection, &sorted(keys, |key| *key), |values, key| {
            values
                .add(key.node)
                .add(key.source)
                .add(key.scope)
                .add(signed(key.state));
        })
        .await?;
    Ok(())
}

pub(super) async fn remove_snapshots(
    connection: &mut SqliteConnection,
    keys: &[SnapshotKey],
) -> Result<(), sqlx::Error> {
    REMOVE_SNAPSHOTS
        .run(connection, &sorted(keys, |key| *key), |values, key| {
            values
                .add(key.node)
                .add(key.part as i64)
                .add(signed(key.hash));
        })
        .await?;
    Ok(())
}

pub(super) async fn remove_past_edges(
    connection: &mut SqliteConnection,
    edges: &[(NodeId, Word, NodeId)],
) -> Result<(), sqlx::Error> {
    let edges = sorted(edges, |edge| *edge);
    REMOVE_PAST_EDGES
        .run(connection, &edges, |values, (to, kind, from)| {
            values.add(*to).add(*kind).add(*from);
        })
        .await?;
    Ok(())
}

pub(super) async fn remove_past_aliases(
    connection: &mut SqliteConnection,
    rows: &[(String, NodeId)],
) -> Result<(), sqlx::Error> {
    let hashes = rows.iter();
    let hashes = hashes.map(|(value, node)| (signed(uid::hash(value)), *node));
    let mut hashes: Vec<(i64, NodeId)> = hashes.collect();
    hashes.sort_unstable();
    REMOVE_PAST_ALIASES
        .run(connection, &hashes, |values, (hash, node)| {
            values.add(*hash).add(*node);
        })
        .await?;
    Ok(())
}

pub(super) async fn remove_nodes(
    connection: &mut SqliteConnection,
    new: &mut NewNodes,
    ids: &[NodeId],
) -> Result<(), sqlx::Error> {
    // One of this session is written first, so that its number is known to have been used.
    new.flush(connection).await?;
    for statement in [REMOVE_NODES, REMOVE_ENDS] {
        let query = sqlx::query(statement).bind(json_list(ids));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn remove_commits(
    connection: &mut SqliteConnection,
    up_to: u64,
    limit: usize,
) -> Result<usize, sqlx::Error> {
    let removed = sqlx::query(REMOVE_COMMITS)
        .bind(i64::try_from(up_to).unwrap_or(i64::MAX))
        .bind(rows_limit(limit).min(i64::MAX / 2))
        .execute(connection)
        .await?;
    Ok(usize::try_from(removed.rows_affected()).unwrap_or(usize::MAX))
}

pub(super) async fn sizes(connection: &mut SqliteConnection) -> Result<Sizes, sqlx::Error> {
    let (pages, size, free, _) = pages(connection).await?;
    let mut rows = Vec::new();
    for table in NUMBERED {
        let id = match table {
            "texts" => "id / 4",
            _ => "id",
        };
        rows.push((table, span(connection, table, id).await?));
    }
    let commits = span(connection, "commits", "sequence").await?;
    rows.push(("commits", commits));
    Ok(Sizes {
        bytes: pages * size,
        free_bytes: free * size,
        rows,
    })
}

/// How many numbers there are from the first row to the last: two seeks.
async fn span(
    connection: &mut SqliteConnection,
    table: &str,
    number: &str,
) -> Result<u64, sqlx::Error> {
    let column = number.split(' ').next().unwrap_or(number);
    let end =
        |end: &str| number.replacen(column, &format!("(SELECT {end}({column}) FROM {table})"), 1);
    let sql = format!("SELECT coalesce({} - {} + 1, 0)", end("max"), end("min"));
    let query = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql));
    Ok(query.fetch_one(connection).await?.unsigned_abs())
}

/// Pages, bytes of each, free ones, and how those are given back.
async fn pages(connection: &mut SqliteConnection) -> Result<(u64, u64, u64, i64), sqlx::Error> {
    let row: (i64, i64, i64, i64) = sqlx::query_as(PAGES).fetch_one(connection).await?;
    let (pages, size, free, how) = row;
    Ok((
        pages.unsigned_abs(),
        size.unsigned_abs(),
        free.unsigned_abs(),
        how,
    ))
}

/// Merges segments of the index of texts, in which entries and their removals annul each other, and gives free
/// pages back to the file system, in a transaction of its own; whether there is more to do.
pub(super) async fn compact(
    connection: &mut SqliteConnection,
    most: usize,
) -> Result<bool, sqlx::Error> {
    let before: i64 = sqlx::query_scalar(CHANGES)
        .fetch_one(&mut *connection)
        .await?;
    // A page of the index takes longer than one that is given back.
    let merge = sqlx::query(MERGE).bind(rows_limit(most / 8));
    merge.execute(&mut *connection).await?;
    let after: i64 = sqlx::query_scalar(CHANGES)
        .fetch_one(&mut *connection)
        .await?;
    // Each page that it wrote is a change, and so is the statement. Beside writers there is always
    // something small to merge: that is left for the next round.
    if after.saturating_sub(before) > rows_limit(most / 16).max(2) {
        return Ok(true);
    }
    let (_, _, free, how) = pages(connection).await?;
    if free == 0 || how != INCREMENTAL {
        return Ok(false);
    }
    let sql = format!("PRAGMA incremental_vacuum({most})");
    // It does its work while it is stepped.
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?;
    Ok(free > most as u64)
}
