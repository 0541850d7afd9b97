//! Pages of edges at some nodes, each of which starts where the one before ended: a node may have
//! hundreds of thousands.

use pipeline::store::rows::{NodeId, Word};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::bulk::{json_list, limit as rows_limit};
use super::cells::{PackedRows, fetch};

/// A table, or an index of it, in the order of (near end, kind, far end, more).
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) columns: &'static str,
    /// With the index, if it is not the table's own order.
    pub(super) table: &'static str,
    pub(super) near: &'static str,
    /// The far end and what orders the rows of one far end.
    pub(super) rest: &'static str,
    /// A parameter for each column of `rest`.
    pub(super) parameters: &'static str,
}

/// Kinds that are sought one by one.
const KINDS: usize = 16;

/// The last row of the page before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    pub(super) near: NodeId,
    pub(super) kind: Word,
    pub(super) rest: &'p [i64],
}

/// Which rows a statement reads. `?1` is the limit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// What is left of the kind of the place.
    Kind,
    /// Then the greater kinds of its node.
    Node,
    /// Then other nodes.
    Nodes,
    /// Of these kinds, by a seek for each kind of each node.
    NodesAndKinds,
    /// Of these kinds, of which there are many: all edges of the nodes are looked at.
    NodesAndManyKinds,
}

impl Step {
    #[cfg(test)]
    pub(super) const ALL: [Step; 5] = [
        Step::Kind,
        Step::Node,
        Step::Nodes,
        Step::NodesAndKinds,
        Step::NodesAndManyKinds,
    ];
}

impl Walk {
    pub(super) fn sql(&self, step: Step) -> String {
        let Walk {
            columns,
            table,
            near,
            rest,
            parameters,
        } = self;
        let nodes = format!("{near} IN (SELECT value FROM json_each(?2))");
        let kinds = "kind IN (SELECT value FROM json_each(?3))";
        let condition = match step {
            Step::Kind => format!("{near} = ?2 AND kind = ?3 AND ({rest}) > ({parameters})"),
            Step::Node => format!("{near} = ?2 AND kind > ?3"),
            Step::Nodes => nodes,
            Step::NodesAndKinds => format!("{nodes} AND {kinds}"),
            // By its `+` SQLite does not look for it in the index.
            Step::NodesAndManyKinds => format!("{nodes} AND +{kinds}"),
        };
        format!(
            "SELECT pack_rows({columns}) FROM (SELECT {columns} FROM {table} WHERE {condition} \
             ORDER BY {near}, kind, {rest} LIMIT ?1)"
        )
    }

    /// Up to `limit` rows at these nodes, of these kinds (of all where none is named), in order.
    pub(super) async fn page(
        &self,
        connection: &mut SqliteConnection,
        nodes: &[NodeId],
        kinds: &[Word],
        after: Option<Place<'_>>,
        limit: usize,
    ) -> Result<PackedRows, sqlx::Error> {
        let mut rows = PackedRows::default();
        let mut nodes = nodes.to_vec();
        if let Some(after) = after {
            if nodes.contains(&after.near) {
                rows = self.rest_of_node(connection, kinds, after, limit).await?;
            }
            nodes.retain(|node| *node > after.near);
        }
        if rows.len() < limit && !nodes.is_empty() {
            let left = limit - rows.len();
            rows.append(self.of_nodes(connection, &nodes, kinds, left).await?);
        }
        Ok(rows)
    }

    async fn rest_of_node(
        &self,
        connection: &mut SqliteConnection,
        kinds: &[Word],
        after: Place<'_>,
        limit: usize,
    ) -> Result<PackedRows, sqlx::Error> {
        let mut rows = PackedRows::default();
        if kinds.is_empty() || kinds.contains(&after.kind) {
            let sql = AssertSqlSafe(self.sql(Step::Kind));
            let mut query = sqlx::query(sql)
                .bind(rows_limit(limit))
                .bind(after.near)
                .bind(after.kind);
            for value in after.rest {
                query = query.bind(value);
            }
            rows = fetch(connection, query).await?;
        }
        let left = limit - rows.len();
        if left == 0 {
            return Ok(rows);
        }
        if kinds.is_empty() {
            let query = sqlx::query(AssertSqlSafe(self.sql(Step::Node)))
                .bind(rows_limit(left))
                .bind(after.near)
                .bind(after.kind);
            rows.append(fetch(connection, query).await?);
            return Ok(rows);
        }
        let greater = kinds.iter().copied().filter(|kind| *kind > after.kind);
        let greater: Vec<Word> = greater.collect();
        if !greater.is_empty() {
            rows.append(
                self.of_nodes(connection, &[after.near], &greater, left)
                    .await?,
            );
        }
        Ok(rows)
    }

    async fn of_nodes(
        &self,
        connection: &mut SqliteConnection,
        nodes: &[NodeId],
        kinds: &[Word],
        limit: usize,
    ) -> Result<PackedRows, sqlx::Error> {
        let step = match kinds.len() {
            0 => Step::Nodes,
            1..=KINDS => Step::NodesAndKinds,
            _ => Step::NodesAndManyKinds,
        };
        let mut query = sqlx::query(AssertSqlSafe(self.sql(step)))
            .bind(rows_limit(limit))
            .bind(json_list(nodes));
        if !kinds.is_empty() {
            query = query.bind(json_list(kinds));
        }
        fetch(connection, query).await
    }
}
