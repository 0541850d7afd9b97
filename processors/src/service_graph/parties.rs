//! Who calls and who is called: nodes of the graph, and what metrics call them.

use hashbrown::HashMap;
use pipeline::attributes::MapBuilder;
use pipeline::component::UnixNanos;
use pipeline::uid;

use super::intern::Interner;
use crate::service::{self, Service};

/// One side of a call, as two interned numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Party {
    pub(super) node: u32,
    /// What metrics call it: the service's name, the database's name, `user`, `unknown`.
    pub(super) label: u32,
}

/// A node of the graph, as the processor tells of it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) uid: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    environment: String,
    namespace: String,
    /// Attributes, encoded.
    pub(super) value: Vec<u8>,
    /// When it is to be told of again.
    due: UnixNanos,
}

pub(super) mod kind {
    pub(in super::super) const DATABASE: &str = "database";
    pub(in super::super) const USER: &str = "user";
    pub(in super::super) const EXTERNAL: &str = "external";
}

/// What metrics call a server that its client does not name.
pub(super) const UNKNOWN: &str = "unknown";
/// The number of the empty text.
pub(super) const NO_TEXT: u32 = 0;
/// How long a node that was told of is not told of again.
const QUIET: std::time::Duration = std::time::Duration::from_secs(60);
/// How many answers are kept; they are only a short cut.
const MOST_KNOWN: usize = 1 << 16;

/// All parties of the calls that are held.
#[derive(Debug)]
pub(super) struct Parties {
    pub(super) nodes: Interner<Node>,
    /// Labels, and encoded attributes of metrics.
    pub(super) texts: Interner<()>,
    /// What was asked before, so that a uid is made once and not for each span.
    known: HashMap<Box<[u8]>, Party>,
    question: Vec<u8>,
    pub(super) user: Party,
    pub(super) unknown: Party,
}

impl Parties {
    pub(super) fn new() -> Parties {
        let nobody = Party { node: 0, label: 0 };
        let mut parties = Parties {
            nodes: Interner::new(),
            texts: Interner::new(),
            known: HashMap::new(),
            question: Vec::new(),
            user: nobody,
            unknown: nobody,
        };
        let nothing = parties.text(b"");
        debug_assert_eq!(nothing, NO_TEXT);
        parties.user = parties.external(kind::USER, "user", None, "user", None);
        parties.unknown = parties.external(kind::EXTERNAL, UNKNOWN, None, UNKNOWN, None);
        parties
    }

    /// The sender of spans; `known_uid` is what the processor before has found for it.
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
        self.known(b's', &parts.map(str::as_bytes), |parties| {
            let uid = match known_uid {
                Some(uid) => uid.to_owned(),
                None => service.uid(),
            };
            let label = if name.is_empty() { &uid } else { name };
            let party = parties.party(
                label,
                Node {
                    uid: uid.clone(),
                    kind: service::KIND,
                    name: label.to_owned(),
                    environment: service.environment.to_owned(),
                    namespace: service.namespace.to_owned(),
                    value: service.value(),
                    due: UnixNanos(0),
                },
            );
            // It was known by its name alone, or has another version now.
            let node = parties.nodes.get_mut(party.node);
            let value = service.value();
            if service.has_details() && node.value != value {
                node.value = value;
                node.due = UnixNanos(0);
            }
            party
        })
    }

    /// A service that its client names: taken to be of the client's environment and namespace.
    pub(super) fn peer_service(&mut self, client: Party, name: &str) -> Party {
        let parts = [&client.node.to_le_bytes(), name.as_bytes()];
        self.known(b'p', &parts, |parties| {
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

    /// A server that only its clients tell of, by its address.
    pub(super) fn endpoint(&mut self, host: &str, port: Option<u16>) -> Party {
        let parts = [&port_bytes(port)[..], host.as_bytes()];
        self.known(b'e', &parts, |parties| {
            parties.external(kind::EXTERNAL, host, port, host, Some("server.address"))
        })
    }

    /// A server that only its clients tell of, by any other name.
    pub(super) fn named(&mut self, name: &str) -> Party {
        self.known(b'n', &[name.as_bytes()], |parties| {
            parties.external(kind::EXTERNAL, name, None, name, None)
        })
    }

    /// A database: the node is its server where the client names that.
    pub(super) fn database(&mut self, name: &str, host: Option<&str>, port: Option<u16>) -> Party {
        let host_bytes = host.unwrap_or_default().as_bytes();
        let parts = [&port_bytes(port)[..], host_bytes, name.as_bytes()];
        self.known(b'd', &parts, |parties| match host {
            Some(host) => {
                parties.external(kind::DATABASE, host, port, name, Some("server.address"))
            }
            None => parties.external(kind::DATABASE, name, None, name, Some("db.namespace")),
        })
    }

    /// A server whose node was found; metrics call it what its client does.
    pub(super) fn resolved(&mut self, uid: &str, label: &str) -> Party {
        let parts = [uid.as_bytes(), label.as_bytes()];
        self.known(b'r', &parts, |parties| {
            let node = Node {
                uid: uid.to_owned(),
                kind: kind::EXTERNAL,
                name: label.to_owned(),
                environment: String::new(),
                namespace: String::new(),
                value: Vec::new(),
                // Whoever found it tells of it.
                due: UnixNanos(u64::MAX),
            };
            parties.party(label, node)
        })
    }

    /// The number of a label or of encoded attributes.
    pub(super) fn text(&mut self, bytes: &[u8]) -> u32 {
        self.texts.number(bytes, || ())
    }

    pub(super) fn label(&self, number: u32) -> &str {
        std::str::from_utf8(self.texts.key(number)).unwrap_or_default()
    }

    pub(super) fn uid(&self, node: u32) -> &str {
        &self.nodes.get(node).uid
    }

    /// The node, if it is time to tell of it.
    pub(super) fn due(&mut self, node: u32, now: UnixNanos) -> Option<&Node> {
        let node = self.nodes.get_mut(node);
        if node.due > now {
            return None;
        }
        node.due = now.after(QUIET);
        Some(node)
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len() + self.texts.len()
    }

    /// Forgets all that is not marked.
    pub(super) fn sweep(&mut self, mut marks: Marks) {
        for party in [self.user, self.unknown] {
            marks.party(party);
        }
        marks.text(NO_TEXT);
        self.known.clear();
        self.nodes.sweep(&marks.nodes);
        self.texts.sweep(&marks.texts);
    }

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
        let node = Node {
            uid: uid::external(host, port),
            kind,
            name: host.to_owned(),
            environment: String::new(),
            namespace: String::new(),
            value: value.finish(),
            due: UnixNanos(0),
        };
        self.party(label, node)
    }

    fn party(&mut self, label: &str, node: Node) -> Party {
        let label = self.text(label.as_bytes());
        let uid = node.uid.clone();
        let node = self.nodes.number(uid.as_bytes(), || node);
        Party { node, label }
    }

    fn known(
        &mut self,
        kind: u8,
        parts: &[&[u8]],
        make: impl FnOnce(&mut Parties) -> Party,
    ) -> Party {
        self.question.clear();
        self.question.push(kind);
        for part in parts {
            let length = part.len() as u64;
            self.question.extend_from_slice(&length.to_le_bytes());
            self.question.extend_from_slice(part);
        }
        if let Some(party) = self.known.get(self.question.as_slice()) {
            return *party;
        }
        let question: Box<[u8]> = self.question.as_slice().into();
        let party = make(self);
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(question, party);
        party
    }
}

/// Which interned numbers are in use.
#[derive(Debug)]
pub(super) struct Marks {
    nodes: Vec<bool>,
    texts: Vec<bool>,
}

impl Marks {
    pub(super) fn of(parties: &Parties) -> Marks {
        Marks {
            nodes: parties.nodes.marks(),
            texts: parties.texts.marks(),
        }
    }

    pub(super) fn party(&mut self, party: Party) {
        self.node(party.node);
        self.text(party.label);
    }

    pub(super) fn node(&mut self, number: u32) {
        self.nodes[number as usize] = true;
    }

    pub(super) fn text(&mut self, number: u32) {
        self.texts[number as usize] = true;
    }
}

fn port_bytes(port: Option<u16>) -> [u8; 3] {
    let [low, high] = port.unwrap_or_default().to_le_bytes();
    [u8::from(port.is_some()), low, high]
}
