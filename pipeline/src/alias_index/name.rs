//! The names in the index, in their canonical form.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::schema::aliases::kind;

/// The kinds of names that the index keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AliasKind {
    /// An alias `ip`, unique in its scope.
    Address,
    /// An alias `interface_ip`, unique in its scope.
    InterfaceAddress,
    /// An alias `reserved_ip`, unique in its scope.
    ReservedAddress,
    /// An alias `dns`.
    Host,
    /// An alias `host_id`.
    Instance,
    /// An alias `same_as`.
    SameAs,
    /// Not an alias: the uid that an edge `DNS_POINTS_TO` of a DNS record leads to.
    Target,
}

impl AliasKind {
    /// The number of kinds.
    pub(super) const COUNT: usize = 7;

    /// The alias kinds that the index keeps, by their names in the signal `aliases`.
    pub const ALIASES: [&str; 6] = [
        kind::IP,
        kind::INTERFACE_IP,
        kind::RESERVED_IP,
        kind::DNS,
        kind::HOST_ID,
        kind::SAME_AS,
    ];

    /// The kinds of addresses, by precedence: if uids have one address as different kinds, it belongs to those that
    /// have it as the first of these kinds.
    pub const ADDRESSES: [AliasKind; 3] = [
        AliasKind::Address,
        AliasKind::InterfaceAddress,
        AliasKind::ReservedAddress,
    ];

    /// The kind and the canonical value of an alias; `None` if the index does not keep it.
    fn of<'v>(alias: &str, value: &'v str) -> Option<(AliasKind, Cow<'v, str>)> {
        let address = || Some(canonical_address(value)?.to_string().into());
        match alias {
            kind::IP => Some((AliasKind::Address, address()?)),
            kind::INTERFACE_IP => Some((AliasKind::InterfaceAddress, address()?)),
            kind::RESERVED_IP => Some((AliasKind::ReservedAddress, address()?)),
            kind::DNS if !value.is_empty() => Some((AliasKind::Host, canonical_host(value))),
            kind::HOST_ID => Some((AliasKind::Instance, value.into())),
            kind::SAME_AS => Some((AliasKind::SameAs, value.into())),
            _ => None,
        }
    }
}

/// A name of a uid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AliasName {
    pub kind: AliasKind,
    /// In canonical form.
    pub value: Arc<str>,
    /// Where the name is unique; empty if it is unique everywhere.
    pub scope: Arc<str>,
}

impl AliasName {
    /// The name for a uid that a DNS record leads to.
    pub(super) fn target(uid: &str) -> AliasName {
        AliasName {
            kind: AliasKind::Target,
            value: uid.into(),
            scope: "".into(),
        }
    }

    /// The name for an alias; `None` if the index does not keep it.
    pub(super) fn of(alias: &str, value: &str, scope: Option<&str>) -> Option<AliasName> {
        let (kind, value) = AliasKind::of(alias, value)?;
        Some(AliasName {
            kind,
            value: value.as_ref().into(),
            scope: scope.unwrap_or_default().into(),
        })
    }
}

/// Parses an IP address. An IPv4 address in IPv6 notation (`::ffff:10.0.0.7`) becomes IPv4.
pub fn canonical_address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    Some(address.to_canonical())
}

/// A host name in lower case, without a final dot.
pub fn canonical_host(text: &str) -> Cow<'_, str> {
    let text = text.strip_suffix('.').unwrap_or(text);
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}
