//! Claims: the last stretch of each, and those before it.

use pipeline::claims::{Class, Ending, Point, Removal, Stretch};
use pipeline::component::UnixNanos;
use pipeline::store::rows::{ClaimKey, ClaimRow, NodeId, ScopeKey};
use sqlx::SqliteConnection;

use super::bulk::{Bulk, Values, json_list, limit as rows_limit, sorted};
use super::cells::{Cells, fetch, signed};
use super::nodes::NewNodes;

static PUT: Bulk = Bulk::new(include_str!("../sql/put_claims.sql"));
static PUT_PAST: Bulk = Bulk::new(include_str!("../sql/put_past_claims.sql"));
pub(super) static REMOVE: Bulk = Bulk::new(
    "DELETE FROM claims WHERE (node, class, source, scope, since) IN (VALUES (?, ?, ?, ?, ?))",
);
pub(super) static REMOVE_PAST: Bulk = Bulk::new(
    "DELETE FROM claim_history WHERE (node, class, source, scope, since) IN (VALUES (?, ?, ?, ?, ?))",
);
pub(super) const READ: &str = include_str!("../sql/read_claims.sql");
pub(super) const READ_PAST: &str = include_str!("../sql/read_past_claims.sql");
pub(super) const READ_OPEN: &str = include_str!("../sql/read_open_claims.sql");
pub(super) const READ_SCOPE: &str = include_str!("../sql/read_ended_claims.sql");

/// By the number that stands for each.
const ENDINGS: [Ending; 3] = [
    Ending::Replaced,
    Ending::Removed(Removal::Deleted),
    Ending::Removed(Removal::Released),
];

pub(super) async fn read(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<ClaimRow>, sqlx::Error> {
    let query = sqlx::query(READ).bind(json_list(nodes));
    let rows = fetch(connection, query).await?;
    rows.read(claim)
}

pub(super) async fn read_past(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
    since: UnixNanos,
) -> Result<Vec<ClaimRow>, sqlx::Error> {
    let query = sqlx::query(READ_PAST)
        .bind(json_list(nodes))
        .bind(since.timestamp());
    let rows = fetch(connection, query).await?;
    rows.read(claim)
}

pub(super) async fn read_open(
    connection: &mut SqliteConnection,
    new: &NewNodes,
    scope: ScopeKey,
    after: NodeId,
    limit: usize,
) -> Result<Vec<(u64, ClaimRow)>, sqlx::Error> {
    let query = sqlx::query(READ_OPEN)
        .bind(scope.class as i64)
        .bind(scope.source)
        .bind(scope.scope)
        .bind(after)
        .bind(rows_limit(limit));
    let rows = fetch(connection, query).await?;
    rows.read(|cells| {
        let claim = claim(cells)?;
        Ok((new.hash_of(claim.key.node, cells.take()?), claim))
    })
}

/// Nodes of claims that ended after `since`, each with the hash of its uid.
pub(super) async fn ended_since(
    connection: &mut SqliteConnection,
    new: &NewNodes,
    scope: ScopeKey,
    since: UnixNanos,
) -> Result<Vec<(u64, NodeId)>, sqlx::Error> {
    let query = sqlx::query(READ_SCOPE)
        .bind(scope.class as i64)
        .bind(scope.source)
        .bind(scope.scope)
        .bind(since.timestamp());
    let rows = fetch(connection, query).await?;
    rows.read(|cells| {
        let node = cells.take()?;
        Ok((new.hash_of(node, cells.take()?), node))
    })
}

fn claim(cells: &mut Cells<'_>) -> Result<ClaimRow, sqlx::Error> {
    let key = ClaimKey {
        node: cells.take()?,
        class: cells.code(&Class::ALL)?,
        source: cells.take()?,
        scope: cells.take()?,
    };
    let since = cells.time()?;
    let until = cells.optional_time()?;
    let ending = cells.optional_code(&ENDINGS)?;
    let state = cells.hash()?;
    let seen = cells.time()?;
    let points: Option<Vec<u8>> = cells.take()?;
    let stretch = Stretch {
        since,
        until: until.zip(ending),
        state,
        seen,
        points: Point::decode(points.as_deref(), since, state),
    };
    Ok(ClaimRow { key, stretch })
}

pub(super) async fn put(
    connection: &mut SqliteConnection,
    rows: &[ClaimRow],
) -> Result<(), sqlx::Error> {
    PUT.run(connection, &sorted(rows, |row| row.key), bind)
        .await?;
    Ok(())
}

pub(super) async fn put_past(
    connection: &mut SqliteConnection,
    rows: &[ClaimRow],
) -> Result<(), sqlx::Error> {
    let rows = sorted(rows, |row| (row.key, row.stretch.since));
    PUT_PAST.run(connection, &rows, bind).await?;
    Ok(())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as `Bulk` binds rows")]
fn bind(values: &mut Values, row: &&ClaimRow) {
    let stretch = &row.stretch;
    bind_key(values, &row.key);
    values
        .add(stretch.since.timestamp())
        .add(stretch.until.map(|(until, _)| until.timestamp()))
        .add(stretch.until.map(|(_, ending)| code(ending)))
        .add(signed(stretch.state))
        .add(stretch.seen.timestamp())
        .add(Point::encode(&stretch.points, stretch.since, stretch.state));
}

fn bind_key(values: &mut Values, key: &ClaimKey) {
    values
        .add(key.node)
        .add(key.class as i64)
        .add(key.source)
        .add(key.scope);
}

fn code(ending: Ending) -> i64 {
    match ending {
        Ending::Replaced => 0,
        Ending::Removed(Removal::Deleted) => 1,
        Ending::Removed(Removal::Released) => 2,
    }
}

pub(super) async fn remove(
    connection: &mut SqliteConnection,
    keys: &[(ClaimKey, UnixNanos)],
) -> Result<(), sqlx::Error> {
    let keys = sorted(keys, |key| *key);
    for statement in [&REMOVE_PAST, &REMOVE] {
        statement
            .run(connection, &keys, |values, (key, since)| {
                bind_key(values, key);
                values.add(since.timestamp());
            })
            .await?;
    }
    Ok(())
}
