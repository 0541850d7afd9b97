//! Rows of the database ⇄ values.

use pipeline::component::UnixNanos;
use rusqlite::types::{FromSql, FromSqlError};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, SqliteConnection};

use crate::sqlite::connections::packing::{next_cell, next_row};

/// Hashes are stored as signed numbers with the same bits.
pub(super) fn signed(hash: u64) -> i64 {
    hash.cast_signed()
}

/// The rows of a statement that selects `pack_rows(…)`, or returns `pack_row(…)` of each.
#[derive(Debug, Default)]
pub(super) struct PackedRows {
    bytes: Vec<u8>,
    count: usize,
}

impl PackedRows {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds the rows of one more row of the database, whose only cell they are.
    pub(super) fn add(&mut self, packed: &SqliteRow) -> Result<(), sqlx::Error> {
        // Null where no row was packed.
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

    pub(super) fn append(&mut self, mut other: PackedRows) {
        self.bytes.append(&mut other.bytes);
        self.count += other.count;
    }

    /// Each as `read` reads it, in their order.
    pub(super) fn read<'r, T>(
        &'r self,
        read: impl Fn(&mut Cells<'r>) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, sqlx::Error> {
        let mut values = Vec::with_capacity(self.count);
        let mut rest = self.bytes.as_slice();
        while let Some(rest) = next_row(&mut rest) {
            values.push(read(&mut Cells { rest })?);
        }
        Ok(values)
    }
}

/// All that a statement selects with `pack_rows(…)`.
pub(super) async fn fetch(
    connection: &mut SqliteConnection,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<PackedRows, sqlx::Error> {
    let mut rows = PackedRows::default();
    rows.add(&query.fetch_one(connection).await?)?;
    Ok(rows)
}

/// The cells of a row from left to right.
pub(super) struct Cells<'r> {
    rest: &'r [u8],
}

impl<'r> Cells<'r> {
    pub(super) fn take<T: FromSql>(&mut self) -> Result<T, sqlx::Error> {
        next_cell(&mut self.rest)
            .and_then(T::column_result)
            .map_err(undecoded)
    }

    pub(super) fn text(&mut self) -> Result<&'r str, sqlx::Error> {
        let text = next_cell(&mut self.rest).and_then(|cell| cell.as_str());
        text.map_err(undecoded)
    }

    pub(super) fn blob(&mut self) -> Result<&'r [u8], sqlx::Error> {
        let blob = next_cell(&mut self.rest).and_then(|cell| cell.as_blob());
        blob.map_err(undecoded)
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

    /// One of `values`, by its place among them.
    pub(super) fn code<T: Copy>(&mut self, values: &[T]) -> Result<T, sqlx::Error> {
        let code = self.take()?;
        value_of(code, values)
    }

    pub(super) fn optional_code<T: Copy>(
        &mut self,
        values: &[T],
    ) -> Result<Option<T>, sqlx::Error> {
        let code: Option<i64> = self.take()?;
        code.map(|code| value_of(code, values)).transpose()
    }
}

pub(super) fn value_of<T: Copy>(code: i64, values: &[T]) -> Result<T, sqlx::Error> {
    let place = usize::try_from(code).ok();
    let value = place.and_then(|place| values.get(place));
    let unknown = || sqlx::Error::Decode(format!("{code} stands for nothing").into());
    value.copied().ok_or_else(unknown)
}

fn undecoded(error: FromSqlError) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

fn time(nanos: i64) -> UnixNanos {
    UnixNanos(u64::try_from(nanos).unwrap_or_default())
}
