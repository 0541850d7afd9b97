//! The address on which a component listens: `host:port`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// The `format` of a `host:port` field in JSON Schema.
pub(super) const FORMAT: &str = "host_port";

/// A host and a port from 0 to 65535; port 0 takes any free port. The host is a name or an IP address, with brackets
/// around an IPv6 address; an empty host means all addresses of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort(String);

/// The text is not a valid `host:port`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHostPort {
    #[error(
        "expected host:port, such as localhost:4317, or 0.0.0.0:4317 for all addresses of the machine"
    )]
    Format,
    #[error("expected a port from 0 to 65535")]
    Port,
}

impl HostPort {
    /// The text, `host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host: a name, an IPv4 address, or an IPv6 address in brackets; empty for all addresses.
    pub fn host(&self) -> &str {
        self.0.rsplit_once(':').map_or("", |(host, _)| host)
    }
}

impl FromStr for HostPort {
    type Err = InvalidHostPort;

    fn from_str(text: &str) -> Result<HostPort, InvalidHostPort> {
        let (host, port) = text.rsplit_once(':').ok_or(InvalidHostPort::Format)?;
        let bracketed = host.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
        let is_ipv6 = bracketed.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
        let is_plain = !host.contains(|c: char| "[]:/".contains(c) || c.is_whitespace());
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || !(is_ipv6 || is_plain) {
            return Err(InvalidHostPort::Format);
        }
        match port.parse::<u16>() {
            Ok(_) => Ok(HostPort(text.to_owned())),
            Err(_) => Err(InvalidHostPort::Port),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HostPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HostPort, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for HostPort {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HostPort".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": FORMAT})
    }
}

#[cfg(test)]
mod tests {
    use super::HostPort;

    #[test]
    fn only_host_and_port_are_accepted() {
        for good in [
            "localhost:0",
            ":4317",
            "0.0.0.0:65535",
            "[::1]:4317",
            "otel.svc:1",
        ] {
            assert_eq!(good.parse::<HostPort>().unwrap().as_str(), good);
        }
        let host = |text: &str| text.parse::<HostPort>().unwrap().host().to_owned();
        assert_eq!(
            [host(":1"), host("[::1]:1"), host("a.b:1")],
            ["", "[::1]", "a.b"]
        );
        let bad = [
            "",
            "foo",
            "localhost",
            "4317",
            "a:b",
            "a:",
            "a:65536",
            "a:-1",
            "a:+1",
            "::1:4317",
            "[]:1",
            "[a b]:1",
            "[::1:1",
            "http://a:4317",
            "a b:1",
        ];
        for bad in bad {
            assert!(bad.parse::<HostPort>().is_err(), "{bad}");
        }
    }
}
