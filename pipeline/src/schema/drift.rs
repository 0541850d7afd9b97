//! The columns of `drift`: one row for each state of a difference between desired and actual state. `uid` is the
//! drifted node, `time` the time of the report.

use super::{columns, types};

columns! {
    /// Hash of state lineage, uid and kind. All rows of a drift have the same id.
    ID "id": types::text();
    /// `changed`, `missing` or `unmanaged`.
    KIND "kind": types::word();
    /// `unconfirmed`, `open`, `expected` or `resolved`.
    STATUS "status": types::word();
    /// `critical`, `high`, `medium` or `low`.
    SEVERITY "severity": types::word();
    /// Terraform address; null for unmanaged resources.
    IAC_ADDRESS "iac_address": types::text() => nullable;
    /// Location of the Terraform state; null for unmanaged resources.
    STATE_SOURCE "state_source": types::text() => nullable;
    /// Serial of that state.
    SERIAL "serial": types::uint64() => nullable;
    /// The differences: path, before and after as JSON text, whether the value is sensitive (then it is redacted).
    PATHS "paths": types::list_of([
        types::text().named("path", false),
        types::text().named("before", true),
        types::text().named("after", true),
        types::boolean().named("sensitive", false),
    ]);
    /// The time at which the drift was first seen.
    FIRST_SEEN "first_seen": types::timestamp();
    /// The time at which the drift was last seen.
    LAST_SEEN "last_seen": types::timestamp();
    /// The kind of detection: `event`, `scan` or `plan`.
    DETECTED_BY "detected_by": types::word();
    /// The change that caused it: event_id, event_name, actor, source_ip, user_agent, mfa, time, confidence; null if it
    /// is unknown.
    ATTRIBUTION "attribution": types::attributes() => nullable;
    /// Impact of the drift: count, depth, top, truncated; null until it is computed.
    IMPACT "impact": types::attributes() => nullable;
}
