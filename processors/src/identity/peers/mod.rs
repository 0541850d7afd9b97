//! Resolves the peers of client and producer spans for the column `peer_uid`.
//!
//! ```text
//!  span ──attributes──▶ PeerAttributes ──aws_endpoints──▶ a queue or bucket
//!                             └──────────resolution─────▶ a node of the alias index
//!                                            └──────────▶ unresolved: looked up again after the index has changed
//! ```

use arrow_array::types::{Int32Type, TimestampNanosecondType};
use arrow_array::{Array, StringViewArray};
use hashbrown::HashMap;
use pipeline::Batch;
use pipeline::alias_index::{AliasIndex, AliasView, ValidInterval};
use pipeline::component::{Host, UnixNanos};
use pipeline::schema::{opening, traces};
use pipeline::uid;

use super::distinct::{DistinctResources, fill_uids};
use super::identified_node::IdentifiedNode;
use super::names::NameLookup;

mod attributes;
mod aws_endpoints;
mod resolution;
mod target;
mod unresolved;

pub(super) use unresolved::ResolvedEndpoint;

use attributes::PeerAttributes;
use resolution::{PeerResolution, UnresolvedCounters, UnresolvedReason};
use target::PeerTarget;
use unresolved::UnresolvedEndpoints;

/// The numbers of `SpanKind` in OTLP.
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;

/// Resolves peers, counts unresolved spans and remembers their endpoints.
#[derive(Debug)]
pub(super) struct PeerResolver {
    unresolved: UnresolvedCounters,
    /// `None` if no component after this processor accepts aliases.
    endpoints: Option<UnresolvedEndpoints>,
}

/// The peers of the spans of one batch.
#[derive(Debug)]
pub(super) struct ResolvedPeers<'a> {
    /// The uids of the peers. The first entry is `None`, for the rows without a peer.
    uids: Vec<Option<String>>,
    /// For each row, the position of its peer in `uids`.
    positions: Vec<u32>,
    /// Queues and buckets to emit, each with the time of its span.
    pub(super) nodes: Vec<(IdentifiedNode<'a>, UnixNanos)>,
}

/// The result for the spans of one resource with the same peer attributes.
#[derive(Clone, Copy, Debug)]
enum CachedPeer {
    /// The position of the peer in [`ResolvedPeers::uids`].
    Position(u32),
    Unresolved(UnresolvedReason),
}

const NO_PEER: CachedPeer = CachedPeer::Position(0);

impl PeerResolver {
    pub(super) fn new(host: &Host, wants_aliases: bool) -> PeerResolver {
        PeerResolver {
            unresolved: UnresolvedCounters::new(host),
            endpoints: wants_aliases.then(UnresolvedEndpoints::default),
        }
    }

    /// Resolves the peers of the spans of a batch, each as of the start of its span. For each resource of `distinct`,
    /// `instances` has the EC2 instance on which the resource runs.
    pub(super) fn resolve<'a>(
        &mut self,
        batch: &'a Batch,
        distinct: &DistinctResources,
        instances: &[Option<String>],
        view: &AliasView<'_>,
        now: UnixNanos,
    ) -> ResolvedPeers<'a> {
        let kinds = batch.numbers::<Int32Type>(traces::KIND).values();
        let times = batch.numbers::<TimestampNanosecondType>(opening::TIME);
        let attributes = batch.bytes(traces::ATTRIBUTES);
        let existing = batch.text(traces::PEER_UID);
        let mut resolved = ResolvedPeers::new(batch.num_rows());
        let mut cache: HashMap<(usize, PeerAttributes<'a>), (CachedPeer, ValidInterval)> =
            HashMap::new();
        for row in 0..batch.num_rows() {
            if !matches!(kinds[row], CLIENT | PRODUCER) || existing.is_valid(row) {
                continue;
            }
            let peer_attributes = PeerAttributes::of(attributes.value(row));
            if peer_attributes.names_no_peer() {
                continue;
            }
            let time = match times.is_valid(row) {
                true => UnixNanos(u64::try_from(times.value(row)).unwrap_or(0)),
                false => now,
            };
            let key = (distinct.position(row), peer_attributes);
            let cached = cache.get(&key).filter(|(_, valid)| valid.contains(time));
            let peer = match cached {
                Some((peer, _)) => *peer,
                None => {
                    let instance = instances[key.0].as_deref();
                    let mut names = NameLookup::new(view, ValidInterval::at(time));
                    let peer = match aws_endpoints::identify(&peer_attributes) {
                        Some(node) => resolved.add_node(node, time.min(now)),
                        None => {
                            self.resolve_one(&peer_attributes, instance, &mut names, &mut resolved)
                        }
                    };
                    cache.insert(key, (peer, names.valid));
                    peer
                }
            };
            match peer {
                CachedPeer::Position(position) => resolved.positions[row] = position,
                CachedPeer::Unresolved(reason) => self.unresolved.add(reason),
            }
        }
        resolved
    }

    /// Resolves one peer with the alias index. If it is unresolved and not ambiguous, remembers its endpoint.
    fn resolve_one(
        &mut self,
        peer: &PeerAttributes<'_>,
        instance: Option<&str>,
        names: &mut NameLookup<'_>,
        resolved: &mut ResolvedPeers<'_>,
    ) -> CachedPeer {
        match resolution::resolve_peer(peer, instance, names) {
            PeerResolution::NoPeer => NO_PEER,
            PeerResolution::Peer(uid) => resolved.add_uid(uid.into_owned()),
            PeerResolution::Unresolved(reason) => {
                if let (Some(endpoints), Some(host)) = (&mut self.endpoints, peer.host)
                    && reason != UnresolvedReason::Ambiguous
                {
                    let endpoint = uid::external(host, peer.port);
                    endpoints.add(endpoint, &PeerTarget::of(host), instance);
                }
                CachedPeer::Unresolved(reason)
            }
        }
    }

    /// Whether unresolved endpoints must be looked up again.
    pub(super) fn is_due(&self, index: &AliasIndex) -> bool {
        let endpoints = self.endpoints.as_ref();
        endpoints.is_some_and(|endpoints| endpoints.is_due(index.version()))
    }

    /// Waits until the index has changed since the last lookup of all endpoints. Never returns if there are no
    /// endpoints, or if an endpoint is due in any case: then the next tick looks all of them up.
    pub(super) async fn wait_until_due(&self, index: &AliasIndex) {
        let endpoints = self.endpoints.as_ref();
        match endpoints.and_then(UnresolvedEndpoints::checked_version) {
            Some(version) => index.changed_since(version).await,
            None => std::future::pending().await,
        }
    }

    /// Looks up all endpoints if they are due. Returns those that belong to exactly one node.
    pub(super) fn resolve_endpoints(&mut self, index: &AliasIndex) -> Vec<ResolvedEndpoint> {
        let endpoints = self.endpoints.as_mut();
        endpoints.map_or_else(Vec::new, |endpoints| endpoints.resolve(index))
    }

    /// The number of unresolved spans by reason.
    #[cfg(test)]
    pub(super) fn unresolved(&self) -> [u64; 4] {
        self.unresolved.counts()
    }

    /// Makes all endpoints due. Call this when the index has changed or an emitted alias was not delivered.
    pub(super) fn recheck_endpoints(&mut self) {
        if let Some(endpoints) = &mut self.endpoints {
            endpoints.recheck();
        }
    }
}

impl<'a> ResolvedPeers<'a> {
    fn new(rows: usize) -> ResolvedPeers<'a> {
        ResolvedPeers {
            uids: vec![None],
            positions: vec![0; rows],
            nodes: Vec::new(),
        }
    }

    fn add_node(&mut self, node: IdentifiedNode<'a>, time: UnixNanos) -> CachedPeer {
        let peer = self.add_uid(node.uid.clone().into_owned());
        self.nodes.push((node, time));
        peer
    }

    fn add_uid(&mut self, uid: String) -> CachedPeer {
        self.uids.push(Some(uid));
        let position = u32::try_from(self.uids.len() - 1).expect("a batch has fewer rows");
        CachedPeer::Position(position)
    }

    /// The column `peer_uid`. Values of `existing`, the column of the batch, are kept. `None` if no peer was resolved.
    pub(super) fn column(&self, existing: &StringViewArray) -> Option<StringViewArray> {
        (self.uids.len() > 1).then(|| fill_uids(&self.uids, &self.positions, existing))
    }
}
