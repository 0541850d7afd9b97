//! The tables `aliases` (current aliases) and `past_aliases` (the former owners of aliases).

use std::collections::{BTreeMap, HashMap, HashSet};

use pipeline::store::rows::{AliasKey, AliasRow, NodeId, Word};
use pipeline::uid;
use sqlx::SqliteConnection;

use super::bulk::{BoundValues, BulkStatement, json_list, sql_limit};
use super::cells::{CellReader, fetch_packed, signed};

static PUT: BulkStatement = BulkStatement::new(include_str!("../sql/put_aliases.sql"));
/// Merges observations into existing rows.
static OBSERVE: BulkStatement = BulkStatement::new(include_str!("../sql/observe_aliases.sql"));
static ADD: BulkStatement = BulkStatement::new(include_str!("../sql/add_aliases.sql"));
pub(super) static REMOVE: BulkStatement =
    BulkStatement::new(include_str!("../sql/remove_aliases.sql"));
static PUT_PAST: BulkStatement = BulkStatement::new(
    "INSERT INTO past_aliases (value_hash, node) VALUES (?, ?) ON CONFLICT DO NOTHING",
);
pub(super) const READ: &str = include_str!("../sql/read_aliases.sql");
pub(super) const READ_BY_VALUE: &str = include_str!("../sql/read_aliases_by_value.sql");
pub(super) const READ_OF_KINDS: &str = include_str!("../sql/read_aliases_of_kinds.sql");
pub(super) const READ_PAST: &str = "SELECT pack_rows(value_hash, node) FROM past_aliases \
     WHERE value_hash IN (SELECT value FROM json_each(?1))";

/// A stored key: node, kind, hash of the value, within, source, scope, whether it is an observation.
type StoredKey = (NodeId, Word, i64, Word, Word, Word, bool);

fn hash(value: &str) -> i64 {
    signed(uid::hash(value))
}

fn stored_key_of(key: &AliasKey) -> StoredKey {
    let hash = hash(&key.value);
    (
        key.node,
        key.kind,
        hash,
        key.within,
        key.source,
        key.scope,
        key.is_observation,
    )
}

/// The current aliases of nodes.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<AliasRow>, sqlx::Error> {
    let query = sqlx::query(READ).bind(json_list(nodes));
    let rows = fetch_packed(connection, query).await?;
    rows.read(alias)
}

/// The current aliases with these values.
pub(super) async fn read_by_value(
    connection: &mut SqliteConnection,
    values: &[String],
) -> Result<Vec<AliasRow>, sqlx::Error> {
    let query = sqlx::query(READ_BY_VALUE).bind(json_list(values.iter().map(|value| hash(value))));
    let rows = fetch_packed(connection, query).await?;
    // The statement finds rows by the hash of their value, and other values may have the same hash.
    let values: HashSet<&str> = values.iter().map(String::as_str).collect();
    let mut aliases = rows.read(alias)?;
    aliases.retain(|alias| values.contains(alias.key.value.as_str()));
    Ok(aliases)
}

/// All current aliases of these kinds of the first `limit` nodes after `after` that have such an alias, in the order of
/// nodes.
pub(super) async fn read_of_kinds(
    connection: &mut SqliteConnection,
    kinds: &[Word],
    after: NodeId,
    limit: usize,
) -> Result<Vec<AliasRow>, sqlx::Error> {
    let query = sqlx::query(READ_OF_KINDS)
        .bind(json_list(kinds))
        .bind(after)
        .bind(sql_limit(limit));
    let rows = fetch_packed(connection, query).await?;
    rows.read(alias)
}

fn alias(cells: &mut CellReader<'_>) -> Result<AliasRow, sqlx::Error> {
    Ok(AliasRow {
        key: AliasKey {
            node: cells.take()?,
            kind: cells.take()?,
            value: cells.take()?,
            within: cells.take()?,
            source: cells.take()?,
            scope: cells.take()?,
            is_observation: cells.take()?,
        },
        valid_from: cells.optional_time()?,
        valid_to: cells.optional_time()?,
        first_seen: cells.time()?,
        last_seen: cells.time()?,
    })
}

/// The nodes that had aliases with these values, as (value, node).
pub(super) async fn read_past(
    connection: &mut SqliteConnection,
    values: &[String],
) -> Result<Vec<(String, NodeId)>, sqlx::Error> {
    let by_hash: HashMap<i64, &String> = values.iter().map(|value| (hash(value), value)).collect();
    let query = sqlx::query(READ_PAST).bind(json_list(by_hash.keys()));
    let rows = fetch_packed(connection, query).await?;
    let owners = rows.read(|cells| Ok((cells.take::<i64>()?, cells.take()?)))?;
    let owner = |(hash, node)| Some(((*by_hash.get(&hash)?).clone(), node));
    Ok(owners.into_iter().filter_map(owner).collect())
}

/// Writes current aliases; replaces rows with the same key.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    rows: &[AliasRow],
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<_> = rows
        .iter()
        .map(|row| (stored_key_of(&row.key), row))
        .collect();
    rows.sort_by_key(|(key, _)| *key);
    PUT.run(connection, &rows, bind).await?;
    Ok(())
}

/// Merges observations into the current aliases. Returns in order whether each observation is new. Of rows with the
/// same key, only the first can be new.
pub(super) async fn observe(
    connection: &mut SqliteConnection,
    rows: &[AliasRow],
) -> Result<Vec<bool>, sqlx::Error> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (stored_key_of(&row.key), row))
        .collect();
    let mut first = BTreeMap::new();
    for (index, (key, _)) in rows.iter().enumerate() {
        first.entry(*key).or_insert(index);
    }
    let distinct: Vec<_> = first.values().map(|index| rows[*index]).collect();
    let added = ADD.run(connection, &distinct, bind).await?;
    let mut is_new = vec![false; rows.len()];
    for key in added.read(stored_key)? {
        is_new[first[&key]] = true;
    }
    let existing = rows.iter().zip(&is_new).filter(|(_, is_new)| !**is_new);
    let mut existing: Vec<_> = existing.map(|(row, _)| *row).collect();
    existing.sort_by_key(|(key, _)| *key);
    OBSERVE.run(connection, &existing, bind).await?;
    Ok(is_new)
}

fn stored_key(cells: &mut CellReader<'_>) -> Result<StoredKey, sqlx::Error> {
    let (node, kind, hash) = (cells.take()?, cells.take()?, cells.take()?);
    let (within, source, scope) = (cells.take()?, cells.take()?, cells.take()?);
    Ok((node, kind, hash, within, source, scope, cells.take()?))
}

fn bind(values: &mut BoundValues, (key, row): &(StoredKey, &AliasRow)) {
    bind_key(values, key);
    values
        .add(row.valid_from.map(|time| time.timestamp()))
        .add(row.valid_to.map(|time| time.timestamp()))
        .add(row.first_seen.timestamp())
        .add(row.last_seen.timestamp())
        .add(row.key.value.as_str());
}

fn bind_key(values: &mut BoundValues, key: &StoredKey) {
    let (node, kind, hash, within, source, scope, is_observation) = *key;
    values
        .add(node)
        .add(kind)
        .add(hash)
        .add(within)
        .add(source)
        .add(scope)
        .add(is_observation);
}

/// Removes current aliases and adds their nodes to the former owners.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    keys: &[AliasKey],
) -> Result<(), sqlx::Error> {
    let mut keys: Vec<StoredKey> = keys.iter().map(stored_key_of).collect();
    keys.sort_unstable();
    let removed = REMOVE.run(connection, &keys, bind_key).await?;
    let past = removed.read(|cells| Ok((cells.take()?, cells.take()?)))?;
    insert_past(connection, past).await
}

/// Adds former owners: (value, node).
pub(super) async fn put_past(
    connection: &mut SqliteConnection,
    rows: &[(String, NodeId)],
) -> Result<(), sqlx::Error> {
    let rows = rows.iter().map(|(value, node)| (hash(value), *node));
    insert_past(connection, rows.collect()).await
}

async fn insert_past(
    connection: &mut SqliteConnection,
    mut rows: Vec<(i64, NodeId)>,
) -> Result<(), sqlx::Error> {
    rows.sort_unstable();
    PUT_PAST
        .run(connection, &rows, |values, (hash, node)| {
            values.add(*hash).add(*node);
        })
        .await?;
    Ok(())
}
