//! Endpoints of which nobody knew what they are, until somebody tells.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;

use pipeline::alias_index::{AliasIndex, Holds, Kind, View};
use pipeline::component::UnixNanos;

use super::super::names::{Led, Names, networks, one};
use super::super::private::is_private;
use super::target::Target;

/// Endpoints that are remembered; the one that was met first is forgotten first.
const MOST: usize = 4096;
/// Instances that called one of them; with more, it is taken to be called from anywhere.
const MOST_CALLERS: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Waiting {
    endpoints: HashMap<String, Endpoint>,
    /// In the order in which they were met.
    turns: VecDeque<String>,
    /// The index as it was when it was last asked; none where it is to be asked in any case.
    asked: Option<u64>,
}

#[derive(Debug)]
struct Endpoint {
    place: Place,
    /// From which instances it was called.
    callers: BTreeSet<String>,
    /// Whether it was called from where nobody knows, too.
    from_anywhere: bool,
}

#[derive(Debug)]
enum Place {
    Address(IpAddr),
    Host(String),
}

/// An endpoint that is a known thing after all.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Joined {
    pub(in super::super) uid: String,
    pub(in super::super) endpoint: String,
    /// Since when the name that the endpoint has is known to be the thing's.
    pub(in super::super) since: UnixNanos,
}

impl Waiting {
    /// The version of the index with which all have been asked for; none where some are to be asked
    /// for whatever the version is, or where there are none.
    pub(super) fn asked_at(&self) -> Option<u64> {
        self.asked.filter(|_| !self.endpoints.is_empty())
    }

    /// Whether asking may tell more than it did before.
    pub(super) fn is_due(&self, version: u64) -> bool {
        !self.endpoints.is_empty() && self.asked != Some(version)
    }

    /// Remembers an endpoint, `ext://host:port`, that an instance has called.
    pub(super) fn add(&mut self, endpoint: String, target: &Target<'_>, caller: Option<&str>) {
        let place = match target {
            Target::Local => return,
            Target::Address(ip) => Place::Address(*ip),
            Target::Host(host) => Place::Host(host.clone().into_owned()),
        };
        if !self.endpoints.contains_key(&endpoint) {
            self.make_room();
            self.turns.push_back(endpoint.clone());
        }
        let waiting = self.endpoints.entry(endpoint).or_insert_with(|| {
            self.asked = None;
            Endpoint {
                place,
                callers: BTreeSet::new(),
                from_anywhere: false,
            }
        });
        let is_new = match caller {
            Some(caller) if waiting.callers.contains(caller) => false,
            Some(caller) if waiting.callers.len() < MOST_CALLERS => {
                waiting.callers.insert(caller.to_owned())
            }
            _ => !std::mem::replace(&mut waiting.from_anywhere, true),
        };
        if is_new {
            self.asked = None;
        }
    }

    /// All are asked for again, though nothing is new.
    pub(super) fn ask_again(&mut self) {
        self.asked = None;
    }

    /// Those of which is known now what they are.
    pub(super) fn joined(&mut self, index: &AliasIndex) -> Vec<Joined> {
        let version = index.version();
        if !self.is_due(version) {
            return Vec::new();
        }
        self.asked = Some(version);
        let view = index.view();
        let joined = self.endpoints.iter().filter_map(|(uid, endpoint)| {
            // The store joins it already, by what the scan itself has told.
            if view.uids(Kind::SameAs, uid).next().is_some() {
                return None;
            }
            let (to, since) = endpoint.is(&view)?;
            Some(Joined {
                uid: to.to_owned(),
                endpoint: uid.clone(),
                since,
            })
        });
        joined.collect()
    }

    fn make_room(&mut self) {
        if self.turns.len() >= MOST
            && let Some(first) = self.turns.pop_front()
        {
            self.endpoints.remove(&first);
        }
    }
}

impl Endpoint {
    /// The one thing that it can be, of all that has or had its name, and since when.
    fn is<'v>(&self, view: &'v View<'v>) -> Option<(&'v str, UnixNanos)> {
        let (kinds, name) = match &self.place {
            Place::Address(ip) => (&Kind::ADDRESSES[..], ip.to_string()),
            Place::Host(host) => (&[Kind::Host][..], host.clone()),
        };
        let is_private = matches!(self.place, Place::Address(ip) if is_private(ip));
        let network = self.network(view);
        let is_meant = |scope: &str| match scope {
            "" => !is_private,
            scope => Some(scope) == network,
        };
        let owners = kinds.iter().flat_map(|kind| {
            view.uids(*kind, &name).filter(|uid| {
                let mut names = view.all_names(uid, *kind).filter(|it| *it.value == *name);
                names.any(|it| is_meant(&it.scope))
            })
        });
        let Led::To(owner) = one(view, owners) else {
            return None;
        };
        let since = kinds
            .iter()
            .filter_map(|kind| view.since(owner, *kind, &name));
        let since = since.min()?;
        let mut names = Names::new(view, Holds::at(UnixNanos(u64::MAX)));
        let end = names.end_of(owner, network.as_slice());
        // A DNS record that leads to what is not known yet is not what is meant.
        (!names.leads_on(end)).then_some((end, since))
    }

    /// The network that all who called it are in.
    fn network<'v>(&self, view: &'v View<'v>) -> Option<&'v str> {
        if self.from_anywhere {
            return None;
        }
        let mut common = None;
        for caller in &self.callers {
            let names = view.all_names(caller, Kind::Address);
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
    use super::{MOST, MOST_CALLERS, Target, Waiting};

    #[test]
    fn of_too_many_endpoints_the_first_are_forgotten() {
        let mut waiting = Waiting::default();
        for number in 0..2 * MOST {
            let host = format!("{number}.example");
            waiting.add(format!("ext://{host}:"), &Target::of(&host), None);
        }
        assert_eq!((waiting.endpoints.len(), waiting.turns.len()), (MOST, MOST));
        assert!(!waiting.endpoints.contains_key("ext://0.example:"));
    }

    #[test]
    fn an_endpoint_of_very_many_is_called_from_anywhere() {
        let mut waiting = Waiting::default();
        let target = Target::of("10.0.0.7");
        for number in 0..=MOST_CALLERS {
            let caller = format!("i-{number}");
            waiting.add("ext://10.0.0.7:".to_owned(), &target, Some(&caller));
            let endpoint = &waiting.endpoints["ext://10.0.0.7:"];
            assert_eq!(endpoint.from_anywhere, number == MOST_CALLERS);
        }
    }
}
