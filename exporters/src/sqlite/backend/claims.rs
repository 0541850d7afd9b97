//! The tables `claims` (the last interval of each claim) and `claim_history` (the intervals before it).

use pipeline::claims::{ClaimClass, ClaimInterval, IntervalEnd, Removal, ReportPoint};
use pipeline::component::UnixNanos;
use pipeline::store::rows::{ClaimKey, ClaimRow, NodeId, ScopeKey};
use sqlx::SqliteConnection;

use super::bulk::{BoundValues, BulkStatement, json_list, sorted, sql_limit};
use super::cells::{CellReader, fetch_packed, signed};
use super::nodes::NewNodes;

static PUT: BulkStatement = BulkStatement::new(include_str!("../sql/put_claims.sql"));
static PUT_PAST: BulkStatement = BulkStatement::new(include_str!("../sql/put_past_claims.sql"));
pub(super) static REMOVE: BulkStatement = BulkStatement::new(
    "DELETE FROM claims WHERE (node, class, source, scope, since) IN (VALUES (?, ?, ?, ?, ?))",
);
pub(super) static REMOVE_PAST: BulkStatement = BulkStatement::new(
    "DELETE FROM claim_history WHERE (node, class, source, scope, since) IN (VALUES (?, ?, ?, ?, ?))",
);
pub(super) const READ: &str = include_str!("../sql/read_claims.sql");
pub(super) const READ_PAST: &str = include_str!("../sql/read_past_claims.sql");
pub(super) const READ_OPEN: &str = include_str!("../sql/read_open_claims.sql");
pub(super) const READ_ENDED: &str = include_str!("../sql/read_ended_claims.sql");

/// How an interval can end. The column `ending` has the index in this list.
const ENDINGS: [IntervalEnd; 3] = [
    IntervalEnd::Replaced,
    IntervalEnd::Removed(Removal::Deleted),
    IntervalEnd::Removed(Removal::Released),
];

/// Reads the last interval of each claim of these nodes.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<ClaimRow>, sqlx::Error> {
    let query = sqlx::query(READ).bind(json_list(nodes));
    let rows = fetch_packed(connection, query).await?;
    rows.read(claim)
}

/// Reads past intervals of the claims of these nodes: all that ended after `ended_after` and, of each claim, the newest
/// one that ended at that time or earlier.
pub(super) async fn read_past(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
    ended_after: UnixNanos,
) -> Result<Vec<ClaimRow>, sqlx::Error> {
    let query = sqlx::query(READ_PAST)
        .bind(json_list(nodes))
        .bind(ended_after.timestamp());
    let rows = fetch_packed(connection, query).await?;
    rows.read(claim)
}

/// Reads up to `limit` open claims of a scope in the order of their nodes, starting after the node `after`. Each has
/// the hash of the uid of its node.
pub(super) async fn read_open(
    connection: &mut SqliteConnection,
    new_nodes: &NewNodes,
    scope: ScopeKey,
    after: NodeId,
    limit: usize,
) -> Result<Vec<(u64, ClaimRow)>, sqlx::Error> {
    let query = sqlx::query(READ_OPEN)
        .bind(scope.class as i64)
        .bind(scope.source)
        .bind(scope.scope)
        .bind(after)
        .bind(sql_limit(limit));
    let rows = fetch_packed(connection, query).await?;
    rows.read(|cells| {
        let claim = claim(cells)?;
        Ok((new_nodes.hash_of(claim.key.node, cells.take()?), claim))
    })
}

/// Reads the nodes whose claims in a scope ended after `ended_after`. Each has the hash of its uid.
pub(super) async fn ended_since(
    connection: &mut SqliteConnection,
    new_nodes: &NewNodes,
    scope: ScopeKey,
    ended_after: UnixNanos,
) -> Result<Vec<(u64, NodeId)>, sqlx::Error> {
    let query = sqlx::query(READ_ENDED)
        .bind(scope.class as i64)
        .bind(scope.source)
        .bind(scope.scope)
        .bind(ended_after.timestamp());
    let rows = fetch_packed(connection, query).await?;
    rows.read(|cells| {
        let node = cells.take()?;
        Ok((new_nodes.hash_of(node, cells.take()?), node))
    })
}

fn claim(cells: &mut CellReader<'_>) -> Result<ClaimRow, sqlx::Error> {
    let key = ClaimKey {
        node: cells.take()?,
        class: cells.code(&ClaimClass::ALL)?,
        source: cells.take()?,
        scope: cells.take()?,
    };
    let since = cells.time()?;
    let until = cells.optional_time()?;
    let ending = cells.optional_code(&ENDINGS)?;
    let state = cells.hash()?;
    let seen = cells.time()?;
    let points: Option<Vec<u8>> = cells.take()?;
    let interval = ClaimInterval {
        since,
        until: until.zip(ending),
        state,
        seen,
        points: ReportPoint::decode(points.as_deref(), since, state),
    };
    Ok(ClaimRow { key, interval })
}

/// Writes the last interval of claims.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    rows: &[ClaimRow],
) -> Result<(), sqlx::Error> {
    PUT.run(connection, &sorted(rows, |row| row.key), bind)
        .await?;
    Ok(())
}

/// Writes past intervals of claims.
pub(super) async fn put_past(
    connection: &mut SqliteConnection,
    rows: &[ClaimRow],
) -> Result<(), sqlx::Error> {
    let rows = sorted(rows, |row| (row.key, row.interval.since));
    PUT_PAST.run(connection, &rows, bind).await?;
    Ok(())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "`BulkStatement` passes rows by reference"
)]
fn bind(values: &mut BoundValues, row: &&ClaimRow) {
    let interval = &row.interval;
    bind_key(values, &row.key);
    values
        .add(interval.since.timestamp())
        .add(interval.until.map(|(until, _)| until.timestamp()))
        .add(interval.until.map(|(_, ending)| code_of(ending)))
        .add(signed(interval.state))
        .add(interval.seen.timestamp())
        .add(ReportPoint::encode(
            &interval.points,
            interval.since,
            interval.state,
        ));
}

fn bind_key(values: &mut BoundValues, key: &ClaimKey) {
    values
        .add(key.node)
        .add(key.class as i64)
        .add(key.source)
        .add(key.scope);
}

fn code_of(ending: IntervalEnd) -> i64 {
    match ending {
        IntervalEnd::Replaced => 0,
        IntervalEnd::Removed(Removal::Deleted) => 1,
        IntervalEnd::Removed(Removal::Released) => 2,
    }
}

/// Removes the intervals of claims that began at these times.
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
