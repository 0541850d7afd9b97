//! Resolves names and addresses to nodes as of one time, with the alias index of the process.

use std::net::IpAddr;

use pipeline::alias_index::{Holds, Kind, View, address};
use pipeline::uid;

use super::private::is_private;

/// The longest chain of DNS records that is followed.
const MAX_DNS_RECORDS: usize = 8;

/// Looks names up as of one time.
#[derive(Debug)]
pub(super) struct NameLookup<'v> {
    view: &'v View<'v>,
    /// The time as of which names are looked up, and the period for which all results so far are valid.
    pub(super) holds: Holds,
}

/// The node that a name or address resolves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameResolution<'v> {
    /// No node has it.
    None,
    /// The uid of the one node that has it.
    Unique(&'v str),
    /// Several nodes have it.
    Ambiguous,
}

impl<'v> NameLookup<'v> {
    pub(super) fn new(view: &'v View<'v>, holds: Holds) -> NameLookup<'v> {
        NameLookup { view, holds }
    }

    /// The networks in which a node has addresses.
    pub(super) fn networks_of(&mut self, uid: &str) -> Vec<&'v str> {
        let names = self.view.names(uid, Kind::Address, &mut self.holds);
        networks(names.into_iter().map(|name| &*name.scope))
    }

    /// The node that has an address in one of these networks. If there is none and the address is public:
    /// the node that has it without a scope.
    pub(super) fn resolve_address(&mut self, ip: IpAddr, networks: &[&str]) -> NameResolution<'v> {
        let text = ip.to_string();
        let kinds = Kind::ADDRESSES.into_iter();
        let owners = kinds.flat_map(|kind| self.view.owners(kind, &text, &mut self.holds));
        let owners: Vec<(&str, &str)> = owners.collect();
        let within = owners.iter().filter(|(_, scope)| networks.contains(scope));
        match best_owner(self.view, within.map(|(uid, _)| *uid)) {
            NameResolution::None if !is_private(ip) => {
                let anywhere = owners.iter().filter(|(_, scope)| scope.is_empty());
                best_owner(self.view, anywhere.map(|(uid, _)| *uid))
            }
            resolution => resolution,
        }
    }

    /// The node that has a host name, without a scope or in one of these networks. A DNS record that points
    /// to exactly one known node resolves to this node.
    pub(super) fn resolve_host(&mut self, host: &str, networks: &[&str]) -> NameResolution<'v> {
        let owners = self.view.owners(Kind::Host, host, &mut self.holds);
        let reachable = |scope: &str| scope.is_empty() || networks.contains(&scope);
        let reachable: Vec<&str> = (owners.into_iter())
            .filter(|(_, scope)| reachable(scope))
            .map(|(uid, _)| uid)
            .collect();
        let nodes: Vec<&str> = (reachable.into_iter())
            .map(|uid| self.final_target(uid, networks))
            .collect();
        best_owner(self.view, nodes)
    }

    /// Whether the node is a DNS record with a target.
    pub(super) fn has_target(&mut self, uid: &str) -> bool {
        let targets = self.view.names(uid, Kind::Target, &mut self.holds);
        !targets.is_empty()
    }

    /// Whether any node has the host name, in whatever network.
    pub(super) fn has_owner(&mut self, host: &str) -> bool {
        let owners = self.view.owners(Kind::Host, host, &mut self.holds);
        !owners.is_empty()
    }

    /// Follows DNS records from this uid while each has exactly one known target. Returns the last uid.
    pub(super) fn final_target(&mut self, uid: &'v str, networks: &[&str]) -> &'v str {
        let mut end = uid;
        for _ in 0..MAX_DNS_RECORDS {
            match self.next_target(end, networks) {
                Some(next) => end = next,
                None => break,
            }
        }
        end
    }

    /// The target of a DNS record, if it is one known node.
    fn next_target(&mut self, uid: &str, networks: &[&str]) -> Option<&'v str> {
        let targets = self.view.names(uid, Kind::Target, &mut self.holds);
        let [target] = targets.as_slice() else {
            return None;
        };
        let target: &'v str = &target.value;
        if !target.starts_with("ext://") {
            return Some(target);
        }
        let same = self.view.owners(Kind::SameAs, target, &mut self.holds);
        let resolution = match best_owner(self.view, same.into_iter().map(|(uid, _)| uid)) {
            NameResolution::None => self.resolve_target_host(uid::external_host(target)?, networks),
            resolution => resolution,
        };
        match resolution {
            NameResolution::Unique(next) => Some(next),
            NameResolution::None | NameResolution::Ambiguous => None,
        }
    }

    fn resolve_target_host(&mut self, host: &str, networks: &[&str]) -> NameResolution<'v> {
        if let Some(ip) = address(host) {
            return self.resolve_address(ip, networks);
        }
        let owners = self.view.owners(Kind::Host, host, &mut self.holds);
        let anywhere = owners.into_iter().filter(|(_, scope)| scope.is_empty());
        best_owner(self.view, anywhere.map(|(uid, _)| uid))
    }
}

/// The distinct networks among the scopes.
pub(super) fn networks<'v>(scopes: impl Iterator<Item = &'v str>) -> Vec<&'v str> {
    let mut networks: Vec<&str> = scopes.filter(|scope| !scope.is_empty()).collect();
    networks.sort_unstable();
    networks.dedup();
    networks
}

/// Resolves a name that these uids have to the uid with the lowest rank. Network interfaces and reserved
/// addresses share their addresses with the node that they are attached to; this node wins if it is among
/// the uids.
pub(super) fn best_owner<'v>(
    view: &View<'_>,
    uids: impl IntoIterator<Item = &'v str>,
) -> NameResolution<'v> {
    let mut resolution = NameResolution::None;
    let mut best = usize::MAX;
    for uid in uids {
        let rank = rank(view, uid);
        if rank < best {
            (best, resolution) = (rank, NameResolution::Unique(uid));
        } else if rank == best && resolution != NameResolution::Unique(uid) {
            resolution = NameResolution::Ambiguous;
        }
    }
    resolution
}

/// The position of the kind of its addresses in [`Kind::ADDRESSES`]; a low rank wins. 0 for a node without
/// addresses.
fn rank(view: &View<'_>, uid: &str) -> usize {
    let has_any = |kind: &Kind| view.all_names(uid, *kind).next().is_some();
    let rank = Kind::ADDRESSES.iter().position(has_any);
    rank.unwrap_or_default()
}
