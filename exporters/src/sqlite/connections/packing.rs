//! The SQL functions `pack_rows(…)` and `pack_row(…)`, which encode a result as one blob.
//!
//! SQLx sends each row alone from the thread of the connection to the reading thread: it copies each cell and wakes up
//! the reading thread. For a result of thousands of rows, this took longer than the query itself.
//!
//! ```text
//!  rows: row*
//!  row:  length of its cells in bytes (u32), cell*
//!  cell: 0 │ 1 integer (i64) │ 2 real (f64) │ 3 text: length (u32), bytes │ 4 blob: length (u32), bytes
//! ```
//!
//! Numbers are little endian. A result has at most 1,000,000,000 bytes (`SQLITE_MAX_LENGTH`), so callers read large
//! results page by page.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{FromSqlError, FromSqlResult, ValueRef};
use sqlx::sqlite::LockedSqliteHandle;

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;

/// The aggregate function `pack_rows`: all rows of a group as one blob; null if there is no row.
struct PackRows;

/// Registers both functions with a connection.
///
/// # Errors
/// If SQLite has no memory for them.
pub(super) fn register(handle: &mut LockedSqliteHandle<'_>) -> Result<(), sqlx::Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let flags = flags | FunctionFlags::SQLITE_DIRECTONLY;
    #[expect(
        unsafe_code,
        reason = "sqlx cannot register functions. The handle is locked while this value uses it, and this \
                  value does not close it"
    )]
    let connection = unsafe { rusqlite::Connection::from_handle(handle.as_raw_handle().as_ptr()) };
    let register = |connection: rusqlite::Connection| {
        connection.create_aggregate_function("pack_rows", -1, flags, PackRows)?;
        connection.create_scalar_function("pack_row", -1, flags, |context| {
            let mut row = Vec::new();
            pack(context, &mut row)?;
            Ok(row)
        })
    };
    let registered = connection.and_then(register);
    registered.map_err(|error| sqlx::Error::Configuration(error.into()))
}

impl Aggregate<Vec<u8>, Option<Vec<u8>>> for PackRows {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn step(&self, context: &mut Context<'_>, rows: &mut Vec<u8>) -> rusqlite::Result<()> {
        pack(context, rows)
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        rows: Option<Vec<u8>>,
    ) -> rusqlite::Result<Option<Vec<u8>>> {
        Ok(rows)
    }
}

/// Appends the arguments of a call as one row.
fn pack(context: &Context<'_>, to: &mut Vec<u8>) -> rusqlite::Result<()> {
    let start = to.len();
    to.extend([0; 4]);
    for column in 0..context.len() {
        match context.get_raw(column) {
            ValueRef::Null => to.push(NULL),
            ValueRef::Integer(number) => {
                to.push(INTEGER);
                to.extend(number.to_le_bytes());
            }
            ValueRef::Real(number) => {
                to.push(REAL);
                to.extend(number.to_le_bytes());
            }
            ValueRef::Text(text) => {
                to.push(TEXT);
                to.extend(length(text.len())?);
                to.extend_from_slice(text);
            }
            ValueRef::Blob(blob) => {
                to.push(BLOB);
                to.extend(length(blob.len())?);
                to.extend_from_slice(blob);
            }
        }
    }
    let cells = length(to.len() - start - 4)?;
    to[start..start + 4].copy_from_slice(&cells);
    Ok(())
}

fn length(bytes: usize) -> rusqlite::Result<[u8; 4]> {
    // SQLite's own limit for a value is lower.
    let length = u32::try_from(bytes).map_err(|error| {
        rusqlite::Error::UserFunctionError(format!("a row has {bytes} bytes: {error}").into())
    })?;
    Ok(length.to_le_bytes())
}

/// Takes the first row and returns its cells; `None` at the end, and if the row is cut off.
pub(in crate::sqlite) fn next_row<'b>(rows: &mut &'b [u8]) -> Option<&'b [u8]> {
    take_bytes(rows)
}

/// Takes the first cell and returns it.
///
/// # Errors
/// If no complete cell is left.
pub(in crate::sqlite) fn next_cell<'b>(cells: &mut &'b [u8]) -> FromSqlResult<ValueRef<'b>> {
    let cell = match take(cells) {
        Some([NULL]) => Some(ValueRef::Null),
        Some([INTEGER]) => take(cells).map(|it| ValueRef::Integer(i64::from_le_bytes(it))),
        Some([REAL]) => take(cells).map(|it| ValueRef::Real(f64::from_le_bytes(it))),
        Some([TEXT]) => take_bytes(cells).map(ValueRef::Text),
        Some([BLOB]) => take_bytes(cells).map(ValueRef::Blob),
        _ => None,
    };
    cell.ok_or_else(|| FromSqlError::Other("a row has too few cells".into()))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// Takes a length and that many bytes.
fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = u32::from_le_bytes(take(bytes)?);
    let (first, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(first)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use sqlx::Row as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::sqlite::connections::InterruptibleConnection;

    async fn packed(sql: &'static str) -> Option<Vec<u8>> {
        let options = SqliteConnectOptions::new().in_memory(true);
        let closing = Arc::new(AtomicBool::new(false));
        let mut connection = InterruptibleConnection::open(&options, &closing)
            .await
            .unwrap();
        let row = sqlx::query(sql).fetch_one(connection.sqlite()).await;
        row.unwrap().get(0)
    }

    #[tokio::test]
    async fn unpacked_rows_equal_the_packed_rows() {
        let sql = "SELECT pack_rows(column1, column2) FROM (VALUES (NULL, 0.1), \
                   (-9223372036854775808, 'ä'), (9223372036854775807, ''), (x'00ff', x''))";
        let packed = packed(sql).await.unwrap();
        let mut rest = packed.as_slice();
        let mut rows = Vec::new();
        while let Some(mut row) = next_row(&mut rest) {
            rows.push([next_cell(&mut row).unwrap(), next_cell(&mut row).unwrap()]);
            assert!(next_cell(&mut row).is_err(), "a third cell");
        }
        let expected = [
            [ValueRef::Null, ValueRef::Real(0.1)],
            [ValueRef::Integer(i64::MIN), ValueRef::Text("ä".as_bytes())],
            [ValueRef::Integer(i64::MAX), ValueRef::Text(b"")],
            [ValueRef::Blob(&[0, 255]), ValueRef::Blob(b"")],
        ];
        assert_eq!(rows, expected);
        assert!(rest.is_empty());
    }

    #[tokio::test]
    async fn an_empty_result_packs_to_null() {
        assert_eq!(packed("SELECT pack_rows(1) WHERE 0").await, None);
    }

    #[tokio::test]
    async fn packed_rows_keep_the_order_of_a_limited_query() {
        let sql = "SELECT pack_rows(value) FROM \
                   (SELECT value FROM json_each('[2, 3, 1]') ORDER BY value DESC LIMIT 2)";
        let packed = packed(sql).await.unwrap();
        let mut rest = packed.as_slice();
        let mut read = || next_cell(&mut next_row(&mut rest).unwrap()).unwrap();
        assert_eq!(
            [read(), read()],
            [ValueRef::Integer(3), ValueRef::Integer(2)]
        );
    }

    #[test]
    fn a_truncated_row_is_not_returned() {
        let mut rest: &[u8] = &[9, 0, 0, 0, 1];
        assert_eq!(next_row(&mut rest), None);
    }
}
