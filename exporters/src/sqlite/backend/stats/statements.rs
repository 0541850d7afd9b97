//! The SQL statements for the statistics of minutes and of hours, which are in two tables with the same columns.

use pipeline::store::rows::StatsResolution;

use crate::sqlite::backend::bulk::BulkStatement;

/// The statements on one table of statistics.
pub(in crate::sqlite::backend) struct StatsStatements {
    /// Reads a page of the rows before a minute, in the order of their keys, starting after a key.
    pub(in crate::sqlite::backend) read: &'static str,
    /// Reads the rows of some parts in an interval of time.
    pub(super) read_parts: &'static str,
    /// Reads the oldest minute.
    pub(super) oldest: &'static str,
    /// Reads the rows with these keys.
    pub(super) find: BulkStatement,
    /// Inserts rows; replaces the rows with the same keys.
    pub(super) replace: BulkStatement,
    /// Removes the rows with these keys.
    pub(in crate::sqlite::backend) remove: BulkStatement,
}

macro_rules! statements {
    ($table:literal) => {
        StatsStatements {
            read: concat!(
                "SELECT pack_rows(minute, part, writer, chunk, body) FROM \
                 (SELECT minute, part, writer, chunk, body FROM ",
                $table,
                " WHERE (minute, part, writer, chunk) > (?1, ?2, ?3, ?4) AND minute < ?5 \
                 ORDER BY minute, part, writer, chunk LIMIT ?6)"
            ),
            read_parts: concat!(
                "SELECT pack_rows(minute, part, writer, chunk, body) FROM ",
                $table,
                " WHERE minute >= ?1 AND minute < ?2 AND part IN (SELECT value FROM json_each(?3))"
            ),
            oldest: concat!("SELECT min(minute) FROM ", $table),
            find: BulkStatement::new(concat!(
                "SELECT pack_rows(minute, part, writer, chunk, body) FROM ",
                $table,
                " WHERE (minute, part, writer, chunk) IN (VALUES (?, ?, ?, ?))"
            )),
            replace: BulkStatement::new(concat!(
                "INSERT OR FAIL INTO ",
                $table,
                " (minute, part, writer, chunk, body) VALUES (?, ?, ?, ?, ?)",
                " ON CONFLICT DO UPDATE SET body = excluded.body"
            )),
            remove: BulkStatement::new(concat!(
                "DELETE FROM ",
                $table,
                " WHERE (minute, part, writer, chunk) IN (VALUES (?, ?, ?, ?))"
            )),
        }
    };
}

static MINUTES: StatsStatements = statements!("edge_stats");
static HOURS: StatsStatements = statements!("edge_stats_hourly");

/// The statements for a resolution.
pub(in crate::sqlite::backend) fn statements_for(
    resolution: StatsResolution,
) -> &'static StatsStatements {
    match resolution {
        StatsResolution::Minute => &MINUTES,
        StatsResolution::Hour => &HOURS,
    }
}
