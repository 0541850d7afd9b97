//! The commit log.

use sqlx::SqliteConnection;

use super::bulk::sql_limit;
use super::cells::fetch_packed;

const APPEND: &str = "INSERT INTO commits (body) VALUES (?1)";
pub(super) const READ: &str = "SELECT pack_rows(sequence, body) FROM \
     (SELECT sequence, body FROM commits WHERE sequence > ?1 ORDER BY sequence LIMIT ?2)";
/// The number of the last commit, even if it was removed from the log.
const LAST: &str = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'commits'), 0)";

/// Appends an encoded commit; returns its sequence number.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    commit: &[u8],
) -> Result<u64, sqlx::Error> {
    let written = sqlx::query(APPEND).bind(commit).execute(connection).await?;
    Ok(written.last_insert_rowid().cast_unsigned())
}

/// Up to `limit` commits with sequence numbers greater than `after`, in order.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, Vec<u8>)>, sqlx::Error> {
    let query = sqlx::query(READ)
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(sql_limit(limit));
    let rows = fetch_packed(connection, query).await?;
    rows.read(|cells| Ok((cells.hash()?, cells.take()?)))
}

/// The sequence number of the last commit; 0 if there was none.
pub(super) async fn last(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let last: i64 = sqlx::query_scalar(LAST).fetch_one(connection).await?;
    Ok(last.cast_unsigned())
}
