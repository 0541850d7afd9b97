//! Many rows with few statements.

use std::sync::{Arc, OnceLock};

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};

use super::cells::PackedRows;

/// Rows of one statement; the same few sizes again and again, so that each is prepared once.
/// (SQLite takes 32,766 parameters.)
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// A statement about any number of rows: written for one, its `VALUES (?, ?)` is repeated.
#[derive(Debug)]
pub(super) struct Bulk {
    sql: &'static str,
    statements: OnceLock<[Arc<str>; SIZES.len()]>,
}

impl Bulk {
    pub(super) const fn new(sql: &'static str) -> Bulk {
        Bulk {
            sql,
            statements: OnceLock::new(),
        }
    }

    /// Runs it for all rows, in their order; what it packs is returned. `bind` adds the values of a
    /// row, in the order of the columns.
    pub(super) async fn run<T>(
        &self,
        connection: &mut SqliteConnection,
        mut rows: &[T],
        bind: impl Fn(&mut Values, &T),
    ) -> Result<PackedRows, sqlx::Error> {
        let mut returned = PackedRows::default();
        for (size, statement) in SIZES.into_iter().zip(self.statements()) {
            while rows.len() >= size {
                let (now, later) = rows.split_at(size);
                rows = later;
                let mut values = Values::default();
                values.arguments.reserve(size * self.parameters(), 0);
                for row in now {
                    bind(&mut values, row);
                }
                let query = sqlx::query_with(AssertSqlSafe(statement.clone()), values.finish()?);
                for packed in query.fetch_all(&mut *connection).await? {
                    returned.add(&packed)?;
                }
            }
        }
        Ok(returned)
    }

    fn statements(&self) -> &[Arc<str>; SIZES.len()] {
        self.statements.get_or_init(|| {
            let (head, rest) = self.sql.split_once("VALUES ").expect("it has values");
            let end = rest.find(')').expect("they stand in brackets") + 1;
            let (row, tail) = rest.split_at(end);
            SIZES.map(|size| {
                let rows = vec![row; size].join(", ");
                format!("{head}VALUES {rows}{tail}").into()
            })
        })
    }

    /// Of a row.
    fn parameters(&self) -> usize {
        let first = &self.statements()[SIZES.len() - 1];
        first.bytes().filter(|byte| *byte == b'?').count()
    }

    #[cfg(test)]
    pub(super) fn statement(&self) -> &str {
        &self.statements()[SIZES.len() - 2]
    }
}

/// The parameters of a statement.
#[derive(Default)]
pub(super) struct Values {
    arguments: SqliteArguments,
    failed: Option<sqlx::error::BoxDynError>,
}

impl Values {
    pub(super) fn add<'t, T>(&mut self, value: T) -> &mut Values
    where
        T: Encode<'t, Sqlite> + Type<Sqlite>,
    {
        if let Err(error) = self.arguments.add(value) {
            self.failed.get_or_insert(error);
        }
        self
    }

    /// A number, which SQLite would store as null.
    pub(super) fn real(&mut self, value: f64) -> &mut Values {
        if value.is_nan() {
            self.failed.get_or_insert_with(|| "a number is NaN".into());
        }
        self.add(value)
    }

    fn finish(self) -> Result<SqliteArguments, sqlx::Error> {
        match self.failed {
            None => Ok(self.arguments),
            Some(error) => Err(sqlx::Error::Encode(error)),
        }
    }
}

/// Rows in the order of their key: neighbours in the table are written one after the other. Of equal
/// keys the last row is written last.
pub(super) fn sorted<T, K: Ord>(rows: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    let mut sorted: Vec<&T> = rows.iter().collect();
    sorted.sort_by_key(|row| key(row));
    sorted
}

/// Numbers as the one JSON parameter that `json_each` unfolds.
pub(super) fn json_list<N: ToString>(numbers: impl IntoIterator<Item = N>) -> String {
    let numbers: Vec<String> = numbers
        .into_iter()
        .map(|number| number.to_string())
        .collect();
    format!("[{}]", numbers.join(","))
}

/// A limit as SQLite takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
