//! What sources report to a graph store.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::component::UnixNanos;

/// A scan that began within this time after a delete event does not reopen what the event ended,
/// and a scan that began within it after a create event does not end what that event opened: the
/// lists of cloud APIs are eventually consistent.
pub const SETTLE: Duration = Duration::from_secs(5 * 60);

/// An open claim does not keep a uid alive when its scope completed no scan for this time before
/// another scope reported a deletion.
pub const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// A scan or a refresh saw it: it exists, with this configuration.
    Actual = 0,
    /// A create event says that it exists.
    Created = 1,
    /// A Terraform state declares it.
    Desired = 2,
    /// Telemetry names it.
    Telemetry = 3,
    /// A judgement of how it does.
    Health = 4,
    /// A snapshot of its edges that no scan made.
    Edges = 5,
    /// A snapshot of its aliases that no scan made.
    Aliases = 6,
}

impl Class {
    pub const ALL: [Class; 7] = [
        Class::Actual,
        Class::Created,
        Class::Desired,
        Class::Telemetry,
        Class::Health,
        Class::Edges,
        Class::Aliases,
    ];

    /// Whether an open claim of this class says that the uid exists.
    pub fn is_lifecycle(self) -> bool {
        matches!(self, Class::Actual | Class::Created)
    }

    /// Whether a delete event ends claims of this class.
    pub fn ends_by_event(self) -> bool {
        matches!(
            self,
            Class::Actual | Class::Created | Class::Edges | Class::Aliases
        )
    }

    /// Whether the removal of a claim of the class `of` also ends one of this class that has the
    /// same source and scope.
    pub fn ends_with(self, of: Class) -> bool {
        self == of || matches!(self, Class::Edges | Class::Aliases)
    }
}

/// Which row reported a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// One of a scan, whose time is when that scan began.
    Scan,
    /// Any other: a refresh, telemetry, an event.
    Row,
}

/// What a removal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Removal {
    /// It is gone: the scope was listed in full.
    Deleted,
    /// The source no longer looks there, or did not see all: whether it exists is unknown.
    Released,
}

/// One report, in the terms of the rules. `state` names a value; 0 says "as it was".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    Seen {
        uid: String,
        class: Class,
        source: String,
        /// Empty where the row belongs to no scope.
        scope: String,
        time: UnixNanos,
        state: u64,
        by: By,
    },
    /// A row that says that a source no longer sees the uid in a scope.
    Removed {
        uid: String,
        /// `Actual` or `Desired`.
        class: Class,
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
    /// A scan of a scope ended well.
    Completion {
        source: String,
        scope: String,
        /// `Actual` or `Desired`.
        class: Class,
        began: UnixNanos,
        /// The state in which each uid was seen.
        members: BTreeMap<String, u64>,
        /// What it means that a uid is no member.
        miss: Removal,
    },
}

/// Whether a uid exists at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Existence {
    /// No scan and no event reported it.
    Unknown,
    Exists,
    /// It was deleted.
    Ended(UnixNanos),
    /// Every source that saw it stopped looking there.
    Unobserved(UnixNanos),
}

/// Whether `scope` is strictly below `above`: scopes are paths.
pub fn is_below(scope: &str, above: &str) -> bool {
    scope
        .strip_prefix(above)
        .is_some_and(|rest| rest.starts_with('/'))
}
