//! Claims, scanned resources and leases of scopes.

use crate::claims::{ClaimClass, IntervalEnd};
use crate::unix_nanos::UnixNanos;

/// What one source reports about a uid in one scope: the last interval of the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimInfo {
    pub class: ClaimClass,
    pub source: String,
    /// `None` if the reports belong to no scope.
    pub scope: Option<String>,
    pub since: UnixNanos,
    /// The end of the claim; `None` while it is open.
    pub until: Option<(UnixNanos, IntervalEnd)>,
    /// Identifies the value; 0 if it is unknown.
    pub state: u64,
    /// The time of the last report or scan that confirmed the claim.
    pub last_seen: UnixNanos,
}

/// A resource that a scan saw, and that no later scan missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedUid {
    pub uid: String,
    /// The scope of the scan that saw it last.
    pub scope: String,
    /// Its last reported [`state`](crate::resource::Resource::state).
    pub state: u64,
}

/// A page of the scanned resources of a source, in a stable order. A uid occurs once in all pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScannedPage {
    pub scanned: Vec<ScannedUid>,
    /// The cursor after which the next page starts; `None` on the last page.
    pub last: Option<String>,
}

/// The lease of a scope: the process that may scan it, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The id of the process.
    pub holder: String,
    pub until: UnixNanos,
}
