//! The columns of `aliases`: one row for each alias of `uid`. `time` is the time at which the alias was seen.

use super::{columns, types};

columns! {
    /// How the row is merged: `snapshot` or `observed`, as in `edges`. An empty snapshot is one row with null `kind`
    /// and `value`.
    MODE "mode": types::word();
    /// The scope of the scan that made the snapshot; null for snapshots that no scan made.
    SCOPE "scope": types::text() => nullable;
    /// Hash of the scanned resource that the snapshot belongs to, as in `nodes`; null for snapshots that no scan made.
    STATE "state": types::uint64() => nullable;
    /// `id`, `name`, `ip`, `dns`, `host_id`, `terraform_address`, `same_as` …. Any other kind is allowed; only text
    /// search uses it.
    KIND "kind": types::word() => nullable;
    /// The alias: `sg-123`, `10.0.0.7`, `db.example.com`.
    VALUE "value": types::text() => nullable;
    /// Where the alias is unique: a VPC for a private IP, an account; null if it is unique everywhere.
    WITHIN "within": types::text() => nullable;
    /// Start of the time in which `uid` has the alias; null if that is the time in which it is reported.
    VALID_FROM "valid_from": types::timestamp() => nullable;
    /// End of the time in which `uid` has the alias; null if that is the time in which it is reported.
    VALID_TO "valid_to": types::timestamp() => nullable;
}

/// The kinds of aliases that components interpret. The receiver that reports a resource chooses the kinds of its
/// aliases. No other component knows the kinds of resources.
pub mod kind {
    /// A DNS name at which the resource is reachable, or which the resource (a DNS record) defines.
    pub const DNS: &str = "dns";
    /// The id that a machine has in telemetry, OpenTelemetry's `host.id`. For an instance of a cloud, it is the id that
    /// the cloud assigned.
    pub const HOST_ID: &str = "host_id";
    /// An IP address at which the resource is reachable. The address belongs to this resource, and not to resources
    /// that have it as `interface_ip` or `reserved_ip`.
    pub const IP: &str = "ip";
    /// An IP address of a network interface. The resource to which the interface is attached reports the same address
    /// as `ip`. The address belongs to the interface only if no resource does so.
    pub const INTERFACE_IP: &str = "interface_ip";
    /// An IP address that is a separate resource and can be associated with others (an Elastic IP, a static address).
    /// The address belongs to that resource only if no other resource has it.
    pub const RESERVED_IP: &str = "reserved_ip";
    /// The value is a uid such as `ext://db.example.com:5432`, which telemetry used before the real node was known. The
    /// store merges both nodes.
    pub const SAME_AS: &str = "same_as";
}
