//! Resolves the peer of a span with the alias index, and counts spans with an unresolved peer.

use std::borrow::Cow;

use pipeline::component::Host;
use pipeline::counters::Counter;

use super::attributes::PeerAttributes;
use super::target::PeerTarget;
use crate::identity::names::{NameLookup, NameResolution, is_private};

/// The peer of a span, as of the span's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PeerResolution<'v> {
    /// The span names no peer, or a [local](PeerTarget::Local) one.
    NoPeer,
    /// The uid of the peer.
    Peer(Cow<'v, str>),
    Unresolved(UnresolvedReason),
}

/// Why the peer of a span is unresolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnresolvedReason {
    /// No node has the host name.
    UnknownName,
    /// No node has the address.
    UnknownAddress,
    /// The name or address is unique only within a network, and the network of the span's resource is unknown.
    NoNetwork,
    /// Several nodes have the name or address.
    Ambiguous,
}

/// Counts spans with an unresolved peer, by reason.
#[derive(Debug)]
pub(super) struct UnresolvedCounters([Counter; 4]);

impl UnresolvedCounters {
    pub(super) fn new(host: &Host) -> UnresolvedCounters {
        let names = ["unknown_name", "unknown_address", "no_network", "ambiguous"];
        UnresolvedCounters(names.map(|name| host.counter(&format!("unresolved_{name}"))))
    }

    /// Counts a span.
    pub(super) fn add(&self, reason: UnresolvedReason) {
        self.0[reason as usize].add(1);
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> [u64; 4] {
        self.0.each_ref().map(Counter::get)
    }
}

/// Resolves the peer by its host. If that fails, resolves it by the address to which the client connected, since only
/// the client's network may know the host name. `instance` is the EC2 instance that sent the span.
pub(super) fn resolve_peer<'v>(
    peer: &PeerAttributes<'_>,
    instance: Option<&str>,
    names: &mut NameLookup<'v>,
) -> PeerResolution<'v> {
    let networks = instance.map_or_else(Vec::new, |uid| names.networks_of(uid));
    let mut result = PeerResolution::NoPeer;
    for text in [peer.host, peer.address].into_iter().flatten() {
        let resolution = resolve_target(&PeerTarget::of(text), &networks, names);
        match (resolution, &result) {
            // If the host is local, the address is ignored.
            (PeerResolution::NoPeer, PeerResolution::NoPeer) => return PeerResolution::NoPeer,
            (resolved @ PeerResolution::Peer(_), _) => return resolved,
            (unresolved, PeerResolution::NoPeer) => result = unresolved,
            _ => {}
        }
    }
    result
}

fn resolve_target<'v>(
    target: &PeerTarget<'_>,
    networks: &[&str],
    names: &mut NameLookup<'v>,
) -> PeerResolution<'v> {
    let (resolution, reason) = match target {
        PeerTarget::Local => return PeerResolution::NoPeer,
        PeerTarget::Address(ip) => {
            let needs_network = is_private(*ip) && networks.is_empty();
            (
                names.resolve_address(*ip, networks),
                match needs_network {
                    true => UnresolvedReason::NoNetwork,
                    false => UnresolvedReason::UnknownAddress,
                },
            )
        }
        PeerTarget::Host(host) => {
            let needs_network = networks.is_empty() && names.has_owner(host);
            (
                names.resolve_host(host, networks),
                match needs_network {
                    true => UnresolvedReason::NoNetwork,
                    false => UnresolvedReason::UnknownName,
                },
            )
        }
    };
    match resolution {
        NameResolution::Unique(uid) => PeerResolution::Peer(uid.into()),
        NameResolution::Ambiguous => PeerResolution::Unresolved(UnresolvedReason::Ambiguous),
        NameResolution::None => PeerResolution::Unresolved(reason),
    }
}
