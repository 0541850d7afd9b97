//! `nodes`: one row a fact about a node, or the completion of a scope. `time` is when the fact was
//! seen to hold. Of a `scope_complete`, `group` says what was scanned: `actual` or `desired`.

use super::{columns, types};

columns! {
    /// What the row reports: `observed`; `created` (a create event: a scan of `scope` that begins soon
    /// afterwards may not show it yet); `deleted` (it is gone; without a `scope` a delete event, which
    /// ends what every source reports); `released` (this source no longer looks there, so whether it
    /// exists is unknown); or `scope_complete` (then `uid` is null, `time` is when that scan began, and
    /// `members` lists what it saw).
    OP "op": types::word();
    /// Fact group: `lifecycle`, `actual`, `desired`, `telemetry` or `health`.
    GROUP "group": types::word();
    /// What was scanned as one; null for facts that no scan made.
    SCOPE "scope": types::text() => nullable;
    /// The scan that made the row; null for rows that no scan made, as those of a refresh.
    SCAN_ID "scan_id": types::text() => nullable;
    /// What it means that a uid is not among the `members`: `deleted`, since the scope was listed in
    /// full, or `released`, since a filter applied or a part failed. Null means `deleted`.
    MISS "miss": types::word() => nullable;
    /// Hash of the resource that a scan found and the fact was made of: the fact is the same while
    /// this is. Null where no scan did: then the fact's own content counts.
    STATE "state": types::uint64() => nullable;
    /// [`uid::hash`](crate::uid::hash) of every uid that the completed scan saw, ascending; null
    /// unless `op` is `scope_complete`.
    MEMBERS "members": types::list(types::uint64()) => nullable;
    /// The `state` of each of the `members`, in their order, 0 where it is not known; null unless
    /// `op` is `scope_complete`.
    MEMBER_STATES "member_states": types::list(types::uint64()) => nullable;
    /// The node's type: `service`, `AWS::EC2::Instance`, `k8s.pod`; null where the fact does not
    /// say.
    KIND "kind": types::word() => nullable;
    /// The name people use; null where the fact does not say.
    NAME "name": types::text() => nullable;
    /// `aws`, `gcp`, `kubernetes`; null where the fact does not say.
    PROVIDER "provider": types::word() => nullable;
    /// AWS account id, GCP project id, Kubernetes cluster; null where the fact does not say.
    ACCOUNT "account": types::word() => nullable;
    /// Region or zone; null where the fact does not say.
    REGION "region": types::word() => nullable;
    /// Tags or labels; null where the fact does not say.
    TAGS "tags": types::attributes() => nullable;
    /// The fact's value; null for a tombstone.
    VALUE "value": types::attributes() => nullable;
}

/// The fact groups.
pub mod group {
    /// Whether it exists; written only by a scan, a watch, or a create or delete event.
    pub const LIFECYCLE: &str = "lifecycle";
    pub const ACTUAL: &str = "actual";
    pub const DESIRED: &str = "desired";
    pub const TELEMETRY: &str = "telemetry";
    pub const HEALTH: &str = "health";
}
