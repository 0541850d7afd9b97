//! A name, in the one form in which it is told and asked for.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::schema::aliases::kind;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An alias `ip`, unique in its scope.
    Address,
    /// An alias `interface_ip`, likewise.
    InterfaceAddress,
    /// An alias `reserved_ip`, likewise.
    ReservedAddress,
    /// An alias `dns`.
    Host,
    /// An alias `host_id`.
    Instance,
    /// An alias `same_as`.
    SameAs,
    /// No alias, but what the edges `DNS_POINTS_TO` of a DNS record lead to: asked for by uid.
    Target,
}

impl Kind {
    pub(super) const ALL: usize = 7;

    /// The aliases that are kept, as `aliases` has them.
    pub const ALIASES: [&str; 6] = [
        kind::IP,
        kind::INTERFACE_IP,
        kind::RESERVED_IP,
        kind::DNS,
        kind::HOST_ID,
        kind::SAME_AS,
    ];

    /// The kinds of addresses: of the owners of one address, those are meant that have it as the
    /// first of these kinds.
    pub const ADDRESSES: [Kind; 3] = [Kind::Address, Kind::InterfaceAddress, Kind::ReservedAddress];

    /// The kind and form of an alias; none of one that nobody asks for.
    fn of<'v>(alias: &str, value: &'v str) -> Option<(Kind, Cow<'v, str>)> {
        let in_one_form = || Some(address(value)?.to_string().into());
        match alias {
            kind::IP => Some((Kind::Address, in_one_form()?)),
            kind::INTERFACE_IP => Some((Kind::InterfaceAddress, in_one_form()?)),
            kind::RESERVED_IP => Some((Kind::ReservedAddress, in_one_form()?)),
            kind::DNS if !value.is_empty() => Some((Kind::Host, host(value))),
            kind::HOST_ID => Some((Kind::Instance, value.into())),
            kind::SAME_AS => Some((Kind::SameAs, value.into())),
            _ => None,
        }
    }
}

/// A name that leads to a uid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub kind: Kind,
    pub value: Arc<str>,
    /// Where it is unique; empty for everywhere.
    pub scope: Arc<str>,
}

impl Name {
    /// Of a uid that a DNS record leads to.
    pub(super) fn target(uid: &str) -> Name {
        Name {
            kind: Kind::Target,
            value: uid.into(),
            scope: "".into(),
        }
    }

    /// Of an alias; none of one that nobody asks for.
    pub(super) fn of(alias: &str, value: &str, scope: Option<&str>) -> Option<Name> {
        let (kind, value) = Kind::of(alias, value)?;
        Some(Name {
            kind,
            value: value.as_ref().into(),
            scope: scope.unwrap_or_default().into(),
        })
    }
}

/// An IP address; one of IPv4 that is written as IPv6 (`::ffff:10.0.0.7`) is of IPv4.
pub fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    Some(address.to_canonical())
}

/// A host's name in lower case, without the dot that may end it.
pub fn host(text: &str) -> Cow<'_, str> {
    let text = text.strip_suffix('.').unwrap_or(text);
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}
