//! The tables `records` and `record_names` (which uids each record names).

use std::collections::{BTreeMap, HashMap};

use pipeline::component::UnixNanos;
use pipeline::store::rows::{NO_WORD, RecordQuery, RecordRow, RecordTime, Word};
use pipeline::uid;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::bulk::{BulkStatement, json_list, sql_limit};
use super::cells::{CellReader, PackedRows, fetch_packed, signed};

static PUT: BulkStatement = BulkStatement::new(include_str!("../sql/put_records.sql"));
pub(super) static READ: BulkStatement = BulkStatement::new(include_str!("../sql/read_records.sql"));
pub(super) const READ_OF: &str = include_str!("../sql/read_records_of.sql");
pub(super) const REMOVE: &str = "DELETE FROM records WHERE id IN (SELECT value FROM json_each(?1))";
static PUT_NAMES: BulkStatement = BulkStatement::new(
    "INSERT INTO record_names (uid_hash, opened, signal, id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
);
pub(super) static REMOVE_NAMES: BulkStatement = BulkStatement::new(
    "DELETE FROM record_names WHERE (uid_hash, opened, signal, id) IN (VALUES (?, ?, ?, ?))",
);

/// The key of a record: signal, id, time of opening.
type RecordKey = (Word, String, UnixNanos);

/// A row of `record_names`: hash of the uid, time of opening, signal, number of the record.
type NameRow = (i64, i64, Word, i64);

/// The existing records with these keys, in any order.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    keys: &[RecordKey],
) -> Result<Vec<RecordRow>, sqlx::Error> {
    let mut keys: Vec<&RecordKey> = keys.iter().collect();
    keys.sort_unstable();
    keys.dedup();
    let numbered = read_numbered(connection, &keys).await?;
    Ok(numbered.into_iter().map(|(_, row)| row).collect())
}

/// The existing records with these keys, each with its number.
async fn read_numbered(
    connection: &mut SqliteConnection,
    keys: &[&RecordKey],
) -> Result<Vec<(i64, RecordRow)>, sqlx::Error> {
    let rows = READ
        .run(connection, keys, |values, (signal, id, opened)| {
            values.add(*signal).add(id.as_str()).add(opened.timestamp());
        })
        .await?;
    rows.read(record)
}

/// Up to `limit` records that name one of the uids and were opened in `from..to`, newest first. Empty `signals` means
/// all signals.
pub(super) async fn read_of(
    connection: &mut SqliteConnection,
    uids: &[String],
    signals: &[Word],
    from: UnixNanos,
    to: UnixNanos,
    limit: usize,
) -> Result<Vec<RecordRow>, sqlx::Error> {
    let hashes = uids.iter().map(|uid| signed(uid::hash(uid)));
    let query = sqlx::query(READ_OF)
        .bind(json_list(hashes))
        .bind((!signals.is_empty()).then(|| json_list(signals)))
        .bind(from.timestamp())
        .bind(to.timestamp())
        .bind(sql_limit(limit));
    let rows = fetch_packed(connection, query).await?;
    let records = rows.read(record)?;
    Ok(records.into_iter().map(|(_, row)| row).collect())
}

const COLUMNS: &str = "id, signal, record, opened, time, source, uid, names, status, severity, \
                       resolved, columns, impact, impact_time";

/// The statement that reads a page of records in the order of an index.
pub(super) fn page_sql(page: &RecordQuery) -> String {
    let mut conditions = String::new();
    if page.status != NO_WORD {
        conditions.push_str(" AND status = ?6");
    }
    if page.severity != NO_WORD {
        conditions.push_str(" AND severity = ?7");
    }
    conditions.push_str(match page.is_open {
        None => "",
        Some(true) => " AND resolved IS NULL",
        Some(false) => " AND resolved IS NOT NULL",
    });
    let index = match page {
        page if page.is_open == Some(true) => "open_records",
        page if page.status != NO_WORD => "records_by_status",
        page if page.severity != NO_WORD => "records_by_severity",
        _ => "records_by_opening",
    };
    format!(
        "SELECT pack_rows({COLUMNS}) FROM (SELECT {COLUMNS} FROM records INDEXED BY {index} \
         WHERE signal = ?1 AND opened >= ?2 AND (opened, record) <= (?3, ?4){conditions} \
         ORDER BY opened DESC, record DESC LIMIT ?5)"
    )
}

/// A page of records, newest first.
pub(super) async fn read_page(
    connection: &mut SqliteConnection,
    page: &RecordQuery,
) -> Result<Vec<RecordRow>, sqlx::Error> {
    // The last possible key before `opened.end`.
    let end = (page.opened.end.timestamp().saturating_sub(1), LAST_ID);
    let from = page.from.as_ref();
    let from = from.map_or(end, |(opened, id)| {
        end.min((opened.timestamp(), id.as_str()))
    });
    let query = sqlx::query(AssertSqlSafe(page_sql(page)))
        .bind(page.signal)
        .bind(page.opened.start.timestamp())
        .bind(from.0)
        .bind(from.1)
        .bind(sql_limit(page.limit))
        .bind(page.status)
        .bind(page.severity);
    let rows = fetch_packed(connection, query).await?;
    let records = rows.read(record)?;
    Ok(records.into_iter().map(|(_, row)| row).collect())
}

/// Greater than every id.
const LAST_ID: &str = "\u{10FFFF}\u{10FFFF}";

/// The statement that reads records in the order of their opening or resolution, oldest first.
pub(super) fn old_sql(time: RecordTime) -> String {
    let (column, index) = match time {
        RecordTime::Opened => ("opened", "records_by_opening"),
        RecordTime::Resolved => ("resolved", "records_by_resolution"),
    };
    format!(
        "SELECT pack_rows({COLUMNS}) FROM (SELECT {COLUMNS} FROM records INDEXED BY {index} \
         WHERE signal = ?1 AND {column} < ?2 AND ({column}, record) > (?3, ?4) \
         ORDER BY {column}, record LIMIT ?5)"
    )
}

/// Up to `limit` records that were opened (or resolved) before `before`, in the order of that time and the id,
/// beginning after the time and id `after`.
pub(super) async fn read_old(
    connection: &mut SqliteConnection,
    signal: Word,
    time: RecordTime,
    before: UnixNanos,
    after: Option<(UnixNanos, String)>,
    limit: usize,
) -> Result<Vec<RecordRow>, sqlx::Error> {
    let after = after.map(|(time, id)| (time.timestamp(), id));
    let (after, id) = after.unwrap_or((-1, String::new()));
    let query = sqlx::query(AssertSqlSafe(old_sql(time)))
        .bind(signal)
        .bind(before.timestamp())
        .bind(after)
        .bind(id)
        .bind(sql_limit(limit));
    let rows = fetch_packed(connection, query).await?;
    let records = rows.read(record)?;
    Ok(records.into_iter().map(|(_, row)| row).collect())
}

/// Removes records and their rows of `record_names`.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    keys: &[RecordKey],
) -> Result<(), sqlx::Error> {
    let mut keys: Vec<&RecordKey> = keys.iter().collect();
    keys.sort_unstable();
    keys.dedup();
    let rows = read_numbered(connection, &keys).await?;
    let names = rows
        .iter()
        .flat_map(|(number, row)| name_rows(*number, row));
    write_names(connection, &REMOVE_NAMES, names.collect()).await?;
    let numbers = rows.iter().map(|(number, _)| number);
    sqlx::query(REMOVE)
        .bind(json_list(numbers))
        .execute(connection)
        .await?;
    Ok(())
}

/// Reads a record and its number.
fn record(cells: &mut CellReader<'_>) -> Result<(i64, RecordRow), sqlx::Error> {
    let number = cells.take()?;
    let row = RecordRow {
        signal: cells.take()?,
        id: cells.take()?,
        opened: cells.time()?,
        time: cells.time()?,
        source: cells.take()?,
        uid: cells.take()?,
        names: names(cells.text()?)?,
        status: cells.take()?,
        severity: cells.take()?,
        resolved: cells.optional_time()?,
        columns: cells.take()?,
        impact: cells.take()?,
        impact_time: cells.time()?,
    };
    Ok((number, row))
}

fn names(json: &str) -> Result<Vec<String>, sqlx::Error> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Writes records and replaces their rows of `record_names`. Of several records with the same key, the last is written.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    rows: &[RecordRow],
) -> Result<(), sqlx::Error> {
    let rows: BTreeMap<RecordKey, &RecordRow> = rows.iter().map(|row| (key(row), row)).collect();
    let keys: Vec<&RecordKey> = rows.keys().collect();
    let stored = read_numbered(connection, &keys).await?;
    let old_names = stored
        .iter()
        .flat_map(|(number, row)| name_rows(*number, row));
    write_names(connection, &REMOVE_NAMES, old_names.collect()).await?;

    let sorted: Vec<&RecordRow> = rows.values().copied().collect();
    let written = upsert(connection, &sorted).await?;
    let numbers = written.read(|cells| {
        let number: i64 = cells.take()?;
        Ok(((cells.take()?, cells.take()?, cells.time()?), number))
    })?;
    let numbers: HashMap<RecordKey, i64> = numbers.into_iter().collect();
    let names = rows
        .iter()
        .filter_map(|(key, row)| Some(name_rows(*numbers.get(key)?, row)));
    write_names(connection, &PUT_NAMES, names.flatten().collect()).await
}

fn key(row: &RecordRow) -> RecordKey {
    (row.signal, row.id.clone(), row.opened)
}

/// The rows of `record_names` for a record.
fn name_rows(number: i64, row: &RecordRow) -> Vec<NameRow> {
    let opened = row.opened.timestamp();
    let hashes = row.names.iter().map(|name| signed(uid::hash(name)));
    hashes
        .map(|hash| (hash, opened, row.signal, number))
        .collect()
}

async fn upsert(
    connection: &mut SqliteConnection,
    rows: &[&RecordRow],
) -> Result<PackedRows, sqlx::Error> {
    PUT.run(connection, rows, |values, row| {
        values
            .add(row.signal)
            .add(row.id.as_str())
            .add(row.opened.timestamp())
            .add(row.time.timestamp())
            .add(row.source)
            .add(row.uid.as_deref())
            .add(serde_json::Value::from(row.names.as_slice()).to_string())
            .add(row.status)
            .add(row.severity)
            .add(row.resolved.map(|time| time.timestamp()))
            .add(row.columns.as_str())
            .add(row.impact.as_deref())
            .add(row.impact_time.timestamp());
    })
    .await
}

async fn write_names(
    connection: &mut SqliteConnection,
    statement: &BulkStatement,
    mut names: Vec<NameRow>,
) -> Result<(), sqlx::Error> {
    names.sort_unstable();
    statement
        .run(connection, &names, |values, (hash, opened, signal, id)| {
            values.add(*hash).add(*opened).add(*signal).add(*id);
        })
        .await?;
    Ok(())
}
