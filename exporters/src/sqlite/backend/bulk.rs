//! Statements that read or write many rows.

use std::sync::{Arc, OnceLock};

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};

use super::cells::PackedRows;

/// The numbers of rows of one statement. There are few of them, so that SQLite prepares few statements. (It allows
/// 32,766 parameters.)
const STATEMENT_SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// A statement for any number of rows. Its text is for one row. For more rows, the list after `VALUES` is repeated.
#[derive(Debug)]
pub(super) struct BulkStatement {
    sql: &'static str,
    statements: OnceLock<[Arc<str>; STATEMENT_SIZES.len()]>,
}

impl BulkStatement {
    /// A statement with this text, which has one `VALUES (…)`.
    pub(super) const fn new(sql: &'static str) -> BulkStatement {
        BulkStatement {
            sql,
            statements: OnceLock::new(),
        }
    }

    /// Runs the statement for all rows in their order, and returns the rows that it packs. `bind` adds the values of a
    /// row in the order of the parameters.
    pub(super) async fn run<T>(
        &self,
        connection: &mut SqliteConnection,
        mut rows: &[T],
        bind: impl Fn(&mut BoundValues, &T),
    ) -> Result<PackedRows, sqlx::Error> {
        let mut returned = PackedRows::default();
        for (size, statement) in STATEMENT_SIZES.into_iter().zip(self.statements()) {
            while rows.len() >= size {
                let (chunk, rest) = rows.split_at(size);
                rows = rest;
                let mut values = BoundValues::default();
                values
                    .arguments
                    .reserve(size * self.parameters_per_row(), 0);
                for row in chunk {
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

    fn statements(&self) -> &[Arc<str>; STATEMENT_SIZES.len()] {
        self.statements.get_or_init(|| {
            let (head, rest) = self
                .sql
                .split_once("VALUES ")
                .expect("a bulk statement has VALUES");
            let end = rest.find(')').expect("VALUES are in parentheses") + 1;
            let (row, tail) = rest.split_at(end);
            STATEMENT_SIZES.map(|size| {
                let rows = vec![row; size].join(", ");
                format!("{head}VALUES {rows}{tail}").into()
            })
        })
    }

    fn parameters_per_row(&self) -> usize {
        let first = &self.statements()[STATEMENT_SIZES.len() - 1];
        first.bytes().filter(|byte| *byte == b'?').count()
    }

    /// The text for four rows.
    #[cfg(test)]
    pub(super) fn statement(&self) -> &str {
        &self.statements()[STATEMENT_SIZES.len() - 2]
    }
}

/// The values of a statement's parameters.
#[derive(Default)]
pub(super) struct BoundValues {
    arguments: SqliteArguments,
    /// The first value that could not be encoded.
    error: Option<sqlx::error::BoxDynError>,
}

impl BoundValues {
    /// Adds the value of the next parameter. If the value cannot be encoded, running the statement returns the error.
    pub(super) fn add<'t, T>(&mut self, value: T) -> &mut BoundValues
    where
        T: Encode<'t, Sqlite> + Type<Sqlite>,
    {
        if let Err(error) = self.arguments.add(value) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Adds a number; NaN is an error, since SQLite would store it as null.
    pub(super) fn add_real(&mut self, value: f64) -> &mut BoundValues {
        if value.is_nan() {
            self.error.get_or_insert_with(|| "a number is NaN".into());
        }
        self.add(value)
    }

    fn finish(self) -> Result<SqliteArguments, sqlx::Error> {
        match self.error {
            None => Ok(self.arguments),
            Some(error) => Err(sqlx::Error::Encode(error)),
        }
    }
}

/// Sorts rows by their key, so that neighbours in the table are written one after the other. The sort is stable: of
/// rows with the same key, the last one is written last.
pub(super) fn sorted<T, K: Ord>(rows: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    let mut sorted: Vec<&T> = rows.iter().collect();
    sorted.sort_by_key(|row| key(row));
    sorted
}

/// Encodes numbers as a JSON list, a single parameter that `json_each` expands.
pub(super) fn json_list<N: ToString>(numbers: impl IntoIterator<Item = N>) -> String {
    let numbers: Vec<String> = numbers
        .into_iter()
        .map(|number| number.to_string())
        .collect();
    format!("[{}]", numbers.join(","))
}

/// Converts a limit to SQLite's integer.
pub(super) fn sql_limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
