//! What a source has told of and not told the end of.

use pipeline::facts::group;
use pipeline::graph_store::{At, Scanned, ScannedPage};

use super::super::reader::Session;
use super::facts::{Facts, Part};

const UIDS: &str = "SELECT DISTINCT uid FROM facts \
     WHERE source = ?1 AND scope <> '' AND grp = 'lifecycle' AND uid > ?2 ORDER BY uid LIMIT ?3";

pub(in super::super) async fn scanned(
    session: &mut Session<'_>,
    source: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<ScannedPage, sqlx::Error> {
    let uids: Vec<String> = sqlx::query_scalar(UIDS)
        .bind(source)
        .bind(after.unwrap_or_default())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(session.connection())
        .await?;
    let each = uids.iter().map(String::as_str);
    let mut facts = Facts::of(session, each, Part::Keys, At::Now).await?;
    // What others say of it is not what this source has last told.
    for told in facts.of.values_mut() {
        told.retain(|fact| fact.source == source);
    }
    let scanned = |uid: &String| {
        let current = facts.current(uid, At::Now)?;
        let (fact, _) = current.groups.get(group::ACTUAL)?;
        let lives = current.ended.is_none() && !fact.scope.is_empty();
        lives.then(|| Scanned {
            uid: uid.clone(),
            scope: fact.scope.clone().into_owned(),
            state: fact.hash,
        })
    };
    Ok(ScannedPage {
        scanned: uids.iter().filter_map(scanned).collect(),
        last: (uids.len() == limit)
            .then(|| uids.last().cloned())
            .flatten(),
    })
}
