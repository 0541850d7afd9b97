//! `alerts`: one row a change of an alert's state. `time` is when it changed.

use super::{columns, types};

columns! {
    /// Hash of rule and labels: the same alert keeps it.
    ID "id": types::text();
    /// Name of the rule.
    RULE "rule": types::word();
    /// `firing` or `resolved`.
    STATUS "status": types::word();
    /// `critical`, `high`, `medium` or `low`.
    SEVERITY "severity": types::word();
    /// One line for people.
    SUMMARY "summary": types::text();
    /// When it began to fire.
    STARTS_AT "starts_at": types::timestamp();
    /// When it was resolved; null while it fires.
    ENDS_AT "ends_at": types::timestamp() => nullable;
    /// Labels that identify it.
    LABELS "labels": types::attributes();
    /// What else is known of it.
    ANNOTATIONS "annotations": types::attributes() => nullable;
}
