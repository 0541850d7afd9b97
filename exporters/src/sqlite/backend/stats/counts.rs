//! The table `counts`: the number of listed current nodes of each kind and provider.

use pipeline::store::rows::CountRow;
use sqlx::SqliteConnection;

use crate::sqlite::backend::bulk::BulkStatement;
use crate::sqlite::backend::cells::fetch_packed;

static ADD: BulkStatement = BulkStatement::new(
    "INSERT INTO counts (kind, provider, count) VALUES (?, ?, ?) \
     ON CONFLICT DO UPDATE SET count = count + excluded.count",
);
const READ: &str = "SELECT pack_rows(kind, provider, count) FROM counts WHERE count <> 0";

/// All counts that are not 0.
pub(in crate::sqlite::backend) async fn read_counts(
    connection: &mut SqliteConnection,
) -> Result<Vec<CountRow>, sqlx::Error> {
    let query = sqlx::query(READ);
    let rows = fetch_packed(connection, query).await?;
    rows.read(|cells| {
        Ok(CountRow {
            kind: cells.take()?,
            provider: cells.take()?,
            count: cells.take()?,
        })
    })
}

/// Adds differences to counts.
pub(in crate::sqlite::backend) async fn add_counts(
    connection: &mut SqliteConnection,
    changes: &[CountRow],
) -> Result<(), sqlx::Error> {
    ADD.run(connection, changes, |values, change| {
        values
            .add(change.kind)
            .add(change.provider)
            .add(change.count);
    })
    .await?;
    Ok(())
}
