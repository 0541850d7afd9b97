//! Resolves names and addresses to nodes as of one time, with the alias index of the process.

use std::net::IpAddr;

use pipeline::alias_index::{AliasKind, AliasView, ValidInterval, canonical_address};
use pipeline::uid;

/// The maximum number of DNS records that are followed from one name.
const MAX_DNS_RECORDS: usize = 8;

/// Looks up names as of one time.
#[derive(Debug)]
pub(super) struct NameLookup<'v> {
    view: &'v AliasView<'v>,
    /// The time of the lookups, and the interval around this time in which all results so far are valid.
    pub(super) valid: ValidInterval,
}

/// The result of resolving a name or address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameResolution<'v> {
    /// No node has the name or address.
    None,
    /// Exactly one node has it: its uid.
    Unique(&'v str),
    /// Several nodes have it.
    Ambiguous,
}

impl<'v> NameLookup<'v> {
    pub(super) fn new(view: &'v AliasView<'v>, valid: ValidInterval) -> NameLookup<'v> {
        NameLookup { view, valid }
    }

    /// The networks in which a node has addresses.
    pub(super) fn networks_of(&mut self, uid: &str) -> Vec<&'v str> {
        let names = self.view.names(uid, AliasKind::Address, &mut self.valid);
        networks(names.into_iter().map(|name| &*name.scope))
    }

    /// Resolves an address to the node that has it in one of these networks. If no node has it there and the address
    /// is public, resolves it to the node that has it without a scope.
    pub(super) fn resolve_address(&mut self, ip: IpAddr, networks: &[&str]) -> NameResolution<'v> {
        let text = ip.to_string();
        let kinds = AliasKind::ADDRESSES.into_iter();
        let owners = kinds.flat_map(|kind| self.view.owners(kind, &text, &mut self.valid));
        let owners: Vec<(&str, &str)> = owners.collect();
        let within = owners.iter().filter(|(_, scope)| networks.contains(scope));
        match best_owner(self.view, within.map(|(uid, _)| *uid)) {
            NameResolution::None if !is_private(ip) => {
                let unscoped = owners.iter().filter(|(_, scope)| scope.is_empty());
                best_owner(self.view, unscoped.map(|(uid, _)| *uid))
            }
            resolution => resolution,
        }
    }

    /// Resolves a host name to the node that has it without a scope or in one of these networks. If this node is a DNS
    /// record, resolves the name to the [final target](NameLookup::final_target) of the record.
    pub(super) fn resolve_host(&mut self, host: &str, networks: &[&str]) -> NameResolution<'v> {
        let owners = self.view.owners(AliasKind::Host, host, &mut self.valid);
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
        let targets = self.view.names(uid, AliasKind::Target, &mut self.valid);
        !targets.is_empty()
    }

    /// Whether any node has the host name, in any network.
    pub(super) fn has_owner(&mut self, host: &str) -> bool {
        let owners = self.view.owners(AliasKind::Host, host, &mut self.valid);
        !owners.is_empty()
    }

    /// Follows DNS records from this uid to the first node that is not a DNS record, or to the first record whose
    /// target is not exactly one known node. Returns the uid of that node or record.
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

    /// The uid of the node to which a DNS record points. `None` if the record has no target or several, or if its
    /// target is an endpoint `ext://…` that does not resolve to exactly one node.
    fn next_target(&mut self, uid: &str, networks: &[&str]) -> Option<&'v str> {
        let targets = self.view.names(uid, AliasKind::Target, &mut self.valid);
        let [target] = targets.as_slice() else {
            return None;
        };
        let target: &'v str = &target.value;
        if !target.starts_with("ext://") {
            return Some(target);
        }
        let owners = self.view.owners(AliasKind::SameAs, target, &mut self.valid);
        let resolution = match best_owner(self.view, owners.into_iter().map(|(uid, _)| uid)) {
            NameResolution::None => self.resolve_target_host(uid::external_host(target)?, networks),
            resolution => resolution,
        };
        match resolution {
            NameResolution::Unique(next) => Some(next),
            NameResolution::None | NameResolution::Ambiguous => None,
        }
    }

    /// Resolves the host or address to which a DNS record points.
    fn resolve_target_host(&mut self, host: &str, networks: &[&str]) -> NameResolution<'v> {
        if let Some(ip) = canonical_address(host) {
            return self.resolve_address(ip, networks);
        }
        let owners = self.view.owners(AliasKind::Host, host, &mut self.valid);
        let unscoped = owners.into_iter().filter(|(_, scope)| scope.is_empty());
        best_owner(self.view, unscoped.map(|(uid, _)| uid))
    }
}

/// The distinct scopes that are not empty. Such a scope is a network.
pub(super) fn networks<'v>(scopes: impl Iterator<Item = &'v str>) -> Vec<&'v str> {
    let mut networks: Vec<&str> = scopes.filter(|scope| !scope.is_empty()).collect();
    networks.sort_unstable();
    networks.dedup();
    networks
}

/// Selects one of the owners of a name: the uid with the lowest [rank]. A network interface or reserved address shares
/// its address with the node to which it is attached, and this node has a lower rank. If several uids have the lowest
/// rank, the name is ambiguous.
pub(super) fn best_owner<'v>(
    view: &AliasView<'_>,
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

/// The position of the first kind of [`AliasKind::ADDRESSES`] of which the node has or had an address. 0 for a node
/// without addresses.
fn rank(view: &AliasView<'_>, uid: &str) -> usize {
    let has_any = |kind: &AliasKind| view.all_names(uid, *kind).next().is_some();
    let rank = AliasKind::ADDRESSES.iter().position(has_any);
    rank.unwrap_or_default()
}

/// Whether the address is unique only within its network (RFC 1918, 4193, 6598).
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            ip.is_private() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn addresses_of_the_private_ranges_are_private() {
        let private = [
            "10.0.0.7",
            "172.31.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "fd00::1",
        ];
        let public = ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:db8::1"];
        assert!(private.iter().all(|ip| is_private(ip.parse().unwrap())));
        assert!(public.iter().all(|ip| !is_private(ip.parse().unwrap())));
    }
}
