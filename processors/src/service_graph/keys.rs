//! What a client span's attributes say of the server, found in one pass over them.

use pipeline::attributes::{Map, value};

use super::config::Config;
use crate::endpoint::port;

/// The attributes that are looked for.
#[derive(Debug)]
pub(super) struct Keys {
    wanted: Vec<Wanted>,
    /// Bit n is set where a key of n bytes is wanted.
    lengths: u128,
}

#[derive(Debug)]
struct Wanted {
    key: String,
    /// Place among the names of a database, 0 is the best.
    database: Option<usize>,
    /// Place among the names of a peer.
    peer: Option<usize>,
    role: Role,
}

/// What the value of an attribute is, by its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    Service,
    Host,
    Port,
    #[default]
    Name,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) database: Option<&'a str>,
    pub(super) peer: Option<(Role, &'a str)>,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<u16>,
}

/// By the conventions of today, and by those of before 1.21 (`net.*`) and 1.38 (`peer.service`).
const ROLES: [(&str, Role); 6] = [
    ("peer.service", Role::Service),
    ("service.peer.name", Role::Service),
    ("server.address", Role::Host),
    ("net.peer.name", Role::Host),
    ("server.port", Role::Port),
    ("net.peer.port", Role::Port),
];

impl Keys {
    pub(super) fn new(config: &Config) -> Keys {
        let databases = &config.database_name_attributes;
        let peers = &config.virtual_node_peer_attributes;
        let addresses = ROLES.iter().filter(|(_, role)| *role != Role::Service);
        let mut names: Vec<&str> = addresses.map(|(name, _)| *name).collect();
        names.extend(databases.iter().chain(peers).map(String::as_str));
        names.sort_unstable();
        names.dedup();
        let place = |list: &[String], name: &str| list.iter().position(|other| other == name);
        let wanted = |name: &str| Wanted {
            key: name.to_owned(),
            database: place(databases, name),
            peer: place(peers, name),
            role: ROLES
                .iter()
                .find(|(key, _)| *key == name)
                .map_or(Role::Name, |(_, role)| *role),
        };
        Keys {
            lengths: names.iter().fold(0, |bits, name| bits | bit(name.len())),
            wanted: names.into_iter().map(wanted).collect(),
        }
    }

    pub(super) fn find<'a>(&self, attributes: &'a [u8]) -> Found<'a> {
        let mut found = Found::default();
        let (mut best_database, mut best_peer) = (usize::MAX, usize::MAX);
        for (key, bytes) in Map::new(attributes).entries() {
            if self.lengths & bit(key.len()) == 0 {
                continue;
            }
            let same = |wanted: &&Wanted| wanted.key.as_bytes() == key;
            let Some(wanted) = self.wanted.iter().find(same) else {
                continue;
            };
            let value = value(bytes);
            if wanted.role == Role::Port {
                found.port = found.port.or_else(|| port(value));
            }
            let Some(text) = value.as_text().filter(|text| !text.is_empty()) else {
                continue;
            };
            if wanted.role == Role::Host && found.host.is_none() {
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

/// Keys of 127 bytes and more share a bit.
fn bit(length: usize) -> u128 {
    1 << length.min(127)
}

#[cfg(test)]
mod tests {
    use pipeline::attributes::MapBuilder;

    use super::{Config, Keys, Role};

    #[test]
    fn the_best_names_win_wherever_they_stand() {
        let keys = Keys::new(&Config::default());
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
        assert_eq!(found.database, Some("orders"), "a number is no name");
        assert_eq!(found.peer, Some((Role::Service, "orders-db")));
        assert_eq!((found.host, found.port), (Some("db.example"), Some(5432)));
    }
}
