//! Resolves the peer of a span.

use std::borrow::Cow;

use super::super::names::{NameLookup, NameResolution};
use super::super::private::is_private;
use super::named::PeerAttributes;
use super::reason::UnresolvedReason;
use super::target::PeerTarget;

/// The peer of a span, as of the span's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PeerResolution<'v> {
    /// The span names no peer, or its own machine.
    NoPeer,
    /// The uid of the peer.
    Peer(Cow<'v, str>),
    Unresolved(UnresolvedReason),
}

/// Resolves the host name of the peer, else the address to which the client connected, since a host name may
/// be known only in the client's network. `instance` is the EC2 instance from which the span comes.
pub(super) fn resolve<'v>(
    peer: &PeerAttributes<'_>,
    instance: Option<&str>,
    names: &mut NameLookup<'v>,
) -> PeerResolution<'v> {
    let networks = instance.map_or_else(Vec::new, |uid| names.networks_of(uid));
    let mut result = PeerResolution::NoPeer;
    for text in [peer.host, peer.address].into_iter().flatten() {
        let resolution = resolve_target(&PeerTarget::of(text), &networks, names);
        match (resolution, &result) {
            // If the host is the client's own machine, the address is not looked at.
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
