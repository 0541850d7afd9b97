//! Records: changes, drift, health, correlations, alerts.

use std::ops::Range;

use serde_json::{Map as JsonMap, Value as Json};

use crate::Signal;
use crate::unix_nanos::UnixNanos;

/// Which records a list is of; an empty or missing field does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    pub signals: Vec<Signal>,
    /// Those that name any of these very uids.
    pub uids: Vec<String>,
    /// `open`, `firing`, `failing` …
    pub statuses: Vec<String>,
    pub severities: Vec<String>,
    /// When the episode began.
    pub opened: Option<Range<UnixNanos>>,
    /// Whether it is not resolved. A change, which nothing resolves, is open.
    pub is_open: Option<bool>,
}

/// One episode: an alert that fires again is another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub signal: Signal,
    pub id: String,
    pub opened: UnixNanos,
    /// When its newest row was reported.
    pub time: UnixNanos,
    pub source: String,
    pub uid: Option<String>,
    /// Every uid that it names, `uid` among them.
    pub names: Vec<String>,
    pub status: Option<String>,
    pub severity: Option<String>,
    pub resolved: Option<UnixNanos>,
    /// All columns of its newest row but the impact.
    pub columns: JsonMap<String, Json>,
    /// What it touches, from the newest row that said so.
    pub impact: Option<Json>,
}

/// Some of them, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordsPage {
    pub records: Vec<Record>,
    /// What to go on after; none at the end.
    pub last: Option<String>,
}
