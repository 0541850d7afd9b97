//! Aliases of nodes.

use crate::unix_nanos::UnixNanos;

/// An alias of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GraphAlias {
    /// A kind of [`aliases`](crate::schema::aliases): `id`, `name`, `ip`, `dns`, `same_as` …
    pub kind: String,
    pub value: String,
    /// Where the alias is unique; `None` if it is unique everywhere.
    pub scope: Option<String>,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
}

/// A current alias of a node that has not ended, with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAlias {
    pub uid: String,
    pub source: String,
    /// Whether the alias is part of a snapshot. If not, it was observed.
    pub is_in_snapshot: bool,
    pub kind: String,
    pub value: String,
    /// Where the alias is unique; `None` if it is unique everywhere.
    pub scope: Option<String>,
    /// The time since which the uid has had the alias without a break.
    pub since: UnixNanos,
    pub until: Option<UnixNanos>,
}

/// A page of the aliases of several uids. The aliases of one uid are consecutive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AliasesPage {
    pub aliases: Vec<KnownAlias>,
    /// The uid after which the next page starts; `None` on the last page.
    pub last: Option<String>,
}
