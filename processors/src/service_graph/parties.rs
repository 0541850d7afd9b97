//! The parties of calls, that is clients and servers: their nodes in the graph and their labels in the metrics.

use hashbrown::HashMap;
use pipeline::attributes::MapBuilder;
use pipeline::component::UnixNanos;
use pipeline::interner::Interner;
use pipeline::uid;

use crate::service::{self, Service};

/// A client or server, as two interned numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Party {
    /// The number of its [`PartyNode`].
    pub(super) node: u32,
    /// The number of its label in the metrics: the name of the service or database, `user` or `unknown`.
    pub(super) label: u32,
}

/// The node of a party, as the processor reports it.
#[derive(Debug)]
pub(super) struct PartyNode {
    pub(super) uid: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    environment: String,
    namespace: String,
    /// The value of the fact that the processor reports about the node, as encoded attributes.
    pub(super) value: Vec<u8>,
    /// The time from which to report the node again.
    next_report: UnixNanos,
}

/// The kinds of nodes that are not services.
mod kind {
    pub(super) const DATABASE: &str = "database";
    pub(super) const USER: &str = "user";
    pub(super) const EXTERNAL: &str = "external";
}

/// The label of a server that its client does not name.
pub(super) const UNKNOWN: &str = "unknown";
/// The number of the empty text.
pub(super) const NO_TEXT: u32 = 0;
/// The shortest time between two reports of an unchanged node.
const NODE_INTERVAL: std::time::Duration = std::time::Duration::from_secs(60);
/// The maximum number of cached parties. At the limit the cache is emptied.
const MAX_CACHED: usize = 1 << 16;

/// Interns the parties of all pending spans, edges and series.
#[derive(Debug)]
pub(super) struct Parties {
    pub(super) nodes: Interner<str, PartyNode>,
    /// Labels, and encoded attributes of metrics.
    pub(super) texts: Interner<[u8], ()>,
    /// Parties by the arguments from which they were made, so that a uid is not built for each span.
    cache: HashMap<Box<[u8]>, Party>,
    /// Reused memory for the key of the cache.
    cache_key: Vec<u8>,
    /// The client of a root server span.
    pub(super) user: Party,
    /// The server of a client span that names none.
    pub(super) unknown: Party,
}

impl Parties {
    pub(super) fn new() -> Parties {
        let placeholder = Party { node: 0, label: 0 };
        let mut parties = Parties {
            nodes: Interner::default(),
            texts: Interner::default(),
            cache: HashMap::new(),
            cache_key: Vec::new(),
            user: placeholder,
            unknown: placeholder,
        };
        let empty = parties.intern_text(b"");
        debug_assert_eq!(empty, NO_TEXT);
        parties.user = parties.external(kind::USER, "user", None, "user", None);
        parties.unknown = parties.external(kind::EXTERNAL, UNKNOWN, None, UNKNOWN, None);
        parties
    }

    /// The service that sent a span. `known_uid` is the uid that an earlier processor set.
    pub(super) fn service(&mut self, known_uid: Option<&str>, service: &Service<'_>) -> Party {
        let name = service.name;
        let parts = [
            known_uid.unwrap_or_default(),
            service.environment,
            service.namespace,
            name,
            service.version,
            service.language,
        ];
        self.cached(b's', &parts.map(str::as_bytes), |parties| {
            let uid = match known_uid {
                Some(uid) => uid.to_owned(),
                None => service.uid(),
            };
            let label = if name.is_empty() { &uid } else { name };
            let party = parties.party(
                label,
                PartyNode {
                    uid: uid.clone(),
                    kind: service::KIND,
                    name: label.to_owned(),
                    environment: service.environment.to_owned(),
                    namespace: service.namespace.to_owned(),
                    value: service.value(),
                    next_report: UnixNanos(0),
                },
            );
            // The value differs if the node was interned from `peer.service`, which is only a name, or if the service
            // has another version now.
            let node = parties.nodes.get_mut(party.node);
            let value = service.value();
            if service.has_details() && node.value != value {
                node.value = value;
                node.next_report = UnixNanos(0);
            }
            party
        })
    }

    /// A service that its client names, assumed to be in the environment and namespace of the client.
    pub(super) fn peer_service(&mut self, client: Party, name: &str) -> Party {
        let parts = [&client.node.to_le_bytes(), name.as_bytes()];
        self.cached(b'p', &parts, |parties| {
            let client = parties.nodes.get(client.node);
            let (environment, namespace) = (client.environment.clone(), client.namespace.clone());
            let service = Service {
                environment: &environment,
                namespace: &namespace,
                name,
                ..Service::default()
            };
            parties.service(None, &service)
        })
    }

    /// A server that sends no spans, by its address.
    pub(super) fn endpoint(&mut self, host: &str, port: Option<u16>) -> Party {
        let parts = [&port_bytes(port)[..], host.as_bytes()];
        self.cached(b'e', &parts, |parties| {
            parties.external(kind::EXTERNAL, host, port, host, Some("server.address"))
        })
    }

    /// A server that sends no spans, by the name that its client uses if the client states no address.
    pub(super) fn named_server(&mut self, name: &str) -> Party {
        self.cached(b'n', &[name.as_bytes()], |parties| {
            parties.external(kind::EXTERNAL, name, None, name, None)
        })
    }

    /// A database. Its node is named after the host if the client states one, otherwise after the database.
    pub(super) fn database(&mut self, name: &str, host: Option<&str>, port: Option<u16>) -> Party {
        let host_bytes = host.unwrap_or_default().as_bytes();
        let parts = [&port_bytes(port)[..], host_bytes, name.as_bytes()];
        self.cached(b'd', &parts, |parties| match host {
            Some(host) => {
                parties.external(kind::DATABASE, host, port, name, Some("server.address"))
            }
            None => parties.external(kind::DATABASE, name, None, name, Some("db.namespace")),
        })
    }

    /// A server whose node an earlier processor resolved. Its label is the name that the client uses for the server.
    pub(super) fn resolved(&mut self, uid: &str, label: &str) -> Party {
        let parts = [uid.as_bytes(), label.as_bytes()];
        self.cached(b'r', &parts, |parties| {
            let node = PartyNode {
                uid: uid.to_owned(),
                kind: kind::EXTERNAL,
                name: label.to_owned(),
                environment: String::new(),
                namespace: String::new(),
                value: Vec::new(),
                // Another component reports this node.
                next_report: UnixNanos(u64::MAX),
            };
            parties.party(label, node)
        })
    }

    /// Interns a label or encoded attributes.
    pub(super) fn intern_text(&mut self, bytes: &[u8]) -> u32 {
        self.texts.intern(bytes, || ())
    }

    /// The interned label with this number.
    pub(super) fn label(&self, number: u32) -> &str {
        std::str::from_utf8(self.texts.key(number)).unwrap_or_default()
    }

    /// The uid of the interned node with this number.
    pub(super) fn uid(&self, node: u32) -> &str {
        &self.nodes.get(node).uid
    }

    /// Returns the node if its report is due, and schedules its next report.
    pub(super) fn due_node(&mut self, node: u32, now: UnixNanos) -> Option<&PartyNode> {
        let node = self.nodes.get_mut(node);
        if node.next_report > now {
            return None;
        }
        node.next_report = now + NODE_INTERVAL;
        Some(node)
    }

    /// The number of interned nodes and texts.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() + self.texts.len()
    }

    /// Removes all nodes and texts that are not marked as used.
    pub(super) fn sweep(&mut self, mut used: UsedNames) {
        for party in [self.user, self.unknown] {
            used.mark_party(party);
        }
        used.mark_text(NO_TEXT);
        self.cache.clear();
        self.nodes.sweep(&used.nodes);
        self.texts.sweep(&used.texts);
    }

    /// A party whose node is `ext://host:port`. The value of the node has the host under the key `attribute`.
    fn external(
        &mut self,
        kind: &'static str,
        host: &str,
        port: Option<u16>,
        label: &str,
        attribute: Option<&str>,
    ) -> Party {
        let mut value = MapBuilder::new();
        if let Some(attribute) = attribute {
            value.text(attribute, host);
        }
        if let Some(port) = port {
            value.int("server.port", i64::from(port));
        }
        let node = PartyNode {
            uid: uid::external(host, port),
            kind,
            name: host.to_owned(),
            environment: String::new(),
            namespace: String::new(),
            value: value.finish(),
            next_report: UnixNanos(0),
        };
        self.party(label, node)
    }

    /// Interns a label and a node. If a node with this uid is interned already, `node` is dropped.
    fn party(&mut self, label: &str, node: PartyNode) -> Party {
        let label = self.intern_text(label.as_bytes());
        let uid = node.uid.clone();
        let node = self.nodes.intern(&uid, || node);
        Party { node, label }
    }

    /// The cached party of this kind and these parts. If there is none, `make` makes the party to cache.
    fn cached(
        &mut self,
        kind: u8,
        parts: &[&[u8]],
        make: impl FnOnce(&mut Parties) -> Party,
    ) -> Party {
        self.cache_key.clear();
        self.cache_key.push(kind);
        for part in parts {
            let length = part.len() as u64;
            self.cache_key.extend_from_slice(&length.to_le_bytes());
            self.cache_key.extend_from_slice(part);
        }
        if let Some(party) = self.cache.get(self.cache_key.as_slice()) {
            return *party;
        }
        let cache_key: Box<[u8]> = self.cache_key.as_slice().into();
        let party = make(self);
        if self.cache.len() >= MAX_CACHED {
            self.cache.clear();
        }
        self.cache.insert(cache_key, party);
        party
    }
}

/// Which interned nodes and texts are in use.
#[derive(Debug)]
pub(super) struct UsedNames {
    nodes: Vec<bool>,
    texts: Vec<bool>,
}

impl UsedNames {
    /// Flags for the names of `parties`, none of them marked as used.
    pub(super) fn of(parties: &Parties) -> UsedNames {
        UsedNames {
            nodes: parties.nodes.unused_flags(),
            texts: parties.texts.unused_flags(),
        }
    }

    pub(super) fn mark_party(&mut self, party: Party) {
        self.mark_node(party.node);
        self.mark_text(party.label);
    }

    pub(super) fn mark_node(&mut self, number: u32) {
        self.nodes[number as usize] = true;
    }

    pub(super) fn mark_text(&mut self, number: u32) {
        self.texts[number as usize] = true;
    }
}

fn port_bytes(port: Option<u16>) -> [u8; 3] {
    let [low, high] = port.unwrap_or_default().to_le_bytes();
    [u8::from(port.is_some()), low, high]
}
