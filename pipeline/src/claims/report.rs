//! The reports of sources, and the constants and classes of the rules.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::unix_nanos::UnixNanos;

/// The time until the lists of a cloud API show a change: they are eventually consistent. A scan that began within this
/// time after a delete event does not reopen the claims that the event ended. A scan that began within this time after
/// a create event does not end the claim that the event opened.
pub const SETTLE: Duration = Duration::from_secs(5 * 60);

/// An open claim does not keep a uid alive if its scope completed no scan for this time before another scope
/// reported a deletion.
pub const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What kind of information a claim holds about its uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ClaimClass {
    /// A scan or a refresh saw the uid: it exists, with this configuration.
    Actual = 0,
    /// A create event reported that the uid exists.
    Created = 1,
    /// A Terraform state declares the uid.
    Desired = 2,
    /// Telemetry names the uid.
    Telemetry = 3,
    /// An assessment of the health of the uid.
    Health = 4,
    /// A snapshot of the edges of the uid that no scan made.
    Edges = 5,
    /// A snapshot of the aliases of the uid that no scan made.
    Aliases = 6,
}

impl ClaimClass {
    /// All classes, in ascending order.
    pub const ALL: [ClaimClass; 7] = [
        ClaimClass::Actual,
        ClaimClass::Created,
        ClaimClass::Desired,
        ClaimClass::Telemetry,
        ClaimClass::Health,
        ClaimClass::Edges,
        ClaimClass::Aliases,
    ];

    /// Whether an open claim of this class shows that the uid exists.
    pub fn is_lifecycle(self) -> bool {
        matches!(self, ClaimClass::Actual | ClaimClass::Created)
    }

    /// Whether a delete event ends claims of this class.
    pub fn ends_by_event(self) -> bool {
        matches!(
            self,
            ClaimClass::Actual | ClaimClass::Created | ClaimClass::Edges | ClaimClass::Aliases
        )
    }

    /// Whether the removal of a claim of the class `removed` also ends a claim of this class with the same source and
    /// scope.
    pub fn ends_with(self, removed: ClaimClass) -> bool {
        self == removed || matches!(self, ClaimClass::Edges | ClaimClass::Aliases)
    }
}

/// Which kind of row reported a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportedBy {
    /// A row of a scan. Its time is the start of that scan.
    Scan,
    /// Any other row: of a refresh, of telemetry, of an event.
    Row,
}

/// What the end of a claim means for its uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Removal {
    /// The uid is gone: the scope was listed in full.
    Deleted,
    /// The source no longer scans for the uid, or its scan was partial: it is unknown whether the uid exists.
    Released,
}

/// One report, with owned values. `state` identifies a value; 0 means that the value is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A source saw the uid.
    Seen {
        uid: String,
        class: ClaimClass,
        source: String,
        /// Empty if the row belongs to no scope.
        scope: String,
        time: UnixNanos,
        state: u64,
        by: ReportedBy,
    },
    /// A source no longer sees the uid in a scope.
    Removed {
        uid: String,
        /// `Actual` or `Desired`.
        class: ClaimClass,
        source: String,
        scope: String,
        time: UnixNanos,
        how: Removal,
    },
    /// An actor deleted the uid.
    DeleteEvent {
        uid: String,
        source: String,
        time: UnixNanos,
    },
    /// A scan of a scope completed.
    Completion {
        source: String,
        scope: String,
        /// `Actual` or `Desired`.
        class: ClaimClass,
        /// The start of the scan.
        began: UnixNanos,
        /// The state in which the scan saw each uid.
        members: BTreeMap<String, u64>,
        /// Whether the scan reports a uid that is not among the members as deleted or as released.
        miss: Removal,
    },
}

impl Report {
    /// The time of the report; of a completion, the time at which its scan began.
    pub fn time(&self) -> UnixNanos {
        match self {
            Report::Seen { time, .. }
            | Report::Removed { time, .. }
            | Report::DeleteEvent { time, .. } => *time,
            Report::Completion { began, .. } => *began,
        }
    }
}

/// Whether a uid exists at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Existence {
    /// No scan and no event reported the uid.
    Unknown,
    Exists,
    /// The uid was deleted at this time.
    Ended(UnixNanos),
    /// Since this time, no source that saw the uid scans for it any more, so its existence is unknown.
    Unobserved(UnixNanos),
}

/// Whether `scope` is strictly below `above`. Scope names are paths with the separator `/`.
pub fn is_below(scope: &str, above: &str) -> bool {
    scope
        .strip_prefix(above)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the scopes above `scope`, the nearest first.
pub fn parent_scopes(scope: &str) -> impl Iterator<Item = &str> {
    let ends = scope.match_indices('/').map(|(end, _)| end);
    let ends: Vec<usize> = ends.filter(|end| *end > 0).collect();
    ends.into_iter().rev().map(move |end| &scope[..end])
}
