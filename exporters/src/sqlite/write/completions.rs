//! Completed scans: a row each, their members once.

use pipeline::facts::{Completion, Members};
use pipeline::graph_store::Commit;
use pipeline::uid;
use sqlx::{Row as _, SqliteConnection};

use super::super::rows::signed;

const MEMBERS: &str = "INSERT INTO members (hash, pairs) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

const COMPLETION: &str = "INSERT INTO completions (scope, source, grp, members, first_began, last_began) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
     first_began = min(first_began, excluded.first_began), last_began = max(last_began, excluded.last_began)";

const LATEST: &str = "SELECT c.members, m.pairs, c.last_began FROM completions c JOIN members m ON m.hash = c.members \
     WHERE c.scope = ?1 AND c.source = ?2 AND c.grp = ?3 ORDER BY c.last_began DESC, c.members DESC LIMIT 1";

const LATEST_HASH: &str = "SELECT members FROM completions \
     WHERE scope = ?1 AND source = ?2 AND grp = ?3 ORDER BY last_began DESC, members DESC LIMIT 1";

const UIDS: &str =
    "SELECT DISTINCT uid FROM facts WHERE scope = ?1 AND source = ?2 AND scope <> ''";

pub(super) async fn write(
    connection: &mut SqliteConnection,
    completions: &[Completion],
    news: &mut Commit,
) -> Result<(), sqlx::Error> {
    for completion in completions {
        let hash = signed(completion.members.hash());
        let last: Option<i64> = sqlx::query_scalar(LATEST_HASH)
            .bind(&completion.scope)
            .bind(&completion.source)
            .bind(&completion.group)
            .fetch_optional(&mut *connection)
            .await?;
        if last != Some(hash) {
            announce(connection, completion, news).await?;
            sqlx::query(MEMBERS)
                .bind(hash)
                .bind(completion.members.as_bytes())
                .execute(&mut *connection)
                .await?;
        }
        sqlx::query(COMPLETION)
            .bind(&completion.scope)
            .bind(&completion.source)
            .bind(&completion.group)
            .bind(hash)
            .bind(completion.first_began.timestamp())
            .bind(completion.last_began.timestamp())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Those are news whom this scan saw and the one before did not, and the reverse.
async fn announce(
    connection: &mut SqliteConnection,
    completion: &Completion,
    news: &mut Commit,
) -> Result<(), sqlx::Error> {
    let latest = sqlx::query(LATEST)
        .bind(&completion.scope)
        .bind(&completion.source)
        .bind(&completion.group)
        .fetch_optional(&mut *connection)
        .await?;
    let before = match &latest {
        None => None,
        Some(row) if row.try_get::<i64, _>(2)? > completion.last_began.timestamp() => {
            // It is late: what it saw is past already.
            return Ok(());
        }
        Some(row) => Members::from_bytes(row.try_get(1)?).ok(),
    };
    let uids: Vec<String> = sqlx::query_scalar(UIDS)
        .bind(&completion.scope)
        .bind(&completion.source)
        .fetch_all(connection)
        .await?;
    for uid in uids {
        let hash = uid::hash(&uid);
        let was = before
            .as_ref()
            .is_none_or(|before| before.state_of(hash).is_some());
        if was != completion.members.state_of(hash).is_some() {
            news.nodes.push(uid);
        }
    }
    Ok(())
}
