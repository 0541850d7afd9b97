//! Reads the aliases of a store that was written when receivers reported every id as `id` and every
//! address as `ip`.
//!
//! The first scan by the present receivers replaces these aliases. Until then the ARN of the node gives the
//! present kind of an alias; at that time `aws` was the only receiver with aliases.

use pipeline::graph_store::KnownAlias;
use pipeline::schema::aliases::kind;

use super::cloud::Arn;

const ID: &str = "id";

/// Kinds of aliases that are read in addition to those of the index.
pub(super) const KINDS: [&str; 1] = [ID];

/// The kind with which receivers report the alias today.
pub(super) fn kind_of(alias: &KnownAlias) -> &str {
    let is_of = |resource| Arn::parse(&alias.uid).is_some_and(|arn| arn.is_of("ec2", resource));
    match alias.kind.as_str() {
        ID if is_of("instance/") => kind::HOST_ID,
        kind::IP if is_of("network-interface/") => kind::INTERFACE_IP,
        kind::IP if is_of("elastic-ip/") => kind::RESERVED_IP,
        other => other,
    }
}
