//! Reads the edges of some nodes page by page, since a node may have hundreds of thousands of edges. A page begins
//! after the last row of the previous page.

use pipeline::store::rows::{NodeId, Word};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::bulk::{json_list, sql_limit};
use super::cells::{PackedRows, fetch_packed};

/// A table or an index of edges. A caller names one end of the edges that it reads, the near node: the start of
/// outgoing edges, the target of incoming ones. The rows are in the order of near node, kind and tail columns.
#[derive(Debug)]
pub(super) struct EdgeIndex {
    pub(super) columns: &'static str,
    /// The table, with `INDEXED BY` if the primary key of the table has another order.
    pub(super) table: &'static str,
    /// The column of the near node.
    pub(super) near_column: &'static str,
    /// The columns that order the rows of one near node and kind; the first is the far node.
    pub(super) tail_columns: &'static str,
    /// A parameter for each of the tail columns.
    pub(super) tail_parameters: &'static str,
}

/// A statement seeks to each kind of each node if a caller asks for at most this many kinds.
const MAX_SOUGHT_KINDS: usize = 16;

/// The position of the last row of the previous page.
#[derive(Clone, Copy, Debug)]
pub(super) struct EdgeCursor<'p> {
    pub(super) near: NodeId,
    pub(super) kind: Word,
    /// The values of the tail columns.
    pub(super) tail_values: &'p [i64],
}

/// Which rows a statement reads. Parameter `?1` is the limit.
#[derive(Clone, Copy, Debug)]
pub(super) enum EdgeRange {
    /// The rows after the cursor that have its node and kind.
    RestOfKind,
    /// The rows that have the node of the cursor and a greater kind.
    GreaterKinds,
    /// All rows of some nodes.
    Nodes,
    /// The rows of some nodes and kinds, by a seek to each kind of each node.
    NodesAndKinds,
    /// The rows of some nodes and many kinds, filtered from all edges of the nodes.
    NodesAndManyKinds,
}

impl EdgeRange {
    #[cfg(test)]
    pub(super) const ALL: [EdgeRange; 5] = [
        EdgeRange::RestOfKind,
        EdgeRange::GreaterKinds,
        EdgeRange::Nodes,
        EdgeRange::NodesAndKinds,
        EdgeRange::NodesAndManyKinds,
    ];
}

impl EdgeIndex {
    /// The statement that reads a range.
    pub(super) fn sql(&self, range: EdgeRange) -> String {
        let EdgeIndex {
            columns,
            table,
            near_column,
            tail_columns,
            tail_parameters,
        } = self;
        let nodes = format!("{near_column} IN (SELECT value FROM json_each(?2))");
        let kinds = "kind IN (SELECT value FROM json_each(?3))";
        let condition = match range {
            EdgeRange::RestOfKind => {
                format!(
                    "{near_column} = ?2 AND kind = ?3 AND ({tail_columns}) > ({tail_parameters})"
                )
            }
            EdgeRange::GreaterKinds => format!("{near_column} = ?2 AND kind > ?3"),
            EdgeRange::Nodes => nodes,
            EdgeRange::NodesAndKinds => format!("{nodes} AND {kinds}"),
            // The `+` keeps SQLite from seeking to the kinds.
            EdgeRange::NodesAndManyKinds => format!("{nodes} AND +{kinds}"),
        };
        format!(
            "SELECT pack_rows({columns}) FROM (SELECT {columns} FROM {table} WHERE {condition} \
             ORDER BY {near_column}, kind, {tail_columns} LIMIT ?1)"
        )
    }

    /// Reads up to `limit` rows of these near nodes and kinds (all kinds if `kinds` is empty) after the cursor, in
    /// order.
    pub(super) async fn page(
        &self,
        connection: &mut SqliteConnection,
        nodes: &[NodeId],
        kinds: &[Word],
        after: Option<EdgeCursor<'_>>,
        limit: usize,
    ) -> Result<PackedRows, sqlx::Error> {
        let mut rows = PackedRows::default();
        let mut nodes = nodes.to_vec();
        if let Some(after) = after {
            if nodes.contains(&after.near) {
                rows = self
                    .read_rest_of_node(connection, kinds, after, limit)
                    .await?;
            }
            nodes.retain(|node| *node > after.near);
        }
        if rows.len() < limit && !nodes.is_empty() {
            let left = limit - rows.len();
            rows.append(self.read_nodes(connection, &nodes, kinds, left).await?);
        }
        Ok(rows)
    }

    /// Reads the rows of the cursor's node after the cursor.
    async fn read_rest_of_node(
        &self,
        connection: &mut SqliteConnection,
        kinds: &[Word],
        after: EdgeCursor<'_>,
        limit: usize,
    ) -> Result<PackedRows, sqlx::Error> {
        let mut rows = PackedRows::default();
        if kinds.is_empty() || kinds.contains(&after.kind) {
            let sql = AssertSqlSafe(self.sql(EdgeRange::RestOfKind));
            let mut query = sqlx::query(sql)
                .bind(sql_limit(limit))
                .bind(after.near)
                .bind(after.kind);
            for value in after.tail_values {
                query = query.bind(value);
            }
            rows = fetch_packed(connection, query).await?;
        }
        let left = limit - rows.len();
        if left == 0 {
            return Ok(rows);
        }
        if kinds.is_empty() {
            let query = sqlx::query(AssertSqlSafe(self.sql(EdgeRange::GreaterKinds)))
                .bind(sql_limit(left))
                .bind(after.near)
                .bind(after.kind);
            rows.append(fetch_packed(connection, query).await?);
            return Ok(rows);
        }
        let greater = kinds.iter().copied().filter(|kind| *kind > after.kind);
        let greater: Vec<Word> = greater.collect();
        if !greater.is_empty() {
            rows.append(
                self.read_nodes(connection, &[after.near], &greater, left)
                    .await?,
            );
        }
        Ok(rows)
    }

    /// Reads the rows of these nodes, beginning with the first edge of each.
    async fn read_nodes(
        &self,
        connection: &mut SqliteConnection,
        nodes: &[NodeId],
        kinds: &[Word],
        limit: usize,
    ) -> Result<PackedRows, sqlx::Error> {
        let range = match kinds.len() {
            0 => EdgeRange::Nodes,
            1..=MAX_SOUGHT_KINDS => EdgeRange::NodesAndKinds,
            _ => EdgeRange::NodesAndManyKinds,
        };
        let mut query = sqlx::query(AssertSqlSafe(self.sql(range)))
            .bind(sql_limit(limit))
            .bind(json_list(nodes));
        if !kinds.is_empty() {
            query = query.bind(json_list(kinds));
        }
        fetch_packed(connection, query).await
    }
}
