//! What is told: rows of `nodes`, `edges` and `aliases`.

use std::collections::VecDeque;

use pipeline::component::UnixNanos;
use pipeline::hash::hash_of;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::aliases::kind::SAME_AS;
use pipeline::schema::{aliases, edges, nodes, resources};
use pipeline::{Batch, Delivery, Outcome, Receipt, Signal, SignalSet};

use super::found::{Alias, Found, Node};
use super::peers::Joined;
use super::recent::Recent;

/// Batches whose delivery is followed at once; those before them count as not delivered.
const FOLLOWED: usize = 4096;

/// Rows that wait to be sent; of signals that nobody wants there are none.
pub(super) struct Told {
    source: String,
    recent: Recent,
    /// What was told and is not known to be delivered.
    followed: VecDeque<(Receipt, Vec<u64>)>,
    nodes: Option<Rows>,
    edges: Option<Rows>,
    aliases: Option<Rows>,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Told(by {}, {:?})", self.source, self.recent)
    }
}

impl Told {
    pub(super) fn new(source: String, wanted: SignalSet) -> Told {
        let rows = |signal| wanted.contains(signal).then(|| Rows::new(signal));
        Told {
            source,
            recent: Recent::default(),
            followed: VecDeque::new(),
            nodes: rows(Signal::Nodes),
            edges: rows(Signal::Edges),
            aliases: rows(Signal::Aliases),
        }
    }

    /// Tells what has not been told of late; `time` is when it was seen to hold.
    pub(super) fn tell(&mut self, found: &Found<'_>, time: UnixNanos) {
        for node in &found.nodes {
            if !node.is_known {
                self.node(node, time);
            }
            for alias in &node.aliases {
                self.alias(&node.uid, alias, time);
            }
        }
        for (from, kind, to) in &found.edges {
            self.edge(&found.nodes[*from].uid, kind, &found.nodes[*to].uid, time);
        }
    }

    /// Whether aliases are wanted.
    pub(super) fn wants_aliases(&self) -> bool {
        self.aliases.is_some()
    }

    /// Tells that an endpoint is something that is known.
    pub(super) fn same_as(&mut self, joined: &Joined) {
        let alias = Alias {
            since: Some(joined.since),
            ..Alias::new(SAME_AS, joined.endpoint.as_str())
        };
        self.alias(&joined.uid, &alias, joined.since);
    }

    /// Whether there are batches of which it is not known yet whether they were delivered.
    pub(super) fn has_unsettled(&self) -> bool {
        !self.followed.is_empty()
    }

    /// Takes back what was told and not delivered: whoever sends it again is told again. Whether
    /// there is any.
    pub(super) fn settle(&mut self) -> bool {
        let recent = &mut self.recent;
        let mut taken_back = false;
        self.followed.retain_mut(|(receipt, hashes)| {
            let outcome = receipt.try_outcome();
            if matches!(outcome, Some(Outcome::Refused(_) | Outcome::Partial { .. })) {
                recent.take_back(hashes);
                taken_back = true;
            }
            outcome.is_none()
        });
        taken_back
    }

    /// The batches, with those who wait for what they were made of.
    pub(super) fn take(&mut self, delivery: &Delivery) -> Vec<Batch> {
        let fresh = self.recent.take_fresh();
        if fresh.is_empty() {
            return Vec::new();
        }
        let (own, receipt) = Delivery::new(None);
        self.followed.push_back((receipt, fresh));
        if self.followed.len() > FOLLOWED
            && let Some((_, hashes)) = self.followed.pop_front()
        {
            self.recent.take_back(&hashes);
        }
        let delivery = Delivery::merge([delivery.clone(), own]);
        let all = [&mut self.nodes, &mut self.edges, &mut self.aliases];
        all.into_iter()
            .flatten()
            .filter(|rows| !rows.is_empty())
            .map(|rows| rows.finish(delivery.clone()))
            .collect()
    }

    pub(super) fn node(&mut self, node: &Node<'_>, time: UnixNanos) {
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
        if !self.recent.is_due(hash, time) {
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

    fn edge(&mut self, from: &str, kind: &str, to: &str, time: UnixNanos) {
        let Some(rows) = &mut self.edges else { return };
        let hash = hash_of(["edge", from, kind, to].map(|part| Some(part.as_bytes())));
        if !self.recent.is_due(hash, time) {
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

    fn alias(&mut self, uid: &str, alias: &Alias<'_>, time: UnixNanos) {
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
        if !self.recent.is_due(hash, time) {
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
