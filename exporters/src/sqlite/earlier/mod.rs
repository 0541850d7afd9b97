//! Upgrades files of version 1, which stored facts: replays their rows as reports in the order of their times.
//!
//! ```text
//!  earlier_facts ─────── facts.rs ────────▶ sightings, removals, snapshots ────────┐
//!  earlier_completions ─ scans.rs ────────▶ completions                            ├─▶ Store::write_in_transaction
//!  earlier_relations, ── other_tables.rs ─▶ observations, edge statistics, changes ┘
//!  _aliases, _edge_figures, _changes
//! ```
//!
//! One transaction replays the rows and drops the earlier tables. If the process dies before the commit, the tables
//! stay, and the next start begins the upgrade again.
//!
//! A fact has only the times of the first and of the last report of a value. So if a value was replaced and later
//! returned, its second interval begins at the last report.

use std::path::{Path, PathBuf};

use pipeline::component::{ErrorChain, StartError, UnixNanos};
use pipeline::reports::ReportBatch;
use pipeline::store::Store;
use pipeline::store::rows::{Backend, RowsError, WriteRows};

use super::SqliteBackend;
use super::backend::SqliteSession;
use super::database::HAS_EARLIER_TABLES;

mod facts;
mod other_tables;
mod scans;

use facts::FactReader;

/// The number of scan completions in one step of the replay. A step writes all its facts before its completions, though
/// some facts are newer than some completions. The result is the same, since the store folds a late completion at its
/// time: it keeps far more scans of a scope than a step has.
const SCANS_PER_STEP: usize = 4;

const ROWS: &str = "SELECT (SELECT count(*) FROM earlier_facts) + (SELECT count(*) FROM earlier_relations) \
     + (SELECT count(*) FROM earlier_aliases) + (SELECT count(*) FROM earlier_edge_figures) \
     + (SELECT count(*) FROM earlier_changes)";
const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
const TABLES: [&str; 8] = [
    "facts",
    "completions",
    "members",
    "relations",
    "aliases",
    "edge_figures",
    "changes",
    "change_uids",
];

const READ_ACTION: &str = "read rows of an earlier version";

/// The number of rows that the upgrade replays per second on a slow disk.
const ROWS_PER_SECOND: i64 = 10_000;

/// Imports the rows of an earlier version into the current tables, if the file has any.
///
/// # Errors
/// If the import fails; the file then still has all its rows. The error says what to do.
pub(super) async fn import_rows(
    store: &Store<SqliteBackend>,
    path: &Path,
    id: &str,
) -> Result<(), StartError> {
    let import = Import {
        path: path.to_owned(),
        id: id.to_owned(),
    };
    import.run(store).await.map_err(|error| {
        StartError::new(format!(
            "cannot upgrade {} (exporters.{id}.path): {}; the file still has all its rows: free disk space or fix \
             the cause, and start this version again to repeat the upgrade",
            path.display(),
            ErrorChain(&error)
        ))
    })
}

/// An import. The path and the id of the exporter are fields of its logs.
struct Import {
    path: PathBuf,
    id: String,
}

impl Import {
    async fn run(&self, store: &Store<SqliteBackend>) -> Result<(), RowsError> {
        let backend = store.backend();
        if query_number(&mut backend.read().await?, HAS_EARLIER_TABLES).await? == 0 {
            return Ok(());
        }
        let mut session = backend.write().await?;
        // Another process may have imported the rows in the meantime.
        if query_number(&mut session, HAS_EARLIER_TABLES).await? == 0 {
            return Ok(());
        }
        let rows = query_number(&mut session, ROWS).await?;
        if rows > 0 {
            self.log_start(rows, query_number(&mut session, SIZE).await?);
            let rejected = replay(&mut session).await?;
            if rejected > 0 {
                let (exporter, path) = (&self.id, self.path.display());
                tracing::warn!(
                    exporter, %path, rows = rejected,
                    "the upgrade dropped rows that this version cannot store"
                );
            }
        }
        for table in TABLES {
            let sql = format!("DROP TABLE earlier_{table}");
            let dropped = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(session.sqlite());
            let dropped = dropped.await;
            dropped.map_err(session.rows_error(format!("drop earlier_{table}")))?;
        }
        session.commit().await?;
        if rows > 0 {
            self.vacuum(backend).await;
        }
        Ok(())
    }

    fn log_start(&self, rows: i64, bytes: i64) {
        let (exporter, path) = (&self.id, self.path.display());
        let (seconds, mebibytes) = (rows / ROWS_PER_SECOND, 2 * bytes / (1 << 20));
        tracing::info!(
            exporter, %path, rows,
            "upgrading the file of an earlier version: takes about {seconds} s and needs {mebibytes} MiB of free \
             disk space"
        );
    }

    /// Vacuums the file, so that it can shrink in small steps from now on. If the disk has no space for this, the
    /// exporter works nevertheless.
    async fn vacuum(&self, backend: &SqliteBackend) {
        let vacuumed = backend.vacuum().await;
        let (exporter, path) = (&self.id, self.path.display());
        match vacuumed {
            Ok(()) => tracing::info!(exporter, %path, "upgraded the file"),
            Err(error) => {
                let error = ErrorChain(&error).to_string();
                tracing::warn!(
                    exporter, %path, error,
                    "upgraded the file, but could not vacuum it: it does not shrink until you stop airdig and run \
                     `PRAGMA auto_vacuum = INCREMENTAL; VACUUM;` on it"
                );
            }
        }
    }
}

/// Runs a query that returns one number.
async fn query_number(session: &mut SqliteSession, sql: &'static str) -> Result<i64, RowsError> {
    let number = sqlx::query_scalar(sql).fetch_one(session.sqlite()).await;
    number.map_err(session.rows_error("examine the tables of an earlier version"))
}

/// Replays the rows of the earlier tables, and drops the rows that this version cannot store. Returns approximately how
/// many rows it dropped.
async fn replay(session: &mut SqliteSession) -> Result<usize, RowsError> {
    let scans = scans::read(session.sqlite()).await;
    let scans = scans.map_err(session.rows_error(READ_ACTION))?;
    let facts = FactReader::open(session.sqlite(), &scans).await;
    let mut facts = facts.map_err(session.rows_error(READ_ACTION))?;
    // The last step has no scans, only the facts after the last scan.
    for start in (0..scans.len() + SCANS_PER_STEP).step_by(SCANS_PER_STEP) {
        let end = scans.len().min(start + SCANS_PER_STEP);
        let step = scans.get(start..end).unwrap_or_default();
        let until = step.last().map_or(UnixNanos(u64::MAX), |scan| scan.began);
        // Replays the facts up to the last scan of the step page by page, and the scans together with the last page.
        loop {
            let page = facts.page(session.sqlite(), until).await;
            let page = page.map_err(session.rows_error(READ_ACTION))?;
            let mut reports = page.reports(&mut facts.rejected);
            if !page.is_last {
                write(session, &reports).await?;
                continue;
            }
            let members = scans::members(session.sqlite(), step).await;
            let members = members.map_err(session.rows_error(READ_ACTION))?;
            for (scan, members) in step.iter().zip(&members) {
                reports.completions.push(scan.completion(members));
            }
            write(session, &reports).await?;
            break;
        }
    }
    Ok(facts.rejected + other_tables::replay(session).await?)
}

async fn write(session: &mut SqliteSession, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
    Store::<SqliteBackend>::write_in_transaction(session, reports, UnixNanos::now()).await?;
    Ok(())
}

/// Converts a stored signed number to the hash with the same bits.
fn unsigned(hash: i64) -> u64 {
    hash.cast_unsigned()
}

/// Encodes texts as a JSON list, a single parameter that `json_each` expands.
fn json_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    serde_json::Value::from(texts).to_string()
}

#[cfg(test)]
mod tests;
