//! `edges`: one row an outgoing edge of `uid`. `time` is when it was seen to hold.

use super::{columns, types};

columns! {
    /// How the row is merged. `snapshot`: the rows of one (`uid`, `source`, `scope`, `time`) are
    /// together all edges that the source reports for the uid in the scope, so a newer snapshot
    /// replaces an older one as a whole; one row with null `kind` and `to` says that there are none.
    /// `observed`: this edge alone, which holds for a while after it was last seen.
    MODE "mode": types::word();
    /// What was scanned as one; null for snapshots that no scan made.
    SCOPE "scope": types::text() => nullable;
    /// Hash of the resource that a scan found and the snapshot was made of, as in `nodes`; null where no
    /// scan did.
    STATE "state": types::uint64() => nullable;
    /// `CALLS`, `RUNS_ON`, `SECURED_BY` …, see [`kind`]; reads as a sentence from `uid` to `to`.
    KIND "kind": types::word() => nullable;
    /// The uid that the edge leads to.
    TO "to": types::text() => nullable;
    /// How sure it is, 0 to 1.
    CONFIDENCE "confidence": types::float64();
    /// What else is known of it; null where nothing is.
    PROPERTIES "properties": types::attributes() => nullable;
}

/// The values of `mode`.
pub mod mode {
    pub const SNAPSHOT: &str = "snapshot";
    pub const OBSERVED: &str = "observed";
}

/// The kinds of edges.
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
