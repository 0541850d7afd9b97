//! Edges: current ones, and where those started that are not.

use std::collections::BTreeMap;

use pipeline::store::rows::{EdgeKey, EdgePage, EdgeRow, NodeId, Word};
use sqlx::SqliteConnection;

use super::bulk::{Bulk, Values, sorted};
use super::cells::Cells;
use super::walk::{Place, Walk};

static PUT: Bulk = Bulk::new(include_str!("../sql/put_edges.sql"));
/// Of observations that are there already.
static OBSERVE: Bulk = Bulk::new(include_str!("../sql/observe_edges.sql"));
static ADD: Bulk = Bulk::new(include_str!("../sql/add_edges.sql"));
pub(super) static REMOVE: Bulk = Bulk::new(include_str!("../sql/remove_edges.sql"));
static PUT_PAST: Bulk = Bulk::new(
    "INSERT INTO past_edges (to_node, kind, from_node) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
);

const COLUMNS: &str = "from_node, kind, to_node, source, scope, is_observation, confidence, first_seen, \
                       last_seen, properties";

pub(super) const OUT: Walk = Walk {
    columns: COLUMNS,
    table: "edges",
    near: "from_node",
    rest: "to_node, source, scope, is_observation",
    parameters: "?4, ?5, ?6, ?7",
};

pub(super) const IN: Walk = Walk {
    columns: COLUMNS,
    table: "edges INDEXED BY edges_by_target",
    near: "to_node",
    rest: "from_node, source, scope, is_observation",
    parameters: "?4, ?5, ?6, ?7",
};

pub(super) const PAST_IN: Walk = Walk {
    columns: "to_node, kind, from_node",
    table: "past_edges",
    near: "to_node",
    rest: "from_node",
    parameters: "?4",
};

/// The end of edges at which they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    From,
    To,
}

pub(super) async fn read(
    connection: &mut SqliteConnection,
    end: End,
    nodes: &[NodeId],
    kinds: &[Word],
    page: &EdgePage,
) -> Result<Vec<EdgeRow>, sqlx::Error> {
    let walk = match end {
        End::From => &OUT,
        End::To => &IN,
    };
    let place = page.after.map(|key| {
        let (near, far) = match end {
            End::From => (key.from, key.to),
            End::To => (key.to, key.from),
        };
        let rest = [far, key.source, key.scope, i64::from(key.is_observation)];
        (near, key.kind, rest)
    });
    let after = place.as_ref().map(|(near, kind, rest)| Place {
        near: *near,
        kind: *kind,
        rest,
    });
    let rows = walk
        .page(connection, nodes, kinds, after, page.limit)
        .await?;
    rows.read(edge)
}

fn edge(cells: &mut Cells<'_>) -> Result<EdgeRow, sqlx::Error> {
    Ok(EdgeRow {
        key: key(cells)?,
        confidence: cells.take()?,
        first_seen: cells.time()?,
        last_seen: cells.time()?,
        properties: cells.take()?,
    })
}

fn key(cells: &mut Cells<'_>) -> Result<EdgeKey, sqlx::Error> {
    Ok(EdgeKey {
        from: cells.take()?,
        kind: cells.take()?,
        to: cells.take()?,
        source: cells.take()?,
        scope: cells.take()?,
        is_observation: cells.take()?,
    })
}

pub(super) async fn read_past(
    connection: &mut SqliteConnection,
    to: &[NodeId],
    kinds: &[Word],
    after: Option<(NodeId, Word, NodeId)>,
    limit: usize,
) -> Result<Vec<(NodeId, Word, NodeId)>, sqlx::Error> {
    let rest = after.map(|(_, _, from)| [from]);
    let after = after
        .zip(rest.as_ref())
        .map(|((near, kind, _), rest)| Place { near, kind, rest });
    let rows = PAST_IN.page(connection, to, kinds, after, limit).await?;
    rows.read(past_edge)
}

fn past_edge(cells: &mut Cells<'_>) -> Result<(NodeId, Word, NodeId), sqlx::Error> {
    Ok((cells.take()?, cells.take()?, cells.take()?))
}

pub(super) async fn put(
    connection: &mut SqliteConnection,
    rows: &[EdgeRow],
) -> Result<(), sqlx::Error> {
    PUT.run(connection, &sorted(rows, |row| row.key), bind)
        .await?;
    Ok(())
}

/// Whether each was new, in order.
pub(super) async fn observe(
    connection: &mut SqliteConnection,
    rows: &[EdgeRow],
) -> Result<Vec<bool>, sqlx::Error> {
    let mut first = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        first.entry(row.key).or_insert(place);
    }
    let distinct: Vec<&EdgeRow> = first.values().map(|place| &rows[*place]).collect();
    let added = ADD.run(connection, &distinct, bind).await?;
    let mut is_new = vec![false; rows.len()];
    for key in added.read(key)? {
        is_new[first[&key]] = true;
    }
    let known = rows.iter().zip(&is_new).filter(|(_, is_new)| !**is_new);
    let mut known: Vec<&EdgeRow> = known.map(|(row, _)| row).collect();
    known.sort_by_key(|row| row.key);
    OBSERVE.run(connection, &known, bind).await?;
    Ok(is_new)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as `Bulk` binds rows")]
fn bind(values: &mut Values, row: &&EdgeRow) {
    bind_key(values, &row.key);
    values
        .real(row.confidence)
        .add(row.first_seen.timestamp())
        .add(row.last_seen.timestamp())
        .add(row.properties.as_deref());
}

fn bind_key(values: &mut Values, key: &EdgeKey) {
    values
        .add(key.from)
        .add(key.kind)
        .add(key.to)
        .add(key.source)
        .add(key.scope)
        .add(key.is_observation);
}

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
