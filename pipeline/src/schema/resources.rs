//! The columns of `resources`: one row for each resource that a scan, a watch or a state file reports. A row contains
//! all edges and aliases of the resource, so the processor `graph` needs no knowledge of kinds. `time` is the time at
//! which the resource was seen. All rows of one scan of a scope have the start time of the scan. So an event during the
//! scan is newer than a state that the scan may have seen before the event.

use super::{columns, types};

columns! {
    /// What the row reports, as in `nodes`: `observed`, `created`, `deleted`, `released`, or `scope_complete` (then
    /// `uid` is null, `time` is the start of the scan of the scope, and `members` lists the uids that it saw).
    OP "op": types::word();
    /// The fact group that the row describes: `actual` (the API of a cloud) or `desired` (Terraform state).
    GROUP "group": types::word();
    /// The scope of the scan: account, region, kind and a hash of the filter; null for rows that no scan made.
    SCOPE "scope": types::text() => nullable;
    /// The scan that made the row; null for rows that no scan made.
    SCAN_ID "scan_id": types::text() => nullable;
    /// What it means that a uid is not among the `members`, as in `nodes`: `deleted` or `released`. Null means
    /// `deleted`.
    MISS "miss": types::word() => nullable;
    /// The hash (XXH3, 64 bits) of every uid that the completed scan saw, ascending; null
    /// unless `op` is `scope_complete`.
    MEMBERS "members": types::list(types::uint64()) => nullable;
    /// The `state` in which each of the `members` was seen, in their order, 0 if it is unknown; null unless `op` is
    /// `scope_complete`.
    MEMBER_STATES "member_states": types::list(types::uint64()) => nullable;
    /// A hash of the values of the resource (XXH3, 64 bits); null for rows that no scan made.
    STATE "state": types::uint64() => nullable;
    /// Change of the resource since its receiver last reported it: `created`, `updated` or `deleted`; null if it is
    /// unchanged, or if the receiver did not compare.
    CHANGE "change": types::word() => nullable;
    /// The provider's type name: `AWS::EC2::SecurityGroup`, `k8s.pod`; null for `scope_complete`.
    KIND "kind": types::word() => nullable;
    /// The name for people; null if the resource has none.
    NAME "name": types::text() => nullable;
    /// `aws`, `gcp`, `kubernetes`.
    PROVIDER "provider": types::word() => nullable;
    /// AWS account id, GCP project id, Kubernetes cluster.
    ACCOUNT "account": types::word() => nullable;
    /// Region or zone; null for global resources.
    REGION "region": types::word() => nullable;
    /// All outgoing edges of this uid that the source reports: kind (see `edges`), the uid that the edge leads to,
    /// confidence (0 to 1), and further properties.
    RELATIONS "relations": types::list_of([
        types::text().named(relation::KIND, false),
        types::text().named(relation::UID, false),
        types::float64().named(relation::CONFIDENCE, false),
        types::attributes().named(relation::PROPERTIES, true),
    ]) => nullable;
    /// All aliases of this uid that the source reports: kind and value (see `aliases`), and where the value is unique,
    /// null if it is unique everywhere.
    ALIASES "aliases": types::list_of([
        types::text().named(alias::KIND, false),
        types::text().named(alias::VALUE, false),
        types::text().named(alias::WITHIN, true),
    ]) => nullable;
    /// Tags or labels.
    TAGS "tags": types::attributes() => nullable;
    /// The resource as the API returns it, with the field names of the API.
    CONFIGURATION "configuration": types::attributes() => nullable;
}

/// The values of `op`, see [`OP`].
pub mod op {
    pub const OBSERVED: &str = "observed";
    pub const CREATED: &str = "created";
    pub const RELEASED: &str = "released";
    pub const DELETED: &str = "deleted";
    pub const SCOPE_COMPLETE: &str = "scope_complete";
}

/// The values of `change`, see [`CHANGE`].
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
