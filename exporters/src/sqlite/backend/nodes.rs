//! The table `nodes`, and the ids of uids.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use pipeline::store::rows::{Listing, NodeId, NodeRow, Projection};
use pipeline::uid;
use sqlx::SqliteConnection;

use super::bulk::{BoundValues, BulkStatement, json_list};
use super::cells::{CellReader, fetch_packed, signed};

static PUT: BulkStatement = BulkStatement::new(include_str!("../sql/put_nodes.sql"));
static UPDATE: BulkStatement = BulkStatement::new(include_str!("../sql/update_nodes.sql"));
pub(super) const READ: &str = include_str!("../sql/read_nodes.sql");
pub(super) const FIND: &str =
    "SELECT pack_rows(id, uid) FROM nodes WHERE hash IN (SELECT value FROM json_each(?1))";
pub(super) const BY_HASH: &str =
    "SELECT pack_rows(hash, id) FROM nodes WHERE hash IN (SELECT value FROM json_each(?1))";
pub(super) const MERGED: &str =
    "SELECT pack_rows(id, same_as) FROM nodes WHERE same_as IN (SELECT value FROM json_each(?1))";
const LAST: &str = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'nodes'), 0)";

const LISTINGS: [Listing; 3] = [Listing::None, Listing::Current, Listing::Ended];

/// Nodes that got an id in this session and have no row yet. [`put`] writes each row once, with all columns: a row that
/// is first written short and then grows would leave pages half empty.
#[derive(Debug, Default)]
pub(super) struct NewNodes {
    /// The first and the last id that this session assigned.
    assigned: Option<(NodeId, NodeId)>,
    by_uid: HashMap<String, NodeId>,
    by_id: HashMap<NodeId, String>,
}

impl NewNodes {
    fn add(&mut self, id: NodeId, uid: &str) {
        let (first, _) = self.assigned.unwrap_or((id, id));
        self.assigned = Some((first, id));
        self.by_uid.insert(uid.to_owned(), id);
        self.by_id.insert(id, uid.to_owned());
    }

    fn remove(&mut self, id: NodeId) {
        if let Some(uid) = self.by_id.remove(&id) {
            self.by_uid.remove(&uid);
        }
    }

    /// Whether this session assigned the id.
    pub(super) fn is_new(&self, id: NodeId) -> bool {
        self.assigned
            .is_some_and(|(first, last)| first <= id && id <= last)
    }

    /// The hash of the uid of a node. `stored` is the hash in the row of the node, if it has one.
    pub(super) fn hash_of(&self, id: NodeId, stored: Option<i64>) -> u64 {
        let new = || self.by_id.get(&id).map(|uid| uid::hash(uid));
        stored
            .map(i64::cast_unsigned)
            .or_else(new)
            .unwrap_or_default()
    }

    /// The ids of these nodes that are greater than `after`, in any order.
    pub(super) fn after(&self, after: NodeId) -> impl Iterator<Item = NodeId> {
        let ids = self.by_id.keys().copied();
        ids.filter(move |id| *id > after)
    }

    fn row(&self, id: NodeId) -> Option<NodeRow> {
        let uid = self.by_id.get(&id)?.clone();
        Some(NodeRow {
            id,
            uid,
            ..NodeRow::default()
        })
    }

    /// Writes a row for each node that has none.
    pub(super) async fn flush(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        let rows: Vec<NodeRow> = self.by_id.keys().filter_map(|id| self.row(*id)).collect();
        put(connection, self, &rows).await
    }
}

/// The ids of uids, in order; `None` for an unknown uid.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    new: &NewNodes,
    uids: &[String],
) -> Result<Vec<Option<NodeId>>, sqlx::Error> {
    let hashes = uids.iter().map(|uid| signed(uid::hash(uid)));
    let query = sqlx::query(FIND).bind(json_list(hashes));
    let rows = fetch_packed(connection, query).await?;
    let stored = rows.read(|cells| Ok((cells.take::<NodeId>()?, cells.take()?)))?;
    let stored: HashMap<String, NodeId> = stored.into_iter().map(|(id, uid)| (uid, id)).collect();
    let find = |uid: &String| new.by_uid.get(uid).or_else(|| stored.get(uid)).copied();
    Ok(uids.iter().map(find).collect())
}

/// Returns the ids of uids, in order, and whether each is new. Assigns the next ids to unknown uids.
pub(super) async fn assign_ids(
    connection: &mut SqliteConnection,
    new: &mut NewNodes,
    uids: &[String],
) -> Result<Vec<(NodeId, bool)>, sqlx::Error> {
    let existing = find(connection, new, uids).await?;
    let mut last: NodeId = match new.assigned {
        Some((_, last)) => last,
        None => sqlx::query_scalar(LAST).fetch_one(connection).await?,
    };
    let mut ids = Vec::with_capacity(uids.len());
    for (uid, existing) in uids.iter().zip(existing) {
        // A uid that occurs twice is new once.
        let id = existing.or_else(|| new.by_uid.get(uid).copied());
        ids.push(match id {
            Some(id) => (id, false),
            None => {
                last += 1;
                new.add(last, uid);
                (last, true)
            }
        });
    }
    Ok(ids)
}

/// The existing nodes with these ids, in any order.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    new: &NewNodes,
    ids: &[NodeId],
    projection: Projection,
) -> Result<Vec<NodeRow>, sqlx::Error> {
    let query = sqlx::query(READ)
        .bind(json_list(ids))
        .bind(projection == Projection::Full);
    let rows = fetch_packed(connection, query).await?;
    let mut nodes = rows.read(node)?;
    if !new.by_id.is_empty() {
        let ids: HashSet<NodeId> = ids.iter().copied().collect();
        nodes.extend(ids.into_iter().filter_map(|id| new.row(id)));
    }
    Ok(nodes)
}

fn node(cells: &mut CellReader<'_>) -> Result<NodeRow, sqlx::Error> {
    Ok(NodeRow {
        id: cells.take()?,
        uid: cells.take()?,
        listing: cells.code(&LISTINGS)?,
        ended: cells.optional_time()?,
        unobserved: cells.optional_time()?,
        has_lifecycle: cells.take()?,
        kind: cells.take()?,
        provider: cells.take()?,
        account: cells.take()?,
        region: cells.take()?,
        name: cells.take()?,
        first_seen: cells.time()?,
        last_seen: cells.time()?,
        changed: cells.time()?,
        same_as: cells.take()?,
        tags: cells.take()?,
    })
}

/// The nodes whose uids have these hashes.
pub(super) async fn by_hash(
    connection: &mut SqliteConnection,
    new: &NewNodes,
    hashes: &[u64],
) -> Result<Vec<(u64, NodeId)>, sqlx::Error> {
    let query = sqlx::query(BY_HASH).bind(json_list(hashes.iter().map(|hash| signed(*hash))));
    let rows = fetch_packed(connection, query).await?;
    let mut nodes = rows.read(|cells| Ok((cells.hash()?, cells.take()?)))?;
    if !new.by_uid.is_empty() {
        let hashes: HashSet<u64> = hashes.iter().copied().collect();
        let new = new.by_uid.iter().map(|(uid, id)| (uid::hash(uid), *id));
        nodes.extend(new.filter(|(hash, _)| hashes.contains(hash)));
    }
    Ok(nodes)
}

/// The nodes that are merged into these nodes, as (node, `same_as`).
pub(super) async fn merged_into(
    connection: &mut SqliteConnection,
    ids: &[NodeId],
) -> Result<Vec<(NodeId, NodeId)>, sqlx::Error> {
    let query = sqlx::query(MERGED).bind(json_list(ids));
    let rows = fetch_packed(connection, query).await?;
    rows.read(|cells| Ok((cells.take()?, cells.take()?)))
}

/// Writes nodes. Of several rows of the same node, the last one is written.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    new: &mut NewNodes,
    rows: &[NodeRow],
) -> Result<(), sqlx::Error> {
    let rows: BTreeMap<NodeId, &NodeRow> = rows.iter().map(|row| (row.id, row)).collect();
    let existing = rows.values().filter(|row| !new.by_id.contains_key(&row.id));
    let existing: Vec<&NodeRow> = existing.copied().collect();
    let updated = UPDATE.run(connection, &existing, bind_update).await?;
    let updated: HashSet<NodeId> = updated.read(CellReader::take)?.into_iter().collect();
    let remaining = rows.into_values().filter(|row| !updated.contains(&row.id));
    let remaining: Vec<&NodeRow> = remaining.collect();
    PUT.run(connection, &remaining, bind).await?;
    for row in remaining {
        new.remove(row.id);
    }
    Ok(())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "`BulkStatement` passes rows by reference"
)]
fn bind(values: &mut BoundValues, row: &&NodeRow) {
    values.add(row.id).add(signed(uid::hash(&row.uid)));
    bind_listed(values, row);
    bind_rest(values, row);
    values
        .add(row.same_as)
        .add(row.uid.as_str())
        .add(row.name.as_deref())
        .add(row.tags.as_deref());
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "`BulkStatement` passes rows by reference"
)]
fn bind_update(values: &mut BoundValues, row: &&NodeRow) {
    values.add(row.id);
    bind_listed(values, row);
    bind_rest(values, row);
    values
        .add(row.same_as)
        .add(row.name.as_deref())
        .add(row.tags.as_deref());
}

/// Adds the columns that the indexes of lists contain.
fn bind_listed(values: &mut BoundValues, row: &NodeRow) {
    values
        .add(row.listing as i64)
        .add(row.kind)
        .add(row.provider)
        .add(row.account)
        .add(row.region);
}

fn bind_rest(values: &mut BoundValues, row: &NodeRow) {
    values
        .add(row.has_lifecycle)
        .add(row.ended.map(|time| time.timestamp()))
        .add(row.unobserved.map(|time| time.timestamp()))
        .add(row.first_seen.timestamp())
        .add(row.last_seen.timestamp())
        .add(row.changed.timestamp());
}
