//! Reads the aliases of a store that was written when receivers reported every id as `id` and every
//! address as `ip`.
//!
//! The first scan by the present receivers replaces them. Until then what the kind of an alias says
//! today is found in the ARN that it belongs to; no other receiver existed.

use pipeline::graph_store::KnownAlias;
use pipeline::schema::aliases::kind;

use super::cloud::Arn;

const ID: &str = "id";

/// Kinds of aliases that are read beside those that are kept.
pub(super) const KINDS: [&str; 1] = [ID];

/// The kind that the alias would have today.
pub(super) fn kind_of(alias: &KnownAlias) -> &str {
    let is_of = |resource| Arn::parse(&alias.uid).is_some_and(|arn| arn.is_of("ec2", resource));
    match alias.kind.as_str() {
        ID if is_of("instance/") => kind::HOST_ID,
        kind::IP if is_of("network-interface/") => kind::INTERFACE_IP,
        kind::IP if is_of("elastic-ip/") => kind::RESERVED_IP,
        today => today,
    }
}
