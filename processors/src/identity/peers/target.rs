//! What a text that names a host is.

use std::borrow::Cow;
use std::net::IpAddr;

use pipeline::alias_index::{address, host};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// The machine itself or its link, or no host at all: it means something else to everybody.
    Local,
    Address(IpAddr),
    Host(Cow<'a, str>),
}

impl<'a> Target<'a> {
    pub(super) fn of(text: &'a str) -> Target<'a> {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        if let Some(ip) = address(bare.unwrap_or(text)) {
            return match is_local(ip) {
                true => Target::Local,
                false => Target::Address(ip),
            };
        }
        let name = host(text);
        let is_host = !name.is_empty() && !name.contains(['/', '@', ' ']);
        match is_host && name != "localhost" && !name.ends_with(".localhost") {
            true => Target::Host(name),
            false => Target::Local,
        }
    }
}

fn is_local(ip: IpAddr) -> bool {
    let is_of_link = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    is_of_link || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn what_is_local_to_everybody_is_no_target() {
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
            assert_eq!(Target::of(local), Target::Local, "{local:?}");
        }
    }

    #[test]
    fn a_host_and_an_address_have_one_form() {
        assert_eq!(Target::of("DB.Example."), Target::Host("db.example".into()));
        for text in ["::ffff:10.0.0.7", "10.0.0.7"] {
            assert_eq!(Target::of(text), Target::Address([10, 0, 0, 7].into()));
        }
    }
}
