//! Reads the attributes by which a client span names its server or database, in one pass.

use pipeline::attributes::{Map, value};

use super::config::Config;
use crate::service::parse_port;

/// The attribute keys to read.
#[derive(Debug)]
pub(super) struct PeerKeys {
    keys: Vec<PeerKey>,
    /// Bit n is set if one of the keys has n bytes.
    lengths: u128,
}

/// An attribute key, and its rank in the configured lists.
#[derive(Debug)]
struct PeerKey {
    key: String,
    /// The index in `database_name_attributes`; a lower index takes precedence.
    database: Option<usize>,
    /// The index in `virtual_node_peer_attributes`; a lower index takes precedence.
    peer: Option<usize>,
    role: PeerRole,
}

/// The meaning of the value of an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PeerRole {
    /// The name of a service.
    Service,
    Host,
    Port,
    /// Any other name.
    #[default]
    Name,
}

/// The server or database as a client span names it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NamedPeer<'a> {
    /// The name of the database.
    pub(super) database: Option<&'a str>,
    /// The value of the preferred peer attribute, with its meaning.
    pub(super) peer: Option<(PeerRole, &'a str)>,
    /// The first host in the span.
    pub(super) host: Option<&'a str>,
    /// The first port in the span.
    pub(super) port: Option<u16>,
}

/// The keys whose values have another meaning than [`PeerRole::Name`], by the current semantic conventions and by those
/// before 1.21 (`net.*`) and 1.38 (`peer.service`).
const ROLES: [(&str, PeerRole); 6] = [
    ("peer.service", PeerRole::Service),
    ("service.peer.name", PeerRole::Service),
    ("server.address", PeerRole::Host),
    ("net.peer.name", PeerRole::Host),
    ("server.port", PeerRole::Port),
    ("net.peer.port", PeerRole::Port),
];

impl PeerKeys {
    pub(super) fn new(config: &Config) -> PeerKeys {
        let databases = &config.database_name_attributes;
        let peers = &config.virtual_node_peer_attributes;
        let addresses = ROLES.iter().filter(|(_, role)| *role != PeerRole::Service);
        let mut names: Vec<&str> = addresses.map(|(name, _)| *name).collect();
        names.extend(databases.iter().chain(peers).map(String::as_str));
        names.sort_unstable();
        names.dedup();
        let rank = |list: &[String], name: &str| list.iter().position(|other| other == name);
        let key = |name: &str| PeerKey {
            key: name.to_owned(),
            database: rank(databases, name),
            peer: rank(peers, name),
            role: ROLES
                .iter()
                .find(|(key, _)| *key == name)
                .map_or(PeerRole::Name, |(_, role)| *role),
        };
        PeerKeys {
            lengths: names.iter().fold(0, |bits, name| bits | bit(name.len())),
            keys: names.into_iter().map(key).collect(),
        }
    }

    /// Reads the encoded attributes of a client span.
    pub(super) fn read<'a>(&self, attributes: &'a [u8]) -> NamedPeer<'a> {
        let mut found = NamedPeer::default();
        let (mut best_database, mut best_peer) = (usize::MAX, usize::MAX);
        for (key, bytes) in Map::new(attributes).entries() {
            if self.lengths & bit(key.len()) == 0 {
                continue;
            }
            let has_key = |peer_key: &&PeerKey| peer_key.key.as_bytes() == key;
            let Some(peer_key) = self.keys.iter().find(has_key) else {
                continue;
            };
            let value = value(bytes);
            if peer_key.role == PeerRole::Port {
                found.port = found.port.or_else(|| parse_port(value));
            }
            let Some(text) = value.as_text().filter(|text| !text.is_empty()) else {
                continue;
            };
            if peer_key.role == PeerRole::Host && found.host.is_none() {
                found.host = Some(text);
            }
            if let Some(rank) = peer_key.database.filter(|rank| *rank < best_database) {
                (best_database, found.database) = (rank, Some(text));
            }
            if let Some(rank) = peer_key.peer.filter(|rank| *rank < best_peer) {
                (best_peer, found.peer) = (rank, Some((peer_key.role, text)));
            }
        }
        found
    }
}

/// The bit of a key's length. Keys of 127 bytes and more share one bit.
fn bit(length: usize) -> u128 {
    1 << length.min(127)
}

#[cfg(test)]
mod tests {
    use pipeline::attributes::MapBuilder;

    use super::{Config, PeerKeys, PeerRole};

    #[test]
    fn preferred_attributes_win_in_any_order() {
        let keys = PeerKeys::new(&Config::default());
        let attributes = MapBuilder::new()
            .text("db.system.name", "postgresql")
            .text("server.address", "db.example")
            .text("net.peer.name", "10.0.0.7")
            .text("server.port", "5432")
            .text("db.namespace", "orders")
            .text("peer.service", "orders-db")
            .int("db.name", 7)
            .finish();
        let found = keys.read(&attributes);
        assert_eq!(found.database, Some("orders"), "a number is not a name");
        assert_eq!(found.peer, Some((PeerRole::Service, "orders-db")));
        assert_eq!((found.host, found.port), (Some("db.example"), Some(5432)));
    }
}
