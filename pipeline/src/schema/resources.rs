//! `resources`: one row a thing that a scan, a watch or a state file tells of. A row carries all
//! that makes it a graph, so that the `graph` processor knows no kind. `time` is when it was seen;
//! all rows of one scan of a scope carry the time when that scan began, so that an event which
//! came during the scan is newer than what the scan may have seen before it.

use super::{columns, types};

columns! {
    /// What the row reports, as in `nodes`: `observed`, `created`, `deleted`, `released`, or
    /// `scope_complete` (then `uid` is null, `time` is when that scan of the scope began, and `members`
    /// lists what it saw).
    OP "op": types::word();
    /// Which side of reality it tells: `actual` (a cloud's API) or `desired` (Terraform state).
    GROUP "group": types::word();
    /// What was scanned as one: account, region, kind and a hash of the filter; null for rows that
    /// no scan made.
    SCOPE "scope": types::text() => nullable;
    /// The scan that made the row; null for rows that no scan made.
    SCAN_ID "scan_id": types::text() => nullable;
    /// What it means that a uid is not among the `members`, as in `nodes`: `deleted` or `released`; null
    /// means `deleted`.
    MISS "miss": types::word() => nullable;
    /// [`uid::hash`](crate::uid::hash) of every uid that the completed scan saw, ascending; null
    /// unless `op` is `scope_complete`.
    MEMBERS "members": types::list(types::uint64()) => nullable;
    /// The `state` in which each of the `members` was seen, in their order, 0 where it is not known;
    /// null unless `op` is `scope_complete`.
    MEMBER_STATES "member_states": types::list(types::uint64()) => nullable;
    /// Hash of all that the row says of the resource, see
    /// [`Resource::state`](crate::resource::Resource::state); null for rows that no scan made.
    STATE "state": types::uint64() => nullable;
    /// What is new about it since its receiver last told of it: `created`, `updated` or `deleted`;
    /// null where nothing is, or where nobody compared.
    CHANGE "change": types::word() => nullable;
    /// The provider's type name: `AWS::EC2::SecurityGroup`, `k8s.pod`; null for `scope_complete`.
    KIND "kind": types::word() => nullable;
    /// The name people use; null where it has none.
    NAME "name": types::text() => nullable;
    /// `aws`, `gcp`, `kubernetes`.
    PROVIDER "provider": types::word() => nullable;
    /// AWS account id, GCP project id, Kubernetes cluster.
    ACCOUNT "account": types::word() => nullable;
    /// Region or zone; null for what is global.
    REGION "region": types::word() => nullable;
    /// All outgoing edges that the source tells of this uid: kind (see `edges`), the other uid, how
    /// sure it is (0 to 1), and what else is known of the edge.
    RELATIONS "relations": types::list_of([
        types::text().named(relation::KIND, false),
        types::text().named(relation::UID, false),
        types::float64().named(relation::CONFIDENCE, false),
        types::attributes().named(relation::PROPERTIES, true),
    ]) => nullable;
    /// All other names by which this uid is known: kind and value (see `aliases`), and where the
    /// value is unique, null for everywhere.
    ALIASES "aliases": types::list_of([
        types::text().named(alias::KIND, false),
        types::text().named(alias::VALUE, false),
        types::text().named(alias::WITHIN, true),
    ]) => nullable;
    /// Tags or labels.
    TAGS "tags": types::attributes() => nullable;
    /// The resource as the API gives it, with the API's own field names.
    CONFIGURATION "configuration": types::attributes() => nullable;
}

/// The values of `op`.
pub mod op {
    pub const OBSERVED: &str = "observed";
    pub const CREATED: &str = "created";
    pub const RELEASED: &str = "released";
    pub const DELETED: &str = "deleted";
    pub const SCOPE_COMPLETE: &str = "scope_complete";
}

/// The values of `change`.
pub mod change {
    pub const CREATED: &str = "created";
    pub const UPDATED: &str = "updated";
    pub const DELETED: &str = "deleted";
}

/// The fields of one item of `relations`.
pub mod relation {
    pub const KIND: &str = "kind";
    pub const UID: &str = "uid";
    pub const CONFIDENCE: &str = "confidence";
    pub const PROPERTIES: &str = "properties";
}

/// The fields of one item of `aliases`.
pub mod alias {
    pub const KIND: &str = "kind";
    pub const VALUE: &str = "value";
    pub const WITHIN: &str = "within";
}
