//! Cells of the database ⇄ values.

use pipeline::component::UnixNanos;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite, Type};

/// Hashes are stored as signed numbers with the same bits.
pub(super) fn signed(hash: u64) -> i64 {
    hash.cast_signed()
}

/// The cells of a row from left to right.
pub(super) struct Cells<'r> {
    row: &'r SqliteRow,
    next: usize,
}

impl<'r> Cells<'r> {
    pub(super) fn of(row: &'r SqliteRow) -> Cells<'r> {
        Cells { row, next: 0 }
    }

    pub(super) fn take<T>(&mut self) -> Result<T, sqlx::Error>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.next += 1;
        self.row.try_get(self.next - 1)
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

fn time(nanos: i64) -> UnixNanos {
    UnixNanos(u64::try_from(nanos).unwrap_or_default())
}

/// All rows, each as `read` reads it.
pub(super) fn read_all<T>(
    rows: &[SqliteRow],
    read: impl Fn(&mut Cells<'_>) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, sqlx::Error> {
    rows.iter().map(|row| read(&mut Cells::of(row))).collect()
}
