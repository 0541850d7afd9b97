//! What names mean at a moment, by the index of the process.

use std::net::IpAddr;

use pipeline::alias_index::{Holds, Kind, View, address};
use pipeline::uid;

use super::private::is_private;

/// How far a chain of DNS records is followed.
const MOST_RECORDS: usize = 8;

/// Looks names up as of one moment.
#[derive(Debug)]
pub(super) struct Names<'v> {
    view: &'v View<'v>,
    /// How long all that was found holds.
    pub(super) holds: Holds,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Led<'v> {
    Nowhere,
    To(&'v str),
    /// Several, of which each may be meant.
    Astray,
}

impl<'v> Names<'v> {
    pub(super) fn new(view: &'v View<'v>, holds: Holds) -> Names<'v> {
        Names { view, holds }
    }

    /// The networks in which a node has addresses.
    pub(super) fn networks_of(&mut self, uid: &str) -> Vec<&'v str> {
        let names = self.view.names(uid, Kind::Address, &mut self.holds);
        networks(names.into_iter().map(|name| &*name.scope))
    }

    /// Who has an address: in one of these networks, else, where it is public, anywhere.
    pub(super) fn address(&mut self, ip: IpAddr, networks: &[&str]) -> Led<'v> {
        let text = ip.to_string();
        let kinds = Kind::ADDRESSES.into_iter();
        let owners = kinds.flat_map(|kind| self.view.owners(kind, &text, &mut self.holds));
        let owners: Vec<(&str, &str)> = owners.collect();
        let within = owners.iter().filter(|(_, scope)| networks.contains(scope));
        match one(self.view, within.map(|(uid, _)| *uid)) {
            Led::Nowhere if !is_private(ip) => {
                let anywhere = owners.iter().filter(|(_, scope)| scope.is_empty());
                one(self.view, anywhere.map(|(uid, _)| *uid))
            }
            led => led,
        }
    }

    /// Who has a host's name, anywhere or in one of these networks. A DNS record that leads on to
    /// one thing that is known is that thing.
    pub(super) fn host(&mut self, host: &str, networks: &[&str]) -> Led<'v> {
        let owners = self.view.owners(Kind::Host, host, &mut self.holds);
        let reachable = |scope: &str| scope.is_empty() || networks.contains(&scope);
        let reachable: Vec<&str> = (owners.into_iter())
            .filter(|(_, scope)| reachable(scope))
            .map(|(uid, _)| uid)
            .collect();
        let ends = reachable.into_iter().map(|uid| self.end_of(uid, networks));
        let ends: Vec<&str> = ends.collect();
        one(self.view, ends)
    }

    /// Whether it is a DNS record, and leads on.
    pub(super) fn leads_on(&mut self, uid: &str) -> bool {
        let targets = self.view.names(uid, Kind::Target, &mut self.holds);
        !targets.is_empty()
    }

    /// Whether anybody has the host's name, reachable or not.
    pub(super) fn has_owner(&mut self, host: &str) -> bool {
        let owners = self.view.owners(Kind::Host, host, &mut self.holds);
        !owners.is_empty()
    }

    /// Where a DNS record leads at last, as far as that is one thing that is known.
    pub(super) fn end_of(&mut self, uid: &'v str, networks: &[&str]) -> &'v str {
        let mut end = uid;
        for _ in 0..MOST_RECORDS {
            match self.next_of(end, networks) {
                Some(next) => end = next,
                None => break,
            }
        }
        end
    }

    /// The one thing that a DNS record leads to.
    fn next_of(&mut self, uid: &str, networks: &[&str]) -> Option<&'v str> {
        let targets = self.view.names(uid, Kind::Target, &mut self.holds);
        let [target] = targets.as_slice() else {
            return None;
        };
        let target: &'v str = &target.value;
        if !target.starts_with("ext://") {
            return Some(target);
        }
        let same = self.view.owners(Kind::SameAs, target, &mut self.holds);
        let led = match one(self.view, same.into_iter().map(|(uid, _)| uid)) {
            Led::Nowhere => self.named(uid::external_host(target)?, networks),
            led => led,
        };
        match led {
            Led::To(next) => Some(next),
            Led::Nowhere | Led::Astray => None,
        }
    }

    fn named(&mut self, host: &str, networks: &[&str]) -> Led<'v> {
        if let Some(ip) = address(host) {
            return self.address(ip, networks);
        }
        let owners = self.view.owners(Kind::Host, host, &mut self.holds);
        let anywhere = owners.into_iter().filter(|(_, scope)| scope.is_empty());
        one(self.view, anywhere.map(|(uid, _)| uid))
    }
}

/// Each network once.
pub(super) fn networks<'v>(scopes: impl Iterator<Item = &'v str>) -> Vec<&'v str> {
    let mut networks: Vec<&str> = scopes.filter(|scope| !scope.is_empty()).collect();
    networks.sort_unstable();
    networks.dedup();
    networks
}

/// The one uid that is meant, of these that have the same name. An interface and an address that is a
/// resource of its own have the names of what they are attached to: that is meant, where it is among
/// them.
pub(super) fn one<'v>(view: &View<'_>, uids: impl IntoIterator<Item = &'v str>) -> Led<'v> {
    let mut led = Led::Nowhere;
    let mut best = usize::MAX;
    for uid in uids {
        let rank = rank(view, uid);
        if rank < best {
            (best, led) = (rank, Led::To(uid));
        } else if rank == best && led != Led::To(uid) {
            led = Led::Astray;
        }
    }
    led
}

/// By the kind of its addresses, 0 for what is meant first: what has none is what it is.
fn rank(view: &View<'_>, uid: &str) -> usize {
    let has_any = |kind: &Kind| view.all_names(uid, *kind).next().is_some();
    let rank = Kind::ADDRESSES.iter().position(has_any);
    rank.unwrap_or_default()
}
