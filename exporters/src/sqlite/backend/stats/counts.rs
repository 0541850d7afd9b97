//! Nodes of each kind.

use pipeline::store::rows::CountRow;
use sqlx::SqliteConnection;

use super::super::bulk::Bulk;
use super::super::cells::fetch;

static ADD: Bulk = Bulk::new(
    "INSERT INTO counts (kind, provider, count) VALUES (?, ?, ?) \
     ON CONFLICT DO UPDATE SET count = count + excluded.count",
);
const READ: &str = "SELECT pack_rows(kind, provider, count) FROM counts WHERE count <> 0";

pub(in super::super) async fn read_counts(
    connection: &mut SqliteConnection,
) -> Result<Vec<CountRow>, sqlx::Error> {
    let query = sqlx::query(READ);
    let rows = fetch(connection, query).await?;
    rows.read(|cells| {
        Ok(CountRow {
            kind: cells.take()?,
            provider: cells.take()?,
            count: cells.take()?,
        })
    })
}

pub(in super::super) async fn add_counts(
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
