//! Leases of scopes. Their times come from the clock of this process, since a file has no clock.

use async_trait::async_trait;
use pipeline::store::rows::{LeaseRow, LeaseRows, RowsError, Word};
use sqlx::SqliteConnection;

use super::cells::{fetch_packed, signed};
use super::session::SqliteSession;

pub(super) const READ: &str =
    "SELECT pack_rows(holder, until) FROM leases WHERE source = ?1 AND scope = ?2";
const PUT: &str =
    "INSERT OR REPLACE INTO leases (source, scope, holder, until) VALUES (?1, ?2, ?3, ?4)";
pub(super) const REMOVE: &str = "DELETE FROM leases WHERE source = ?1 AND scope = ?2";

#[async_trait]
impl LeaseRows for SqliteSession {
    async fn lease(&mut self, source: Word, scope: Word) -> Result<Option<LeaseRow>, RowsError> {
        let result = read(self.connection.sqlite(), source, scope).await;
        result.map_err(self.rows_error("read a lease"))
    }

    async fn put_lease(&mut self, row: &LeaseRow) -> Result<(), RowsError> {
        let result = sqlx::query(PUT)
            .bind(row.source)
            .bind(row.scope)
            .bind(&row.holder)
            .bind(signed(row.until.0))
            .execute(self.connection.sqlite())
            .await;
        self.check_write(result, "write a lease").map(|_| ())
    }

    async fn remove_lease(&mut self, source: Word, scope: Word) -> Result<(), RowsError> {
        let result = sqlx::query(REMOVE)
            .bind(source)
            .bind(scope)
            .execute(self.connection.sqlite())
            .await;
        self.check_write(result, "remove a lease").map(|_| ())
    }
}

async fn read(
    connection: &mut SqliteConnection,
    source: Word,
    scope: Word,
) -> Result<Option<LeaseRow>, sqlx::Error> {
    let query = sqlx::query(READ).bind(source).bind(scope);
    let rows = fetch_packed(connection, query).await?;
    let leases = rows.read(|cells| {
        Ok(LeaseRow {
            source,
            scope,
            holder: cells.take()?,
            until: cells.time()?,
        })
    });
    Ok(leases?.pop())
}
