//! The columns of `edges`: one row for each outgoing edge of `uid`. `time` is the time at which the edge was seen.

use super::{columns, types};

columns! {
    /// How the row is merged. `snapshot`: the rows with the same (`uid`, `source`, `scope`, `time`) are all edges that
    /// the source reports for the uid in the scope. A newer snapshot replaces an older one as a whole. An empty
    /// snapshot is one row with null `kind` and `to`. `observed`: an observation of this edge, which expires some time
    /// after the last one.
    MODE "mode": types::word();
    /// The scope of the scan that made the snapshot; null for snapshots that no scan made.
    SCOPE "scope": types::text() => nullable;
    /// Hash of the scanned resource that the snapshot belongs to, as in `nodes`; null for snapshots that no scan made.
    STATE "state": types::uint64() => nullable;
    /// `CALLS`, `RUNS_ON`, `SECURED_BY` …. It reads as a sentence from `uid` to `to`.
    KIND "kind": types::word() => nullable;
    /// The uid that the edge leads to.
    TO "to": types::text() => nullable;
    /// Confidence that the edge exists, 0 to 1.
    CONFIDENCE "confidence": types::float64();
    /// Further properties of the edge; null if it has none.
    PROPERTIES "properties": types::attributes() => nullable;
}

/// The values of `mode`, see [`MODE`].
pub mod mode {
    pub const SNAPSHOT: &str = "snapshot";
    pub const OBSERVED: &str = "observed";
}

/// The kinds of edges. Each reads as a sentence: an instance is `SECURED_BY` a security group.
pub mod kind {
    pub const CONTAINS: &str = "CONTAINS";
    pub const PART_OF: &str = "PART_OF";
    pub const ATTACHED_TO: &str = "ATTACHED_TO";
    pub const MEMBER_OF: &str = "MEMBER_OF";
    pub const SECURED_BY: &str = "SECURED_BY";
    pub const ALLOWS_TRAFFIC_FROM: &str = "ALLOWS_TRAFFIC_FROM";
    pub const ROUTES_TO: &str = "ROUTES_TO";
    pub const TARGETS: &str = "TARGETS";
    pub const RUNS_ON: &str = "RUNS_ON";
    pub const OWNED_BY: &str = "OWNED_BY";
    pub const ASSUMES: &str = "ASSUMES";
    pub const ENCRYPTED_BY: &str = "ENCRYPTED_BY";
    pub const DNS_POINTS_TO: &str = "DNS_POINTS_TO";
    pub const RESOLVES_TO: &str = "RESOLVES_TO";
    pub const CALLS: &str = "CALLS";
    pub const MANAGED_BY: &str = "MANAGED_BY";
    pub const AFFECTS: &str = "AFFECTS";
    pub const CAUSED_BY: &str = "CAUSED_BY";

    /// All kinds.
    pub const ALL: [&str; 18] = [
        CONTAINS,
        PART_OF,
        ATTACHED_TO,
        MEMBER_OF,
        SECURED_BY,
        ALLOWS_TRAFFIC_FROM,
        ROUTES_TO,
        TARGETS,
        RUNS_ON,
        OWNED_BY,
        ASSUMES,
        ENCRYPTED_BY,
        DNS_POINTS_TO,
        RESOLVES_TO,
        CALLS,
        MANAGED_BY,
        AFFECTS,
        CAUSED_BY,
    ];
}
