//! A node of the graph that attributes describe, and its aliases.

use std::borrow::Cow;
use std::net::IpAddr;

use pipeline::component::UnixNanos;

/// A node to emit, with its aliases. Unknown fields are `None`.
#[derive(Debug, Default)]
pub(super) struct IdentifiedNode<'a> {
    pub(super) uid: Cow<'a, str>,
    pub(super) kind: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) provider: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    /// The encoded value of the fact: the attributes that are the same in all resources that describe the node.
    pub(super) value: Vec<u8>,
    pub(super) aliases: Vec<NodeAlias<'a>>,
    /// Whether the uid was found in the alias index. Another source reports such a node, so the processor emits only
    /// its edges.
    pub(super) is_from_index: bool,
}

/// An alias of a node.
#[derive(Debug)]
pub(super) struct NodeAlias<'a> {
    pub(super) kind: &'static str,
    pub(super) value: Cow<'a, str>,
    pub(super) scope: Option<&'a str>,
    /// The start of validity, if it differs from the time of the row.
    pub(super) since: Option<UnixNanos>,
}

impl<'a> NodeAlias<'a> {
    /// An alias without a scope.
    pub(super) fn new(kind: &'static str, value: impl Into<Cow<'a, str>>) -> NodeAlias<'a> {
        NodeAlias {
            kind,
            value: value.into(),
            scope: None,
            since: None,
        }
    }

    /// Converts addresses to aliases `ip` within a scope. Skips texts that are not addresses, and addresses that other
    /// hosts cannot reach.
    pub(super) fn addresses(
        texts: Vec<&'a str>,
        scope: &'a str,
    ) -> impl Iterator<Item = NodeAlias<'a>> {
        let reachable = |text: &&str| match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
            Ok(IpAddr::V6(ip)) => {
                !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified()
            }
            Err(_) => false,
        };
        texts
            .into_iter()
            .filter(reachable)
            .map(move |text| NodeAlias {
                scope: Some(scope),
                ..NodeAlias::new("ip", text)
            })
    }
}
