//! The tables `edges` (current edges) and `past_edges` (target, kind and start of edges of the past).

use std::collections::BTreeMap;

use pipeline::graph_store::Direction;
use pipeline::store::rows::{EdgeKey, EdgePage, EdgeRow, NodeId, Word};
use sqlx::SqliteConnection;

use super::bulk::{BoundValues, BulkStatement, sorted};
use super::cells::CellReader;
use super::edge_index::{EdgeCursor, EdgeIndex};

static PUT: BulkStatement = BulkStatement::new(include_str!("../sql/put_edges.sql"));
/// Merges observations into existing rows.
static OBSERVE: BulkStatement = BulkStatement::new(include_str!("../sql/observe_edges.sql"));
static ADD: BulkStatement = BulkStatement::new(include_str!("../sql/add_edges.sql"));
pub(super) static REMOVE: BulkStatement =
    BulkStatement::new(include_str!("../sql/remove_edges.sql"));
static PUT_PAST: BulkStatement = BulkStatement::new(
    "INSERT INTO past_edges (to_node, kind, from_node) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
);

const COLUMNS: &str = "from_node, kind, to_node, source, scope, is_observation, confidence, first_seen, \
                       last_seen, properties";

/// The current edges by their start.
pub(super) const OUT: EdgeIndex = EdgeIndex {
    columns: COLUMNS,
    table: "edges",
    near_column: "from_node",
    tail_columns: "to_node, source, scope, is_observation",
    tail_parameters: "?4, ?5, ?6, ?7",
};

/// The current edges by their target.
pub(super) const IN: EdgeIndex = EdgeIndex {
    columns: COLUMNS,
    table: "edges INDEXED BY edges_by_target",
    near_column: "to_node",
    tail_columns: "from_node, source, scope, is_observation",
    tail_parameters: "?4, ?5, ?6, ?7",
};

/// The past edges by their target.
pub(super) const PAST_IN: EdgeIndex = EdgeIndex {
    columns: "to_node, kind, from_node",
    table: "past_edges",
    near_column: "to_node",
    tail_columns: "from_node",
    tail_parameters: "?4",
};

/// Reads a page of the current edges that start at these nodes, or that lead to them, in the order of this node, the
/// kind and the node at the other end. Empty `kinds` means all kinds.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    direction: Direction,
    nodes: &[NodeId],
    kinds: &[Word],
    page: &EdgePage,
) -> Result<Vec<EdgeRow>, sqlx::Error> {
    let index = match direction {
        Direction::Out => &OUT,
        Direction::In => &IN,
    };
    let last = page.after.map(|key| {
        let (near, far) = match direction {
            Direction::Out => (key.from, key.to),
            Direction::In => (key.to, key.from),
        };
        let tail_values = [far, key.source, key.scope, i64::from(key.is_observation)];
        (near, key.kind, tail_values)
    });
    let after = last.as_ref().map(|(near, kind, tail_values)| EdgeCursor {
        near: *near,
        kind: *kind,
        tail_values,
    });
    let rows = index
        .page(connection, nodes, kinds, after, page.limit)
        .await?;
    rows.read(edge)
}

fn edge(cells: &mut CellReader<'_>) -> Result<EdgeRow, sqlx::Error> {
    Ok(EdgeRow {
        key: key(cells)?,
        confidence: cells.take()?,
        first_seen: cells.time()?,
        last_seen: cells.time()?,
        properties: cells.take()?,
    })
}

fn key(cells: &mut CellReader<'_>) -> Result<EdgeKey, sqlx::Error> {
    Ok(EdgeKey {
        from: cells.take()?,
        kind: cells.take()?,
        to: cells.take()?,
        source: cells.take()?,
        scope: cells.take()?,
        is_observation: cells.take()?,
    })
}

/// Reads a page of the past edges that led to these nodes: (target, kind, start), in this order. Empty `kinds` means
/// all kinds.
pub(super) async fn read_past(
    connection: &mut SqliteConnection,
    to: &[NodeId],
    kinds: &[Word],
    after: Option<(NodeId, Word, NodeId)>,
    limit: usize,
) -> Result<Vec<(NodeId, Word, NodeId)>, sqlx::Error> {
    let tail_values = after.map(|(_, _, from)| [from]);
    let after = after
        .zip(tail_values.as_ref())
        .map(|((near, kind, _), tail_values)| EdgeCursor {
            near,
            kind,
            tail_values,
        });
    let rows = PAST_IN.page(connection, to, kinds, after, limit).await?;
    rows.read(past_edge)
}

fn past_edge(cells: &mut CellReader<'_>) -> Result<(NodeId, Word, NodeId), sqlx::Error> {
    Ok((cells.take()?, cells.take()?, cells.take()?))
}

/// Writes current edges; replaces rows with the same key.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    rows: &[EdgeRow],
) -> Result<(), sqlx::Error> {
    PUT.run(connection, &sorted(rows, |row| row.key), bind)
        .await?;
    Ok(())
}

/// Merges observations into the current edges. Returns in order whether each observation is new. Of rows with the same
/// key, only the first can be new.
pub(super) async fn observe(
    connection: &mut SqliteConnection,
    rows: &[EdgeRow],
) -> Result<Vec<bool>, sqlx::Error> {
    let mut first = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        first.entry(row.key).or_insert(index);
    }
    let distinct: Vec<&EdgeRow> = first.values().map(|index| &rows[*index]).collect();
    let added = ADD.run(connection, &distinct, bind).await?;
    let mut is_new = vec![false; rows.len()];
    for key in added.read(key)? {
        is_new[first[&key]] = true;
    }
    let existing = rows.iter().zip(&is_new).filter(|(_, is_new)| !**is_new);
    let mut existing: Vec<&EdgeRow> = existing.map(|(row, _)| row).collect();
    existing.sort_by_key(|row| row.key);
    OBSERVE.run(connection, &existing, bind).await?;
    Ok(is_new)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "`BulkStatement` passes rows by reference"
)]
fn bind(values: &mut BoundValues, row: &&EdgeRow) {
    bind_key(values, &row.key);
    values
        .add_real(row.confidence)
        .add(row.first_seen.timestamp())
        .add(row.last_seen.timestamp())
        .add(row.properties.as_deref());
}

fn bind_key(values: &mut BoundValues, key: &EdgeKey) {
    values
        .add(key.from)
        .add(key.kind)
        .add(key.to)
        .add(key.source)
        .add(key.scope)
        .add(key.is_observation);
}

/// Removes current edges and adds them to the past edges.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    keys: &[EdgeKey],
) -> Result<(), sqlx::Error> {
    let removed = REMOVE
        .run(connection, &sorted(keys, |key| *key), |values, key| {
            bind_key(values, key);
        })
        .await?;
    put_past(connection, &removed.read(past_edge)?).await
}

/// Adds past edges: (target, kind, start).
pub(super) async fn put_past(
    connection: &mut SqliteConnection,
    edges: &[(NodeId, Word, NodeId)],
) -> Result<(), sqlx::Error> {
    let edges = sorted(edges, |edge| *edge);
    PUT_PAST
        .run(connection, &edges, |values, (to, kind, from)| {
            values.add(*to).add(*kind).add(*from);
        })
        .await?;
    Ok(())
}
