//! Converts rows of `resources` to rows of `nodes`, `edges` and `aliases`.

use pipeline::attributes::MapBuilder;
use pipeline::component::UnixNanos;
use pipeline::resource::{AliasCell, RelationCell, ResourceRow};
use pipeline::rows::{Cell, Rows};
use pipeline::schema::resources::op;
use pipeline::schema::{aliases, edges, nodes};
use pipeline::{Batch, Signal, SignalSet};

/// Converts a batch of `resources` to batches of the signals in `wanted`. A row without a time gets the time `now`.
pub(super) fn convert_resources(batch: &Batch, wanted: SignalSet, now: UnixNanos) -> Vec<Batch> {
    let exists = MapBuilder::new().bool("exists", true).finish();
    let rows = |signal| wanted.contains(signal).then(|| Rows::new(signal));
    let mut graph_rows = GraphRows {
        nodes: rows(Signal::Nodes),
        edges: rows(Signal::Edges),
        aliases: rows(Signal::Aliases),
        now,
    };
    for row in ResourceRow::all(batch) {
        graph_rows.push(&row, &exists);
    }
    // The row of `nodes` makes a state current in the store, so the edges and aliases of the state come before it.
    let rows = [graph_rows.edges, graph_rows.aliases, graph_rows.nodes];
    let rows = rows.into_iter().flatten();
    rows.filter(|rows| !rows.is_empty())
        .map(|mut rows| rows.finish(batch.delivery().for_derived_rows()))
        .collect()
}

/// The rows of each signal; `None` for a signal that no component after this processor accepts.
struct GraphRows {
    nodes: Option<Rows>,
    edges: Option<Rows>,
    aliases: Option<Rows>,
    now: UnixNanos,
}

impl GraphRows {
    /// Adds the rows for one row of `resources`. `exists` is the value of the fact that the resource exists.
    fn push(&mut self, row: &ResourceRow<'_>, exists: &[u8]) {
        match row.op {
            op::SCOPE_COMPLETE => self.push_node(row, op::SCOPE_COMPLETE, row.group, None),
            op::DELETED | op::RELEASED => {
                self.push_node(row, row.op, lifecycle_group(row.group), None);
            }
            op::CREATED => {
                self.push_node(row, op::CREATED, lifecycle_group(row.group), Some(exists));
            }
            _ => {
                // Desired state is no evidence that a resource exists.
                if row.group == nodes::group::ACTUAL {
                    let lifecycle = nodes::group::LIFECYCLE;
                    self.push_node(row, op::OBSERVED, lifecycle, Some(exists));
                }
                let configuration = row.configuration.unwrap_or_default();
                self.push_node(row, op::OBSERVED, row.group, Some(configuration));
                self.push_edges(row);
                self.push_aliases(row);
            }
        }
    }

    fn push_node(&mut self, row: &ResourceRow<'_>, op: &str, group: &str, value: Option<&[u8]>) {
        let Some(rows) = &mut self.nodes else { return };
        rows.push(
            Some(row.time.unwrap_or(self.now)),
            row.uid,
            row.source,
            &[
                (nodes::OP, Cell::Text(op)),
                (nodes::GROUP, Cell::Text(group)),
                (nodes::SCOPE, row.scope.into()),
                (nodes::SCAN_ID, row.scan_id.into()),
                // Whether a scan completion reports the uids that are not among its members as deleted or as released.
                (nodes::MISS, row.miss.into()),
                (nodes::STATE, row.state.map_or(Cell::Null, Cell::UInt)),
                (nodes::MEMBERS, row.members.map_or(Cell::Null, Cell::UInts)),
                (
                    nodes::MEMBER_STATES,
                    row.member_states.map_or(Cell::Null, Cell::UInts),
                ),
                (nodes::KIND, row.kind.into()),
                (nodes::NAME, row.name.into()),
                (nodes::PROVIDER, row.provider.into()),
                (nodes::ACCOUNT, row.account.into()),
                (nodes::REGION, row.region.into()),
                (nodes::TAGS, row.tags.map_or(Cell::Null, Cell::Bytes)),
                (nodes::VALUE, value.map_or(Cell::Null, Cell::Bytes)),
            ],
        );
    }

    /// Adds the snapshot of the edges of the row's uid. An empty snapshot is one row with a null `to`.
    fn push_edges(&mut self, row: &ResourceRow<'_>) {
        let (Some(rows), Some(relations)) = (&mut self.edges, row.relations.clone()) else {
            return;
        };
        let time = row.time.unwrap_or(self.now);
        let mut push = |relation: Option<RelationCell<'_>>| {
            let (kind, to) = relation.map(|(kind, to, ..)| (kind, to)).unzip();
            let confidence = relation.map_or(1.0, |(_, _, confidence, _)| confidence);
            let properties = relation.and_then(|(.., properties)| properties);
            let cells = [
                (edges::MODE, Cell::Text(edges::mode::SNAPSHOT)),
                (edges::SCOPE, row.scope.into()),
                (edges::STATE, row.state.map_or(Cell::Null, Cell::UInt)),
                (edges::KIND, kind.into()),
                (edges::TO, to.into()),
                (edges::CONFIDENCE, Cell::Float(confidence)),
                (
                    edges::PROPERTIES,
                    properties.map_or(Cell::Null, Cell::Bytes),
                ),
            ];
            rows.push(Some(time), row.uid, row.source, &cells);
        };
        if relations.is_empty() {
            push(None);
        }
        relations
            .relations()
            .for_each(|relation| push(Some(relation)));
    }

    /// Adds the snapshot of the aliases of the row's uid. An empty snapshot is one row with a null `value`.
    fn push_aliases(&mut self, row: &ResourceRow<'_>) {
        let (Some(rows), Some(names)) = (&mut self.aliases, row.aliases.clone()) else {
            return;
        };
        let time = row.time.unwrap_or(self.now);
        let mut push = |alias: Option<AliasCell<'_>>| {
            let (kind, value) = alias.map(|(kind, value, _)| (kind, value)).unzip();
            let cells = [
                (aliases::MODE, Cell::Text(edges::mode::SNAPSHOT)),
                (aliases::SCOPE, row.scope.into()),
                (aliases::STATE, row.state.map_or(Cell::Null, Cell::UInt)),
                (aliases::KIND, kind.into()),
                (aliases::VALUE, value.into()),
                // Where the alias is unique, such as a VPC; this is not the scope of the scan.
                (
                    aliases::WITHIN,
                    alias.and_then(|(.., within)| within).into(),
                ),
            ];
            rows.push(Some(time), row.uid, row.source, &cells);
        };
        if names.is_empty() {
            push(None);
        }
        names.aliases().for_each(|alias| push(Some(alias)));
    }
}

/// The group in `nodes` of a `created`, `deleted` or `released` row that has this group in `resources`.
fn lifecycle_group(group: &str) -> &'static str {
    match group {
        nodes::group::DESIRED => nodes::group::DESIRED,
        _ => nodes::group::LIFECYCLE,
    }
}
