//! Parses the host or address that a span names.

use std::borrow::Cow;
use std::net::IpAddr;

use pipeline::alias_index::{canonical_address, canonical_host};

/// The host or address that a span names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PeerTarget<'a> {
    /// A host that means something else on each machine or link, such as `localhost` or a link-local address. Also a
    /// text that is not a host name, such as a path.
    Local,
    Address(IpAddr),
    /// A host name in lower case, without a final dot.
    Host(Cow<'a, str>),
}

impl<'a> PeerTarget<'a> {
    /// Parses a host name or an address; an IPv6 address may be in brackets.
    pub(super) fn of(text: &'a str) -> PeerTarget<'a> {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        if let Some(ip) = canonical_address(bare.unwrap_or(text)) {
            return match is_local(ip) {
                true => PeerTarget::Local,
                false => PeerTarget::Address(ip),
            };
        }
        let name = canonical_host(text);
        let is_host = !name.is_empty() && !name.contains(['/', '@', ' ']);
        match is_host && name != "localhost" && !name.ends_with(".localhost") {
            true => PeerTarget::Host(name),
            false => PeerTarget::Local,
        }
    }
}

fn is_local(ip: IpAddr) -> bool {
    let is_within_link = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    is_within_link || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::PeerTarget;

    #[test]
    fn loopback_link_local_and_paths_are_local() {
        for local in [
            "localhost",
            "LOCALHOST.",
            "db.localhost",
            "127.0.0.1",
            "127.8.8.8",
            "::1",
            "[::1]",
            "0.0.0.0",
            "169.254.169.254",
            "fe80::1",
            "224.0.0.1",
            "/var/run/pg.sock",
            "",
            ".",
        ] {
            assert_eq!(PeerTarget::of(local), PeerTarget::Local, "{local:?}");
        }
    }

    #[test]
    fn hosts_and_addresses_are_normalized() {
        assert_eq!(
            PeerTarget::of("DB.Example."),
            PeerTarget::Host("db.example".into())
        );
        for text in ["::ffff:10.0.0.7", "10.0.0.7"] {
            assert_eq!(
                PeerTarget::of(text),
                PeerTarget::Address([10, 0, 0, 7].into())
            );
        }
    }
}
