//! Replays the other earlier tables: observations of edges and aliases, statistics, changes. The order of their rows
//! does not matter.

use std::collections::HashMap;

use pipeline::Signal;
use pipeline::component::UnixNanos;
use pipeline::reports::{
    AliasItem, AliasObservation, EdgeItem, EdgeObservation, EdgeStatsReport, RecordReport,
    ReportBatch,
};
use pipeline::store::rows::RowsError;
use serde_json::{Map as JsonMap, Value as Json};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::{READ_ACTION, json_texts, write};
use crate::sqlite::backend::SqliteSession;

/// The number of rows of a page.
const PAGE_SIZE: usize = 2000;

/// A table and its primary key.
struct EarlierTable {
    name: &'static str,
    key: &'static [&'static str],
}

const EDGES: EarlierTable = EarlierTable {
    name: "earlier_relations",
    key: &["uid", "kind", "to_uid", "source", "set_hash"],
};
const ALIASES: EarlierTable = EarlierTable {
    name: "earlier_aliases",
    key: &["uid", "kind", "value", "scope", "source", "set_hash"],
};
const STATS: EarlierTable = EarlierTable {
    name: "earlier_edge_figures",
    key: &[
        "minute",
        "uid",
        "kind",
        "to_uid",
        "connection_type",
        "writer",
        "chunk",
    ],
};
const CHANGES: EarlierTable = EarlierTable {
    name: "earlier_changes",
    key: &["id"],
};

const NAMES: &str =
    "SELECT id, uid FROM earlier_change_uids WHERE id IN (SELECT value FROM json_each(?1))";

/// Replays all rows; returns how many of them this version cannot store.
pub(super) async fn replay(session: &mut SqliteSession) -> Result<usize, RowsError> {
    let mut rejected = 0;
    for table in [EDGES, ALIASES, STATS, CHANGES] {
        let mut after = Vec::new();
        loop {
            let rows = table.page(session.sqlite(), &after).await;
            let rows = rows.map_err(session.rows_error(READ_ACTION))?;
            let Some(last) = rows.last() else { break };
            after = table
                .key_of(last)
                .map_err(session.rows_error(READ_ACTION))?;
            let reports = match table.name {
                "earlier_relations" => edges(&rows),
                "earlier_aliases" => aliases(&rows),
                "earlier_edge_figures" => stats(&rows),
                _ => {
                    let names = names(session.sqlite(), &rows).await;
                    names.and_then(|names| changes(&rows, &names))
                }
            };
            let mut reports = reports.map_err(session.rows_error(READ_ACTION))?;
            rejected += drop_long(&mut reports);
            write(session, &reports).await?;
        }
    }
    Ok(rejected)
}

impl EarlierTable {
    /// Reads the next rows after the key `after`, in the order of the key. An empty key reads from the first row.
    async fn page(
        &self,
        connection: &mut SqliteConnection,
        after: &[Json],
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let (name, key) = (self.name, self.key.join(", "));
        let condition = match after.is_empty() {
            true => String::new(),
            false => {
                let values = vec!["?"; after.len()].join(", ");
                format!("WHERE ({key}) > ({values})")
            }
        };
        let sql = format!("SELECT * FROM {name} {condition} ORDER BY {key} LIMIT {PAGE_SIZE}");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in after {
            query = match value {
                Json::String(text) => query.bind(text.as_str()),
                value => query.bind(value.as_i64()),
            };
        }
        query.fetch_all(connection).await
    }

    /// The key of a row, as JSON values.
    fn key_of(&self, row: &SqliteRow) -> Result<Vec<Json>, sqlx::Error> {
        let cell = |column: &&str| {
            let text = row.try_get::<String, _>(*column).map(Json::from);
            text.or_else(|_| row.try_get::<i64, _>(*column).map(Json::from))
        };
        self.key.iter().map(cell).collect()
    }
}

/// Removes observations with a uid or a value that is too long for an index; returns how many.
fn drop_long(reports: &mut ReportBatch<'_>) -> usize {
    let fits = |text: &str| text.len() <= ReportBatch::MAX_NAME_BYTES;
    let before = reports.edges.len() + reports.aliases.len();
    reports.edges.retain(|it| fits(it.uid) && fits(it.edge.to));
    reports
        .aliases
        .retain(|it| fits(it.uid) && fits(it.alias.value));
    before - reports.edges.len() - reports.aliases.len()
}

fn edges(rows: &[SqliteRow]) -> Result<ReportBatch<'_>, sqlx::Error> {
    let mut reports = ReportBatch::default();
    for row in rows.iter().filter(|row| is_observation(row)) {
        let edge = EdgeItem {
            kind: row.try_get("kind")?,
            to: row.try_get("to_uid")?,
            confidence: row.try_get("confidence")?,
            properties: row.try_get("properties")?,
        };
        for time in observation_times(row)? {
            reports.edges.push(EdgeObservation {
                uid: row.try_get("uid")?,
                source: row.try_get("source")?,
                time,
                edge,
            });
        }
    }
    Ok(reports)
}

fn aliases(rows: &[SqliteRow]) -> Result<ReportBatch<'_>, sqlx::Error> {
    let mut reports = ReportBatch::default();
    for row in rows.iter().filter(|row| is_observation(row)) {
        let bound = |column| -> Result<Option<UnixNanos>, sqlx::Error> {
            let nanos: Option<i64> = row.try_get(column)?;
            Ok(nanos.map(time))
        };
        let alias = AliasItem {
            kind: row.try_get("kind")?,
            value: row.try_get("value")?,
            within: row.try_get("scope")?,
            valid_from: bound("valid_from")?,
            valid_to: bound("valid_to")?,
        };
        for time in observation_times(row)? {
            reports.aliases.push(AliasObservation {
                uid: row.try_get("uid")?,
                source: row.try_get("source")?,
                time,
                alias,
            });
        }
    }
    Ok(reports)
}

fn stats(rows: &[SqliteRow]) -> Result<ReportBatch<'_>, sqlx::Error> {
    let mut reports = ReportBatch::default();
    for row in rows {
        let count = |column| -> Result<u64, sqlx::Error> {
            let number: i64 = row.try_get(column)?;
            Ok(u64::try_from(number).unwrap_or_default())
        };
        let counts = serde_json::from_str(row.try_get("counts")?);
        reports.edge_stats.push(EdgeStatsReport {
            from: row.try_get("uid")?,
            kind: row.try_get("kind")?,
            to: row.try_get("to_uid")?,
            connection_type: row.try_get("connection_type")?,
            minute: time(row.try_get("minute")?),
            writer: row.try_get("writer")?,
            chunk: u32::try_from(count("chunk")?).unwrap_or_default(),
            calls: count("calls")?,
            errors: count("errors")?,
            duration_sum: row.try_get("duration_sum")?,
            duration_max: row.try_get("duration_max")?,
            scale: row.try_get("scale")?,
            offset: row.try_get("first_bucket")?,
            counts: counts.map_err(|error| sqlx::Error::Decode(error.into()))?,
        });
    }
    Ok(reports)
}

fn changes<'r>(
    rows: &'r [SqliteRow],
    names: &HashMap<String, Vec<String>>,
) -> Result<ReportBatch<'r>, sqlx::Error> {
    let mut reports = ReportBatch::default();
    for row in rows {
        let id: &str = row.try_get("id")?;
        let time = time(row.try_get("time")?);
        let columns: Result<JsonMap<String, Json>, _> =
            serde_json::from_str(row.try_get("details")?);
        let mut columns = columns.map_err(|error| sqlx::Error::Decode(error.into()))?;
        let impact = columns.remove("impact").filter(|impact| !impact.is_null());
        let mut named = names.get(id).cloned().unwrap_or_default();
        named.extend(row.try_get::<Option<String>, _>("actor")?);
        named.retain(|name| name.len() <= ReportBatch::MAX_NAME_BYTES);
        named.sort_unstable();
        named.dedup();
        let has_failed = columns
            .get("error_code")
            .is_some_and(|code| !code.is_null());
        reports.records.push(RecordReport {
            signal: Signal::Changes,
            id: id.into(),
            opened: time,
            time,
            source: row.try_get("source")?,
            uid: row.try_get("uid")?,
            names: named,
            status: if has_failed { "failed" } else { "" },
            severity: "",
            resolved: None,
            columns: Json::Object(columns).to_string(),
            impact: impact.map(|impact| impact.to_string()),
        });
    }
    Ok(reports)
}

/// Reads the uids that each change names, by the id of the change.
async fn names(
    connection: &mut SqliteConnection,
    rows: &[SqliteRow],
) -> Result<HashMap<String, Vec<String>>, sqlx::Error> {
    let ids: Result<Vec<&str>, _> = rows.iter().map(|row| row.try_get("id")).collect();
    let rows = sqlx::query(NAMES).bind(json_texts(ids?));
    let mut names: HashMap<String, Vec<String>> = HashMap::new();
    for row in &rows.fetch_all(connection).await? {
        let uids: &mut Vec<String> = names.entry(row.try_get("id")?).or_default();
        uids.push(row.try_get("uid")?);
    }
    Ok(names)
}

fn is_observation(row: &SqliteRow) -> bool {
    row.try_get::<i64, _>("set_hash")
        .is_ok_and(|hash| hash == 0)
}

/// The times of the first and the last observation.
fn observation_times(row: &SqliteRow) -> Result<[UnixNanos; 2], sqlx::Error> {
    Ok([
        time(row.try_get("first_seen")?),
        time(row.try_get("last_seen")?),
    ])
}

fn time(nanos: i64) -> UnixNanos {
    UnixNanos(nanos.cast_unsigned())
}
