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
    /// `id`, `name`, `ip`, `dns`, `host_id`, `terraform_address`, `same_as` …
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

/// Kinds of aliases that have a meaning of their own.
pub mod kind {
    /// The value is itself a uid, `ext://db.example.com:5432`, which telemetry gave before it was
    /// known what answers there: all that was said of that one is true of this.
    pub const SAME_AS: &str = "same_as";
}
