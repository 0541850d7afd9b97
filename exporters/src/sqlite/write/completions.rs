//! Completed scans: those that find the same one after the other are one row, their members one blob.

use pipeline::component::UnixNanos;
use pipeline::facts::{Completion, Content, Fact, Members, Recorded, Run, group};
use pipeline::graph_store::Commit;
use pipeline::uid;
use sqlx::{Row as _, SqliteConnection};

use super::super::rows::{run, signed};
use super::facts;

const MEMBERS: &str = "INSERT INTO members (hash, pairs) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

const PAIRS: &str = "SELECT pairs FROM members WHERE hash = ?1";

/// The runs that a scan can touch.
const TOUCHED: &str = include_str!("../sql/runs_touched.sql");

const EXTEND: &str = "UPDATE completions SET last_began = ?1, scans = ?2 \
     WHERE scope = ?3 AND source = ?4 AND grp = ?5 AND first_began = ?6 AND members = ?7";

const REMOVE: &str = "DELETE FROM completions \
     WHERE scope = ?1 AND source = ?2 AND grp = ?3 AND first_began = ?4 AND members = ?5";

const ADD: &str = "INSERT INTO completions (scope, source, grp, first_began, last_began, members, scans) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const UIDS: &str =
    "SELECT DISTINCT uid FROM facts WHERE scope = ?1 AND source = ?2 AND scope <> ''";

pub(super) async fn write(
    connection: &mut SqliteConnection,
    completions: &[Completion],
    news: &mut Commit,
) -> Result<(), sqlx::Error> {
    for completion in completions {
        let rows = sqlx::query(TOUCHED)
            .bind(&completion.scope)
            .bind(&completion.source)
            .bind(&completion.group)
            .bind(completion.began.timestamp())
            .fetch_all(&mut *connection)
            .await?;
        let touched: Vec<Run> = rows.iter().map(run).collect::<Result<_, _>>()?;
        let hash = completion.members.hash();
        let recorded = Run::record(&touched, completion.began, hash);
        if recorded.added.is_empty() {
            continue;
        }
        if recorded.before != Some(hash) {
            sqlx::query(MEMBERS)
                .bind(signed(hash))
                .bind(completion.members.as_bytes())
                .execute(&mut *connection)
                .await?;
            if recorded.is_newest {
                end_and_announce(connection, completion, recorded.before, news).await?;
            }
        }
        record(connection, completion, &recorded).await?;
    }
    Ok(())
}

async fn record(
    connection: &mut SqliteConnection,
    scan: &Completion,
    recorded: &Recorded,
) -> Result<(), sqlx::Error> {
    if let ([old], [new]) = (&recorded.removed[..], &recorded.added[..])
        && old.first == new.first
    {
        sqlx::query(EXTEND)
            .bind(new.last.timestamp())
            .bind(scans(new))
            .bind(&scan.scope)
            .bind(&scan.source)
            .bind(&scan.group)
            .bind(new.first.timestamp())
            .bind(signed(new.members))
            .execute(connection)
            .await?;
        return Ok(());
    }
    for run in &recorded.removed {
        sqlx::query(REMOVE)
            .bind(&scan.scope)
            .bind(&scan.source)
            .bind(&scan.group)
            .bind(run.first.timestamp())
            .bind(signed(run.members))
            .execute(&mut *connection)
            .await?;
    }
    for run in &recorded.added {
        sqlx::query(ADD)
            .bind(&scan.scope)
            .bind(&scan.source)
            .bind(&scan.group)
            .bind(run.first.timestamp())
            .bind(run.last.timestamp())
            .bind(signed(run.members))
            .bind(scans(run))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn scans(run: &Run) -> String {
    let began = run.scans.iter().map(|began: &UnixNanos| began.timestamp());
    serde_json::Value::from(began.collect::<Vec<i64>>()).to_string()
}

/// Those are news whom this scan saw and the one before did not, and the reverse. The end of a
/// member is also written down, so that it is known when the scan is long past.
async fn end_and_announce(
    connection: &mut SqliteConnection,
    scan: &Completion,
    before: Option<u64>,
    news: &mut Commit,
) -> Result<(), sqlx::Error> {
    let mut known = None;
    if let Some(before) = before {
        let pairs = sqlx::query(PAIRS)
            .bind(signed(before))
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(row) = pairs {
            known = Members::from_bytes(row.try_get(0)?).ok();
        }
    }
    let uids: Vec<String> = sqlx::query_scalar(UIDS)
        .bind(&scan.scope)
        .bind(&scan.source)
        .fetch_all(&mut *connection)
        .await?;
    let ends = match scan.group.as_str() {
        group::DESIRED => group::DESIRED,
        _ => group::LIFECYCLE,
    };
    let mut ended = Vec::new();
    for uid in uids {
        let hash = uid::hash(&uid);
        let was = known
            .as_ref()
            .is_none_or(|known| known.state_of(hash).is_some());
        let is = scan.members.state_of(hash).is_some();
        if was != is {
            news.nodes.push(uid.clone());
        }
        if was && !is {
            ended.push(Fact {
                uid: uid.into(),
                group: ends.into(),
                source: scan.source.as_str().into(),
                scope: scan.scope.as_str().into(),
                hash: Fact::TOMBSTONE,
                first_seen: scan.began,
                last_seen: scan.began,
                content: Content::default(),
            });
        }
    }
    facts::upsert(connection, ended.iter().collect()).await
}
