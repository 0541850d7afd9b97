//! `aliases`: one row another name of `uid`. `time` is when it was seen to hold.

use super::{columns, types};

columns! {
    /// How the row is merged: `snapshot` or `observed`, exactly as in `edges`; a snapshot's one row
    /// with null `kind` and `value` says that there are none.
    MODE "mode": types::word();
    /// What was scanned as one; null for snapshots that no scan made.
    SCOPE "scope": types::text() => nullable;
    /// Hash of the resource that a scan found and the snapshot was made of, as in `nodes`; null where no
    /// scan did.
    STATE "state": types::uint64() => nullable;
    /// `id`, `name`, `ip`, `dns`, `host_id`, `terraform_address`, `same_as` …, see [`kind`]; any
    /// other word is allowed, and is only searched for.
    KIND "kind": types::word() => nullable;
    /// The other name: `sg-123`, `10.0.0.7`, `db.example.com`.
    VALUE "value": types::text() => nullable;
    /// Where the name is unique: a VPC for a private IP, an account; null for everywhere.
    WITHIN "within": types::text() => nullable;
    /// From when the name leads here; null for as long as it is told.
    VALID_FROM "valid_from": types::timestamp() => nullable;
    /// Until when the name leads here; null for as long as it is told.
    VALID_TO "valid_to": types::timestamp() => nullable;
}

/// Kinds of aliases that have a meaning of their own. The receiver that reports a resource chooses
/// them; nothing else knows its kinds.
pub mod kind {
    /// A DNS name at which the resource answers, or which the resource (a DNS record) defines.
    pub const DNS: &str = "dns";
    /// The id by which a machine names itself in telemetry, OpenTelemetry's `host.id`: on a cloud's
    /// instance the id that the cloud gave it.
    pub const HOST_ID: &str = "host_id";
    /// An IP address at which the resource answers. Where a resource has it as `ip`, that one is
    /// meant, and not one that has it as `interface_ip` or `reserved_ip`.
    pub const IP: &str = "ip";
    /// An IP address of a network interface. What the interface is attached to reports the same
    /// address as `ip`; the interface is meant only where no resource does.
    pub const INTERFACE_IP: &str = "interface_ip";
    /// An IP address that is a resource of its own, to be associated with others (an Elastic IP, a
    /// static address). It is meant only where no other resource has the address.
    pub const RESERVED_IP: &str = "reserved_ip";
    /// The value is itself a uid, `ext://db.example.com:5432`, which telemetry gave before it was
    /// known what answers there: all that was said of that one is true of this.
    pub const SAME_AS: &str = "same_as";
}
