//! Decodes the rows that statements pack.

use pipeline::component::UnixNanos;
use rusqlite::types::{FromSql, FromSqlError};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, SqliteConnection};

use crate::sqlite::connections::packing::{next_cell, next_row};

/// Converts a hash to the stored signed number, which has the same bits.
pub(super) fn signed(hash: u64) -> i64 {
    hash.cast_signed()
}

/// The rows of a statement that selects `pack_rows(…)`, or that returns a `pack_row(…)` per row.
#[derive(Debug, Default)]
pub(super) struct PackedRows {
    bytes: Vec<u8>,
    count: usize,
}

impl PackedRows {
    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds the rows that are packed in the only cell of `packed`.
    ///
    /// # Errors
    /// If the last packed row is cut off.
    pub(super) fn add(&mut self, packed: &SqliteRow) -> Result<(), sqlx::Error> {
        // `pack_rows` returns null if there is no row.
        let packed: Option<&[u8]> = packed.try_get(0)?;
        let packed = packed.unwrap_or_default();
        let mut rest = packed;
        while next_row(&mut rest).is_some() {
            self.count += 1;
        }
        if !rest.is_empty() {
            return Err(sqlx::Error::Decode("packed rows are cut off".into()));
        }
        self.bytes.extend_from_slice(packed);
        Ok(())
    }

    /// Adds the rows of another result.
    pub(super) fn append(&mut self, mut other: PackedRows) {
        self.bytes.append(&mut other.bytes);
        self.count += other.count;
    }

    /// Converts each row with `read`, in order.
    pub(super) fn read<'r, T>(
        &'r self,
        read: impl Fn(&mut CellReader<'r>) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, sqlx::Error> {
        let mut values = Vec::with_capacity(self.count);
        let mut rest = self.bytes.as_slice();
        while let Some(cells) = next_row(&mut rest) {
            values.push(read(&mut CellReader { rest: cells })?);
        }
        Ok(values)
    }
}

/// Runs a statement that selects `pack_rows(…)`, and returns its rows.
pub(super) async fn fetch_packed(
    connection: &mut SqliteConnection,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<PackedRows, sqlx::Error> {
    let mut rows = PackedRows::default();
    rows.add(&query.fetch_one(connection).await?)?;
    Ok(rows)
}

/// Reads the cells of a row from left to right. Each method reads the next cell.
///
/// # Errors
/// All methods fail if no cell is left, or if the next cell has another type.
pub(super) struct CellReader<'r> {
    rest: &'r [u8],
}

impl<'r> CellReader<'r> {
    pub(super) fn take<T: FromSql>(&mut self) -> Result<T, sqlx::Error> {
        next_cell(&mut self.rest)
            .and_then(T::column_result)
            .map_err(decode_error)
    }

    pub(super) fn text(&mut self) -> Result<&'r str, sqlx::Error> {
        let text = next_cell(&mut self.rest).and_then(|cell| cell.as_str());
        text.map_err(decode_error)
    }

    pub(super) fn blob(&mut self) -> Result<&'r [u8], sqlx::Error> {
        let blob = next_cell(&mut self.rest).and_then(|cell| cell.as_blob());
        blob.map_err(decode_error)
    }

    pub(super) fn hash(&mut self) -> Result<u64, sqlx::Error> {
        Ok(self.take::<i64>()?.cast_unsigned())
    }

    pub(super) fn time(&mut self) -> Result<UnixNanos, sqlx::Error> {
        self.take().map(time)
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<UnixNanos>, sqlx::Error> {
        Ok(self.take::<Option<i64>>()?.map(time))
    }

    /// Reads an index into `values`.
    pub(super) fn code<T: Copy>(&mut self, values: &[T]) -> Result<T, sqlx::Error> {
        let code = self.take()?;
        decode_code(code, values)
    }

    pub(super) fn optional_code<T: Copy>(
        &mut self,
        values: &[T],
    ) -> Result<Option<T>, sqlx::Error> {
        let code: Option<i64> = self.take()?;
        code.map(|code| decode_code(code, values)).transpose()
    }
}

/// The value with this index.
///
/// # Errors
/// If there is no such value.
pub(super) fn decode_code<T: Copy>(code: i64, values: &[T]) -> Result<T, sqlx::Error> {
    let index = usize::try_from(code).ok();
    let value = index.and_then(|index| values.get(index));
    let unknown = || sqlx::Error::Decode(format!("unknown code {code}").into());
    value.copied().ok_or_else(unknown)
}

fn decode_error(error: FromSqlError) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

fn time(nanos: i64) -> UnixNanos {
    UnixNanos(u64::try_from(nanos).unwrap_or_default())
}
