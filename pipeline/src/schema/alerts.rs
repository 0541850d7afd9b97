//! The columns of `alerts`: one row for each change of the state of an alert. `time` is the time of the change.

use super::{columns, types};

columns! {
    /// Hash of rule and labels. All rows of an alert have the same id.
    ID "id": types::text();
    /// Name of the rule.
    RULE "rule": types::word();
    /// `firing` or `resolved`.
    STATUS "status": types::word();
    /// `critical`, `high`, `medium` or `low`.
    SEVERITY "severity": types::word();
    /// One line for people.
    SUMMARY "summary": types::text();
    /// The time since which the alert fires.
    STARTS_AT "starts_at": types::timestamp();
    /// The time at which the alert was resolved; null while it fires.
    ENDS_AT "ends_at": types::timestamp() => nullable;
    /// Labels that identify the alert.
    LABELS "labels": types::attributes();
    /// Further information that does not identify the alert.
    ANNOTATIONS "annotations": types::attributes() => nullable;
}
