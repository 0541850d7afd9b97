//! Builds the rows of `nodes`, `edges` and `aliases` that the processor emits.

use std::collections::VecDeque;

use pipeline::component::UnixNanos;
use pipeline::hash::hash_of;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::aliases::kind::SAME_AS;
use pipeline::schema::{aliases, edges, nodes, resources};
use pipeline::{Batch, Delivery, Outcome, Receipt, Signal, SignalSet};

use super::identified_node::{IdentifiedNode, NodeAlias};
use super::peers::ResolvedEndpoint;
use super::recently_emitted::RecentlyEmitted;
use super::resource_identity::ResourceIdentity;

/// The maximum number of entries in [`EmittedRows::unacknowledged`]. Beyond that, the rows of the oldest entry are due
/// again.
const MAX_UNACKNOWLEDGED: usize = 4096;

/// Collects rows to emit, and remembers which rows were emitted recently. Skips rows of signals that no component
/// after this processor accepts.
pub(super) struct EmittedRows {
    /// The component id, which is the `source` of the rows.
    source: String,
    recent: RecentlyEmitted,
    /// The results of [`EmittedRows::take_batches`] that are in flight: the receipt, and the hashes of the rows.
    unacknowledged: VecDeque<(Receipt, Vec<u64>)>,
    nodes: Option<Rows>,
    edges: Option<Rows>,
    aliases: Option<Rows>,
}

impl std::fmt::Debug for EmittedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EmittedRows(by {}, {:?})", self.source, self.recent)
    }
}

impl EmittedRows {
    pub(super) fn new(source: String, wanted: SignalSet) -> EmittedRows {
        let rows = |signal| wanted.contains(signal).then(|| Rows::new(signal));
        EmittedRows {
            source,
            recent: RecentlyEmitted::default(),
            unacknowledged: VecDeque::new(),
            nodes: rows(Signal::Nodes),
            edges: rows(Signal::Edges),
            aliases: rows(Signal::Aliases),
        }
    }

    /// Adds rows for those nodes, aliases and edges that were not emitted recently. `time` is the time of the newest
    /// row of the resource.
    pub(super) fn emit(&mut self, identity: &ResourceIdentity<'_>, time: UnixNanos) {
        let nodes = &identity.nodes;
        for node in nodes {
            if !node.is_from_index {
                self.emit_node(node, time);
            }
            for alias in &node.aliases {
                self.emit_alias(&node.uid, alias, time);
            }
        }
        for (from, kind, to) in &identity.edges {
            self.emit_edge(&nodes[*from].uid, kind, &nodes[*to].uid, time);
        }
    }

    /// Whether a component after this processor accepts aliases.
    pub(super) fn wants_aliases(&self) -> bool {
        self.aliases.is_some()
    }

    /// Adds a row that reports the endpoint as alias `same_as` of its node.
    pub(super) fn emit_same_as(&mut self, resolved: &ResolvedEndpoint) {
        let alias = NodeAlias {
            since: Some(resolved.since),
            ..NodeAlias::new(SAME_AS, resolved.endpoint.as_str())
        };
        self.emit_alias(&resolved.uid, &alias, resolved.since);
    }

    /// Whether emitted batches are in flight.
    pub(super) fn has_unacknowledged(&self) -> bool {
        !self.unacknowledged.is_empty()
    }

    /// Makes the rows of refused or partially rejected batches due again, so that they are emitted when the sender
    /// retries. Returns whether there were such batches.
    pub(super) fn revoke_refused(&mut self) -> bool {
        let recent = &mut self.recent;
        let mut is_any_refused = false;
        self.unacknowledged.retain_mut(|(receipt, hashes)| {
            let outcome = receipt.try_outcome();
            if matches!(outcome, Some(Outcome::Refused(_) | Outcome::Partial { .. })) {
                recent.revoke(hashes);
                is_any_refused = true;
            }
            outcome.is_none()
        });
        is_any_refused
    }

    /// Takes the added rows as batches. They carry `delivery`, the delivery of the processed batch, so that its sender
    /// waits for them.
    pub(super) fn take_batches(&mut self, delivery: &Delivery) -> Vec<Batch> {
        let fresh = self.recent.take_fresh();
        if fresh.is_empty() {
            return Vec::new();
        }
        let (emitted, receipt) = Delivery::new(None);
        self.unacknowledged.push_back((receipt, fresh));
        if self.unacknowledged.len() > MAX_UNACKNOWLEDGED
            && let Some((_, hashes)) = self.unacknowledged.pop_front()
        {
            self.recent.revoke(&hashes);
        }
        let delivery = Delivery::merge([delivery.clone(), emitted]);
        let signals = [&mut self.nodes, &mut self.edges, &mut self.aliases];
        signals
            .into_iter()
            .flatten()
            .filter(|rows| !rows.is_empty())
            .map(|rows| rows.finish(delivery.clone()))
            .collect()
    }

    /// Adds a row for the node if it was not emitted recently.
    pub(super) fn emit_node(&mut self, node: &IdentifiedNode<'_>, time: UnixNanos) {
        let Some(rows) = &mut self.nodes else { return };
        let words = [
            Some("node"),
            Some(&node.uid),
            node.kind,
            node.name,
            node.provider,
            node.account,
            node.region,
        ];
        let parts = words.map(|word| word.map(str::as_bytes));
        let hash = hash_of(parts.into_iter().chain([Some(node.value.as_slice())]));
        if !self.recent.record_if_due(hash, time) {
            return;
        }
        let cells = [
            (nodes::OP, Cell::Text(resources::op::OBSERVED)),
            (nodes::GROUP, Cell::Text(nodes::group::TELEMETRY)),
            (nodes::KIND, node.kind.into()),
            (nodes::NAME, node.name.into()),
            (nodes::PROVIDER, node.provider.into()),
            (nodes::ACCOUNT, node.account.into()),
            (nodes::REGION, node.region.into()),
            (nodes::VALUE, Cell::Bytes(&node.value)),
        ];
        rows.push(Some(time), Some(&node.uid), &self.source, &cells);
    }

    fn emit_edge(&mut self, from: &str, kind: &str, to: &str, time: UnixNanos) {
        let Some(rows) = &mut self.edges else { return };
        let hash = hash_of(["edge", from, kind, to].map(|part| Some(part.as_bytes())));
        if !self.recent.record_if_due(hash, time) {
            return;
        }
        let cells = [
            (edges::MODE, Cell::Text(edges::mode::OBSERVED)),
            (edges::KIND, Cell::Text(kind)),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        rows.push(Some(time), Some(from), &self.source, &cells);
    }

    fn emit_alias(&mut self, uid: &str, alias: &NodeAlias<'_>, time: UnixNanos) {
        let Some(rows) = &mut self.aliases else {
            return;
        };
        let parts = [
            Some("alias"),
            Some(uid),
            Some(alias.kind),
            Some(&alias.value),
            alias.scope,
        ];
        let hash = hash_of(parts.map(|part| part.map(str::as_bytes)));
        if !self.recent.record_if_due(hash, time) {
            return;
        }
        let cells = [
            (aliases::MODE, Cell::Text(edges::mode::OBSERVED)),
            (aliases::KIND, Cell::Text(alias.kind)),
            (aliases::VALUE, Cell::Text(&alias.value)),
            (aliases::WITHIN, alias.scope.into()),
            (
                aliases::VALID_FROM,
                alias.since.map_or(Cell::Null, Cell::Time),
            ),
        ];
        rows.push(Some(time), Some(uid), &self.source, &cells);
    }
}
