//! The statements about minutes, and the same ones about hours.

use pipeline::store::rows::Resolution;

use super::super::bulk::Bulk;

pub(in super::super) struct Statements {
    pub(in super::super) read: &'static str,
    pub(super) read_parts: &'static str,
    pub(super) oldest: &'static str,
    pub(super) find: Bulk,
    pub(super) replace: Bulk,
    pub(in super::super) remove: Bulk,
}

macro_rules! statements {
    ($table:literal) => {
        Statements {
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
            find: Bulk::new(concat!(
                "SELECT pack_rows(minute, part, writer, chunk, body) FROM ",
                $table,
                " WHERE (minute, part, writer, chunk) IN (VALUES (?, ?, ?, ?))"
            )),
            replace: Bulk::new(concat!(
                "INSERT OR FAIL INTO ",
                $table,
                " (minute, part, writer, chunk, body) VALUES (?, ?, ?, ?, ?)",
                " ON CONFLICT DO UPDATE SET body = excluded.body"
            )),
            remove: Bulk::new(concat!(
                "DELETE FROM ",
                $table,
                " WHERE (minute, part, writer, chunk) IN (VALUES (?, ?, ?, ?))"
            )),
        }
    };
}

static MINUTES: Statements = statements!("edge_stats");
static HOURS: Statements = statements!("edge_stats_hourly");

pub(in super::super) fn statements_for(resolution: Resolution) -> &'static Statements {
    match resolution {
        Resolution::Minute => &MINUTES,
        Resolution::Hour => &HOURS,
    }
}
