//! `drift`: one row a difference between desired and actual state, as it stands. `uid` is what
//! drifted, `time` when the row was said.

use super::{columns, types};

columns! {
    /// Hash of state lineage, uid and kind: the same drift keeps it.
    ID "id": types::text();
    /// `changed`, `missing` or `unmanaged`.
    KIND "kind": types::word();
    /// `unconfirmed`, `open`, `expected` or `resolved`.
    STATUS "status": types::word();
    /// `critical`, `high`, `medium` or `low`.
    SEVERITY "severity": types::word();
    /// Terraform address; null for what is unmanaged.
    IAC_ADDRESS "iac_address": types::text() => nullable;
    /// Where the state was read; null for what is unmanaged.
    STATE_SOURCE "state_source": types::text() => nullable;
    /// Serial of that state.
    SERIAL "serial": types::uint64() => nullable;
    /// What differs: path, before and after as JSON text, whether it is sensitive (then redacted).
    PATHS "paths": types::list_of([
        types::text().named("path", false),
        types::text().named("before", true),
        types::text().named("after", true),
        types::boolean().named("sensitive", false),
    ]);
    /// When it was first seen.
    FIRST_SEEN "first_seen": types::timestamp();
    /// When it was last seen.
    LAST_SEEN "last_seen": types::timestamp();
    /// What found it: `event`, `scan` or `plan`.
    DETECTED_BY "detected_by": types::word();
    /// Who did it: event_id, event_name, actor, source_ip, user_agent, mfa, time, confidence; null
    /// where nobody is known.
    ATTRIBUTION "attribution": types::attributes() => nullable;
    /// What it touches: count, depth, top, truncated; null until computed.
    IMPACT "impact": types::attributes() => nullable;
}
