//! Remembers unresolved endpoints. Looks them up again after the alias index has changed.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;

use pipeline::alias_index::{AliasIndex, AliasKind, AliasView, ValidInterval};
use pipeline::component::UnixNanos;

use super::target::PeerTarget;
use crate::identity::names::{NameLookup, NameResolution, best_owner, is_private, networks};

/// The maximum number of endpoints. Beyond that, the endpoint that was added first is evicted.
const MAX_ENDPOINTS: usize = 4096;
/// The maximum number of callers of one endpoint. An endpoint with more callers is treated as called from anywhere.
const MAX_CALLERS: usize = 16;

/// The unresolved endpoints, and the version of the index in which they were last looked up.
#[derive(Debug, Default)]
pub(super) struct UnresolvedEndpoints {
    /// By their uid, `ext://host:port`.
    endpoints: HashMap<String, UnresolvedEndpoint>,
    /// The keys of `endpoints` in the order in which they were added.
    order: VecDeque<String>,
    /// The version of the index in which all endpoints were looked up. `None` makes all endpoints due in any version.
    checked_version: Option<u64>,
}

/// An endpoint and the instances that called it.
#[derive(Debug)]
struct UnresolvedEndpoint {
    host: EndpointHost,
    /// The uids of the instances that called the endpoint, at most [`MAX_CALLERS`].
    callers: BTreeSet<String>,
    /// Whether an unknown instance or more than [`MAX_CALLERS`] instances called the endpoint.
    from_anywhere: bool,
}

#[derive(Debug)]
enum EndpointHost {
    Address(IpAddr),
    Name(String),
}

/// An endpoint that was unresolved, and the node that it is.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::identity) struct ResolvedEndpoint {
    pub(in crate::identity) uid: String,
    pub(in crate::identity) endpoint: String,
    /// The time since which the node, or the DNS record that leads to it, has the name or address of the endpoint.
    pub(in crate::identity) since: UnixNanos,
}

impl UnresolvedEndpoints {
    /// The version of the index in which all endpoints were looked up. `None` if they are due in any version, or if
    /// there are no endpoints.
    pub(super) fn checked_version(&self) -> Option<u64> {
        self.checked_version.filter(|_| !self.endpoints.is_empty())
    }

    /// Whether a lookup in this version of the index may have other results than the last one.
    pub(super) fn is_due(&self, version: u64) -> bool {
        !self.endpoints.is_empty() && self.checked_version != Some(version)
    }

    /// Adds an endpoint by its uid, `ext://host:port`, and the instance that called it.
    pub(super) fn add(&mut self, endpoint: String, target: &PeerTarget<'_>, caller: Option<&str>) {
        let host = match target {
            PeerTarget::Local => return,
            PeerTarget::Address(ip) => EndpointHost::Address(*ip),
            PeerTarget::Host(host) => EndpointHost::Name(host.clone().into_owned()),
        };
        if !self.endpoints.contains_key(&endpoint) {
            self.evict();
            self.order.push_back(endpoint.clone());
        }
        let endpoint = self.endpoints.entry(endpoint).or_insert_with(|| {
            self.checked_version = None;
            UnresolvedEndpoint {
                host,
                callers: BTreeSet::new(),
                from_anywhere: false,
            }
        });
        let has_new_caller = match caller {
            Some(caller) if endpoint.callers.contains(caller) => false,
            Some(caller) if endpoint.callers.len() < MAX_CALLERS => {
                endpoint.callers.insert(caller.to_owned())
            }
            _ => !std::mem::replace(&mut endpoint.from_anywhere, true),
        };
        if has_new_caller {
            self.checked_version = None;
        }
    }

    /// Makes all endpoints due, even if the index has not changed.
    pub(super) fn recheck(&mut self) {
        self.checked_version = None;
    }

    /// Looks up all endpoints if they are due. Returns those that belong to exactly one node.
    pub(super) fn resolve(&mut self, index: &AliasIndex) -> Vec<ResolvedEndpoint> {
        let version = index.version();
        if !self.is_due(version) {
            return Vec::new();
        }
        self.checked_version = Some(version);
        let view = index.view();
        let resolved = self.endpoints.iter().filter_map(|(uid, endpoint)| {
            // The index already has this alias.
            if view.uids(AliasKind::SameAs, uid).next().is_some() {
                return None;
            }
            let (node, since) = endpoint.node(&view)?;
            Some(ResolvedEndpoint {
                uid: node.to_owned(),
                endpoint: uid.clone(),
                since,
            })
        });
        resolved.collect()
    }

    /// Makes room for one endpoint.
    fn evict(&mut self) {
        if self.order.len() >= MAX_ENDPOINTS
            && let Some(first) = self.order.pop_front()
        {
            self.endpoints.remove(&first);
        }
    }
}

impl UnresolvedEndpoint {
    /// The node that this endpoint is, and [since when](ResolvedEndpoint::since). All nodes that have or had the name
    /// or address are candidates. The endpoint is the candidate with the lowest rank. If this is a DNS record, the
    /// endpoint is the target of the record. `None` if no candidate or several candidates have the lowest rank, if the
    /// candidate does not have the name or address now, or if the target is unknown.
    fn node<'v>(&self, view: &'v AliasView<'v>) -> Option<(&'v str, UnixNanos)> {
        let (kinds, name) = match &self.host {
            EndpointHost::Address(ip) => (&AliasKind::ADDRESSES[..], ip.to_string()),
            EndpointHost::Name(host) => (&[AliasKind::Host][..], host.clone()),
        };
        let is_private = matches!(self.host, EndpointHost::Address(ip) if is_private(ip));
        let network = self.network(view);
        let is_reachable = |scope: &str| match scope {
            "" => !is_private,
            scope => Some(scope) == network,
        };
        let owners = kinds.iter().flat_map(|kind| {
            view.uids(*kind, &name).filter(|uid| {
                let names = view.all_names(uid, *kind);
                let mut same = names.filter(|alias| *alias.value == *name);
                same.any(|alias| is_reachable(&alias.scope))
            })
        });
        let NameResolution::Unique(owner) = best_owner(view, owners) else {
            return None;
        };
        let since = kinds
            .iter()
            .filter_map(|kind| view.since(owner, *kind, &name));
        let since = since.min()?;
        let mut names = NameLookup::new(view, ValidInterval::at(UnixNanos(u64::MAX)));
        let end = names.final_target(owner, network.as_slice());
        // A DNS record whose target is unknown is not the endpoint itself.
        (!names.has_target(end)).then_some((end, since))
    }

    /// The network in which all callers are. `None` if a caller is not in exactly one network, or if the callers are
    /// in several networks.
    fn network<'v>(&self, view: &'v AliasView<'v>) -> Option<&'v str> {
        if self.from_anywhere {
            return None;
        }
        let mut common = None;
        for caller in &self.callers {
            let names = view.all_names(caller, AliasKind::Address);
            let [network] = networks(names.map(|name| &*name.scope))[..] else {
                return None;
            };
            if common.is_some_and(|common| common != network) {
                return None;
            }
            common = Some(network);
        }
        common
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_CALLERS, MAX_ENDPOINTS, PeerTarget, UnresolvedEndpoints};

    #[test]
    fn beyond_the_limit_the_first_endpoints_are_evicted() {
        let mut unresolved = UnresolvedEndpoints::default();
        for number in 0..2 * MAX_ENDPOINTS {
            let host = format!("{number}.example");
            unresolved.add(format!("ext://{host}:"), &PeerTarget::of(&host), None);
        }
        let sizes = (unresolved.endpoints.len(), unresolved.order.len());
        assert_eq!(sizes, (MAX_ENDPOINTS, MAX_ENDPOINTS));
        assert!(!unresolved.endpoints.contains_key("ext://0.example:"));
    }

    #[test]
    fn an_endpoint_with_too_many_callers_is_called_from_anywhere() {
        let mut unresolved = UnresolvedEndpoints::default();
        let target = PeerTarget::of("10.0.0.7");
        for number in 0..=MAX_CALLERS {
            let caller = format!("i-{number}");
            unresolved.add("ext://10.0.0.7:".to_owned(), &target, Some(&caller));
            let endpoint = &unresolved.endpoints["ext://10.0.0.7:"];
            assert_eq!(endpoint.from_anywhere, number == MAX_CALLERS);
        }
    }
}
