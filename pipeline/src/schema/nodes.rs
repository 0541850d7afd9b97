//! The columns of `nodes`: one row for each fact about a node, or for the completion of a scan. `time` is the time at
//! which the fact was seen. In a row `scope_complete`, `group` is what was scanned: `actual` or `desired`.

use super::{columns, types};

columns! {
    /// What the row reports: `observed`; `created` (a create event: a scan of `scope` that begins soon afterwards may
    /// not show the node yet); `deleted` (the node is gone; a row without a `scope` is a delete event, which ends the
    /// claims of all sources); `released` (the source no longer scans there, so it is unknown whether the node exists);
    /// or `scope_complete` (then `uid` is null, `time` is the start of the scan, and `members` lists the uids that it
    /// saw).
    OP "op": types::word();
    /// Fact group: `lifecycle`, `actual`, `desired`, `telemetry` or `health`.
    GROUP "group": types::word();
    /// The scope of the scan that made the fact; null for facts that no scan made.
    SCOPE "scope": types::text() => nullable;
    /// The scan that made the row; null for rows that no scan made, such as those of a refresh.
    SCAN_ID "scan_id": types::text() => nullable;
    /// What it means that a uid is not among the `members`: `deleted`, since the scope was listed in full, or
    /// `released`, since a filter applied or a part failed. Null means `deleted`.
    MISS "miss": types::word() => nullable;
    /// Hash of the scanned resource that the fact belongs to: the fact is unchanged if this is unchanged. Null if no
    /// scan made the fact: then a hash of the fact's content takes its place.
    STATE "state": types::uint64() => nullable;
    /// The hash (XXH3, 64 bits) of every uid that the completed scan saw, ascending; null
    /// unless `op` is `scope_complete`.
    MEMBERS "members": types::list(types::uint64()) => nullable;
    /// The `state` of each of the `members`, in their order, 0 if it is unknown; null unless `op` is `scope_complete`.
    MEMBER_STATES "member_states": types::list(types::uint64()) => nullable;
    /// The type of the node: `service`, `AWS::EC2::Instance`, `k8s.pod`; null if the fact does not contain it.
    KIND "kind": types::word() => nullable;
    /// The name for people; null if the fact does not contain it.
    NAME "name": types::text() => nullable;
    /// `aws`, `gcp`, `kubernetes`; null if the fact does not contain it.
    PROVIDER "provider": types::word() => nullable;
    /// AWS account id, GCP project id, Kubernetes cluster; null if the fact does not contain it.
    ACCOUNT "account": types::word() => nullable;
    /// Region or zone; null if the fact does not contain it.
    REGION "region": types::word() => nullable;
    /// Tags or labels; null if the fact does not contain them.
    TAGS "tags": types::attributes() => nullable;
    /// The fact's value; null for a tombstone.
    VALUE "value": types::attributes() => nullable;
}

/// The fact groups.
pub mod group {
    /// Whether the node exists. Only a scan, a watch, or a create or delete event reports it.
    pub const LIFECYCLE: &str = "lifecycle";
    /// The configuration that a scan or a watch saw.
    pub const ACTUAL: &str = "actual";
    /// The configuration that a Terraform state declares.
    pub const DESIRED: &str = "desired";
    /// What telemetry reports of the node.
    pub const TELEMETRY: &str = "telemetry";
    /// An assessment of the health of the node.
    pub const HEALTH: &str = "health";
}
