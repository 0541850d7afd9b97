//! Many rows with few statements.

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqliteConnection};

/// An upsert of any number of rows: `INSERT INTO t (a, b)`, then the rows, then `ON CONFLICT …`.
#[derive(Debug)]
pub(super) struct Upsert {
    pub(super) head: &'static str,
    pub(super) columns: usize,
    pub(super) tail: &'static str,
}

/// Rows of one statement; the same few sizes again and again, so that each is prepared once.
/// (SQLite takes 32,766 parameters.)
const SIZES: [usize; 3] = [256, 16, 1];

impl Upsert {
    /// `bind` adds the values of a row, in the order of the columns.
    pub(super) async fn run<T>(
        &self,
        connection: &mut SqliteConnection,
        mut rows: &[T],
        bind: impl Fn(&mut Values, &T),
    ) -> Result<(), sqlx::Error> {
        for size in SIZES {
            if rows.len() < size {
                continue;
            }
            let sql = self.statement(size);
            while rows.len() >= size {
                let (now, later) = rows.split_at(size);
                rows = later;
                let mut values = Values::default();
                for row in now {
                    bind(&mut values, row);
                }
                sqlx::query_with(AssertSqlSafe(sql.clone()), values.finish()?)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Ok(())
    }

    fn statement(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        let rows = vec![row; rows].join(",");
        format!("{} VALUES {rows} {}", self.head, self.tail)
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
        T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        use sqlx::Arguments as _;
        if let Err(error) = self.arguments.add(value) {
            self.failed.get_or_insert(error);
        }
        self
    }

    fn finish(self) -> Result<SqliteArguments, sqlx::Error> {
        match self.failed {
            None => Ok(self.arguments),
            Some(error) => Err(sqlx::Error::Encode(error)),
        }
    }
}

/// A list of texts as the one JSON parameter that `json_each` unfolds.
pub(super) fn json_list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    serde_json::Value::from(texts).to_string()
}
