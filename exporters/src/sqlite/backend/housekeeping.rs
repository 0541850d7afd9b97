//! Statements for housekeeping: stored values, pages of nodes, removals by key, the size of the file, and compaction.

use pipeline::store::rows::{NodeId, SnapshotKey, StoreSize, VersionKey, VersionRow, Word};
use pipeline::uid;
use sqlx::SqliteConnection;

use super::bulk::{BulkStatement, json_list, sorted, sql_limit};
use super::cells::{CellReader, fetch_packed, signed};
use super::nodes::NewNodes;
use super::versions;

const STATE: &str = "SELECT value FROM state WHERE name = ?1";
const PUT_STATE: &str = "INSERT INTO state (name, value) VALUES (?1, ?2) \
                         ON CONFLICT DO UPDATE SET value = excluded.value";
pub(super) const NODE_PAGE: &str =
    "SELECT pack_rows(id) FROM (SELECT id FROM nodes WHERE id > ?1 ORDER BY id LIMIT ?2)";
pub(super) const VERSIONS_OF: &str = include_str!("../sql/read_versions_of_nodes.sql");
pub(super) static REMOVE_VERSIONS: BulkStatement = BulkStatement::new(
    "DELETE FROM versions WHERE (node, source, scope, state) IN (VALUES (?, ?, ?, ?))",
);
pub(super) static REMOVE_SNAPSHOTS: BulkStatement =
    BulkStatement::new("DELETE FROM snapshots WHERE (node, part, hash) IN (VALUES (?, ?, ?))");
pub(super) static REMOVE_PAST_EDGES: BulkStatement = BulkStatement::new(
    "DELETE FROM past_edges WHERE (to_node, kind, from_node) IN (VALUES (?, ?, ?))",
);
pub(super) static REMOVE_PAST_ALIASES: BulkStatement =
    BulkStatement::new("DELETE FROM past_aliases WHERE (value_hash, node) IN (VALUES (?, ?))");
pub(super) const REMOVE_NODES: &str =
    "DELETE FROM nodes WHERE id IN (SELECT value FROM json_each(?1))";
pub(super) const REMOVE_ENDS: &str =
    "DELETE FROM edge_stats_ends WHERE node IN (SELECT value FROM json_each(?1))";
// The sequence numbers of commits have no gaps, so this removes at most `?2` commits.
pub(super) const REMOVE_COMMITS: &str = "DELETE FROM commits \
     WHERE sequence <= ?1 AND sequence < (SELECT min(sequence) FROM commits) + ?2";
const PAGES: &str = "SELECT page_count, page_size, freelist_count, auto_vacuum \
                     FROM pragma_page_count, pragma_page_size, pragma_freelist_count, pragma_auto_vacuum";

const MERGE: &str = "INSERT INTO trigrams (trigrams, rank) VALUES ('merge', ?1)";
const CHANGES: &str = "SELECT total_changes()";

/// Tables with ascending ids: the difference between the last and the first id is about the number of rows.
const NUMBERED_TABLES: [&str; 5] = ["nodes", "versions", "texts", "records", "words"];

/// The value of `auto_vacuum` of a file that can free pages in small steps.
const INCREMENTAL: i64 = 2;

/// A stored value by its name.
pub(super) async fn state(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar(STATE)
        .bind(name)
        .fetch_optional(connection)
        .await
}

/// Writes a stored value.
pub(super) async fn put_state(
    connection: &mut SqliteConnection,
    name: &str,
    value: &[u8],
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(PUT_STATE).bind(name).bind(value);
    query.execute(connection).await?;
    Ok(())
}

/// The ids of up to `limit` nodes after `after`, in order.
pub(super) async fn node_page(
    connection: &mut SqliteConnection,
    new: &NewNodes,
    after: NodeId,
    limit: usize,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let query = sqlx::query(NODE_PAGE).bind(after).bind(sql_limit(limit));
    let mut ids: Vec<NodeId> = fetch_packed(connection, query)
        .await?
        .read(CellReader::take)?;
    ids.extend(new.after(after));
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(limit);
    Ok(ids)
}

/// All versions of nodes, without their values.
pub(super) async fn versions_of(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<VersionRow>, sqlx::Error> {
    let query = sqlx::query(VERSIONS_OF).bind(json_list(nodes));
    let rows = fetch_packed(connection, query).await?;
    rows.read(versions::version)
}

/// Removes versions.
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

/// Removes snapshots.
pub(super) async fn remove_snapshots(
    connection: &mut SqliteConnection,
    keys: &[SnapshotKey],
) -> Result<(), sqlx::Error> {
    REMOVE_SNAPSHOTS
        .run(connection, &sorted(keys, |key| *key), |values, key| {
            values
                .add(key.node)
                .add(key.kind as i64)
                .add(signed(key.hash));
        })
        .await?;
    Ok(())
}

/// Removes past edges: (target, kind, start).
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

/// Removes former owners of aliases: (value, node).
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

/// Removes nodes and their rows of `edge_stats_ends`.
pub(super) async fn remove_nodes(
    connection: &mut SqliteConnection,
    new: &mut NewNodes,
    ids: &[NodeId],
) -> Result<(), sqlx::Error> {
    // Writes the rows of new nodes first. SQLite remembers only the ids of nodes that had a row, so the id of a removed
    // node without a row would be assigned again.
    new.flush(connection).await?;
    for statement in [REMOVE_NODES, REMOVE_ENDS] {
        let query = sqlx::query(statement).bind(json_list(ids));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Removes up to `limit` of the oldest commits with sequence numbers up to `up_to`; returns how many.
pub(super) async fn remove_commits(
    connection: &mut SqliteConnection,
    up_to: u64,
    limit: usize,
) -> Result<usize, sqlx::Error> {
    let removed = sqlx::query(REMOVE_COMMITS)
        .bind(i64::try_from(up_to).unwrap_or(i64::MAX))
        .bind(sql_limit(limit).min(i64::MAX / 2))
        .execute(connection)
        .await?;
    Ok(usize::try_from(removed.rows_affected()).unwrap_or(usize::MAX))
}

/// The size of the file, and about how many rows its large tables have.
pub(super) async fn store_size(
    connection: &mut SqliteConnection,
) -> Result<StoreSize, sqlx::Error> {
    let (pages, size, free, _) = pages(connection).await?;
    let mut rows = Vec::new();
    for table in NUMBERED_TABLES {
        let id = match table {
            "texts" => "id / 4",
            _ => "id",
        };
        rows.push((table, id_span(connection, table, id).await?));
    }
    let commits = id_span(connection, "commits", "sequence").await?;
    rows.push(("commits", commits));
    Ok(StoreSize {
        bytes: pages * size,
        free_bytes: free * size,
        rows,
    })
}

/// The number of ids from the first row to the last, by two seeks. `id` is an expression that begins with the column.
async fn id_span(
    connection: &mut SqliteConnection,
    table: &str,
    id: &str,
) -> Result<u64, sqlx::Error> {
    let column = id.split(' ').next().unwrap_or(id);
    let bound = |function: &str| {
        id.replacen(
            column,
            &format!("(SELECT {function}({column}) FROM {table})"),
            1,
        )
    };
    let sql = format!(
        "SELECT coalesce({} - {} + 1, 0)",
        bound("max"),
        bound("min")
    );
    let query = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql));
    Ok(query.fetch_one(connection).await?.unsigned_abs())
}

/// The number of pages, the bytes of a page, the number of free pages, and the value of `auto_vacuum`.
async fn pages(connection: &mut SqliteConnection) -> Result<(u64, u64, u64, i64), sqlx::Error> {
    let row: (i64, i64, i64, i64) = sqlx::query_as(PAGES).fetch_one(connection).await?;
    let (pages, size, free, auto_vacuum) = row;
    Ok((
        pages.unsigned_abs(),
        size.unsigned_abs(),
        free.unsigned_abs(),
        auto_vacuum,
    ))
}

/// Merges segments of the index of texts, which drops removed entries, and returns free pages to the file system. Does
/// the work of about `max_pages` pages, and returns whether there is more to do. Needs its own transaction.
pub(super) async fn compact(
    connection: &mut SqliteConnection,
    max_pages: usize,
) -> Result<bool, sqlx::Error> {
    let before: i64 = sqlx::query_scalar(CHANGES)
        .fetch_one(&mut *connection)
        .await?;
    // Merging a page of the index takes longer than freeing a page.
    let merge = sqlx::query(MERGE).bind(sql_limit(max_pages / 8));
    merge.execute(&mut *connection).await?;
    let after: i64 = sqlx::query_scalar(CHANGES)
        .fetch_one(&mut *connection)
        .await?;
    // Each page that the merge wrote counts as a change, and so does the statement itself. While other sessions write,
    // there is always something small to merge, which is left to the next round of housekeeping.
    if after.saturating_sub(before) > sql_limit(max_pages / 16).max(2) {
        return Ok(true);
    }
    let (_, _, free, auto_vacuum) = pages(connection).await?;
    if free == 0 || auto_vacuum != INCREMENTAL {
        return Ok(false);
    }
    let sql = format!("PRAGMA incremental_vacuum({max_pages})");
    // The pragma frees pages while its rows are read.
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?;
    Ok(free > max_pages as u64)
}
