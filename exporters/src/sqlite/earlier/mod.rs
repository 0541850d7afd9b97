//! Files of version 1, which kept facts: their rows become reports, replayed in the order of their times.
//!
//! ```text
//!  earlier_facts ─────── facts.rs ──▶ sightings, removals, snapshots ┐
//!  earlier_completions ─ scans.rs ──▶ completions                     ├─▶ Store::write_in, one transaction
//!  earlier_relations, aliases, figures, changes ─ others.rs ──────────┘   └─▶ the earlier tables go
//! ```
//!
//! A fact says when its value was first and last reported, not what was between: where a value came
//! back, its second stretch begins when it was last reported. A process that dies leaves the earlier
//! tables, and the next start begins again.

use std::path::{Path, PathBuf};

use pipeline::component::{Chain, StartError, UnixNanos};
use pipeline::reports::ReportBatch;
use pipeline::store::Store;
use pipeline::store::rows::{Backend, RowsError, WriteRows};

use super::SqliteBackend;
use super::backend::Session;

mod facts;
mod others;
mod scans;

use facts::Facts;

/// Completions of one transaction step: far fewer than a scope keeps, so that order does not matter.
const SCANS: usize = 4;

const IS_THERE: &str = "SELECT count(*) FROM sqlite_master WHERE name = 'earlier_facts'";
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

const READING: &str = "read rows of an earlier version";

/// Rows that one second moves on a slow disk.
const ROWS_A_SECOND: i64 = 10_000;

/// Moves the rows of an earlier version, if the file has any.
pub(super) async fn move_rows(
    store: &Store<SqliteBackend>,
    path: &Path,
    id: &str,
) -> Result<(), StartError> {
    let mover = Mover {
        path: path.to_owned(),
        id: id.to_owned(),
    };
    mover.run(store).await.map_err(|error| {
        StartError::new(format!(
            "bring {} up to date (exporters.{id}.path): {}; its rows are all there: make space or repair the \
             cause, and start this version again, which goes on",
            path.display(),
            Chain(&error)
        ))
    })
}

struct Mover {
    path: PathBuf,
    id: String,
}

impl Mover {
    async fn run(&self, store: &Store<SqliteBackend>) -> Result<(), RowsError> {
        let backend = store.backend();
        if number(&mut backend.read().await?, IS_THERE).await? == 0 {
            return Ok(());
        }
        let mut session = backend.write().await?;
        // Another process may have moved them since.
        if number(&mut session, IS_THERE).await? == 0 {
            return Ok(());
        }
        let rows = number(&mut session, ROWS).await?;
        if rows > 0 {
            self.announce(rows, number(&mut session, SIZE).await?);
            let rejected = replay(&mut session).await?;
            if rejected > 0 {
                let (exporter, path) = (&self.id, self.path.display());
                tracing::warn!(exporter, %path, rows = rejected, "rows that cannot be kept were left out");
            }
        }
        for table in TABLES {
            let sql = format!("DROP TABLE earlier_{table}");
            let dropped = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(session.sqlite());
            let dropped = dropped.await;
            dropped.map_err(session.failed(format!("drop earlier_{table}")))?;
        }
        session.commit().await?;
        if rows > 0 {
            self.compact(backend).await?;
        }
        Ok(())
    }

    fn announce(&self, rows: i64, bytes: i64) {
        let (exporter, path) = (&self.id, self.path.display());
        let (seconds, mebibytes) = (rows / ROWS_A_SECOND, bytes / (1 << 20));
        tracing::info!(
            exporter, %path, rows,
            "bringing the file of an earlier version up to date: about {seconds} s, and {mebibytes} MiB \
             of free space twice"
        );
    }

    /// Rewrites the file, so that it can shrink in small steps from now on. Without the space for it the
    /// exporter works all the same.
    async fn compact(&self, backend: &SqliteBackend) -> Result<(), RowsError> {
        let compacted = backend.rewrite().await;
        let (exporter, path) = (&self.id, self.path.display());
        match compacted {
            Ok(()) => tracing::info!(exporter, %path, "the file is up to date"),
            Err(error) => {
                let error = Chain(&error).to_string();
                tracing::warn!(
                    exporter, %path, error,
                    "the file is up to date, but could not be rewritten: it will not shrink until \
                     `PRAGMA auto_vacuum = INCREMENTAL; VACUUM;` is run with airdig stopped"
                );
            }
        }
        Ok(())
    }
}

async fn number(session: &mut Session, sql: &'static str) -> Result<i64, RowsError> {
    let number = sqlx::query_scalar(sql).fetch_one(session.sqlite()).await;
    number.map_err(session.failed("look for rows of an earlier version"))
}

/// Writes all that the earlier tables say; how many of their rows cannot be kept.
async fn replay(session: &mut Session) -> Result<usize, RowsError> {
    let scans = scans::read(session.sqlite()).await;
    let scans = scans.map_err(session.failed(READING))?;
    let facts = Facts::open(session.sqlite(), &scans).await;
    let mut facts = facts.map_err(session.failed(READING))?;
    // After the last scans a step of facts alone.
    for start in (0..scans.len() + SCANS).step_by(SCANS) {
        let end = scans.len().min(start + SCANS);
        let step = scans.get(start..end).unwrap_or_default();
        let until = step.last().map_or(UnixNanos(u64::MAX), |scan| scan.began);
        // Facts until then, and with the last page of them the scans.
        loop {
            let page = facts.page(session.sqlite(), until).await;
            let page = page.map_err(session.failed(READING))?;
            let mut reports = page.reports(&mut facts.rejected);
            if !page.is_last {
                write(session, &reports).await?;
                continue;
            }
            let members = scans::members(session.sqlite(), step).await;
            let members = members.map_err(session.failed(READING))?;
            for (scan, members) in step.iter().zip(&members) {
                reports.completions.push(scan.completion(members));
            }
            write(session, &reports).await?;
            break;
        }
    }
    Ok(facts.rejected + others::replay(session).await?)
}

async fn write(session: &mut Session, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
    Store::<SqliteBackend>::write_in(session, reports, UnixNanos::now()).await?;
    Ok(())
}

/// Hashes were stored as signed numbers with the same bits.
fn unsigned(hash: i64) -> u64 {
    hash.cast_unsigned()
}

/// Texts as the one JSON parameter that `json_each` unfolds.
fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    serde_json::Value::from(texts).to_string()
}

#[cfg(test)]
mod tests;
