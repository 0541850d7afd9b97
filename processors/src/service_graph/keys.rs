//! Finds the attributes of a client span that name its server or database, in one pass.

use pipeline::attributes::{Map, value};

use super::config::Config;
use crate::endpoint::port;

/// The attribute keys to look for.
#[derive(Debug)]
pub(super) struct PeerKeys {
    wanted: Vec<WantedKey>,
    /// Bit n is set if a wanted key has n bytes.
    lengths: u128,
}

#[derive(Debug)]
struct WantedKey {
    key: String,
    /// Index in `database_name_attributes`; 0 is preferred.
    database: Option<usize>,
    /// Index in `virtual_node_peer_attributes`; 0 is preferred.
    peer: Option<usize>,
    role: PeerRole,
}

/// What the value of an attribute names, by its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PeerRole {
    Service,
    Host,
    Port,
    #[default]
    Name,
}

/// What the attributes say of the server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PeerAttributes<'a> {
    pub(super) database: Option<&'a str>,
    pub(super) peer: Option<(PeerRole, &'a str)>,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<u16>,
}

/// By the current semantic conventions, and by those before 1.21 (`net.*`) and 1.38 (`peer.service`).
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
        let place = |list: &[String], name: &str| list.iter().position(|other| other == name);
        let wanted = |name: &str| WantedKey {
            key: name.to_owned(),
            database: place(databases, name),
            peer: place(peers, name),
            role: ROLES
                .iter()
                .find(|(key, _)| *key == name)
                .map_or(PeerRole::Name, |(_, role)| *role),
        };
        PeerKeys {
            lengths: names.iter().fold(0, |bits, name| bits | bit(name.len())),
            wanted: names.into_iter().map(wanted).collect(),
        }
    }

    pub(super) fn find<'a>(&self, attributes: &'a [u8]) -> PeerAttributes<'a> {
        let mut found = PeerAttributes::default();
        let (mut best_database, mut best_peer) = (usize::MAX, usize::MAX);
        for (key, bytes) in Map::new(attributes).entries() {
            if self.lengths & bit(key.len()) == 0 {
                continue;
            }
            let same = |wanted: &&WantedKey| wanted.key.as_bytes() == key;
            let Some(wanted) = self.wanted.iter().find(same) else {
                continue;
            };
            let value = value(bytes);
            if wanted.role == PeerRole::Port {
                found.port = found.port.or_else(|| port(value));
            }
            let Some(text) = value.as_text().filter(|text| !text.is_empty()) else {
                continue;
            };
            if wanted.role == PeerRole::Host && found.host.is_none() {
                found.host = Some(text);
            }
            if let Some(place) = wanted.database.filter(|place| *place < best_database) {
                (best_database, found.database) = (place, Some(text));
            }
            if let Some(place) = wanted.peer.filter(|place| *place < best_peer) {
                (best_peer, found.peer) = (place, Some((wanted.role, text)));
            }
        }
        found
    }
}

/// The bit of a key's length. Keys of 127 bytes and more share one.
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
        let found = keys.find(&attributes);
        assert_eq!(found.database, Some("orders"), "a number is not a name");
        assert_eq!(found.peer, Some((PeerRole::Service, "orders-db")));
        assert_eq!((found.host, found.port), (Some("db.example"), Some(5432)));
    }
}
