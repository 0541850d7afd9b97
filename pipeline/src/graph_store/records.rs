//! Records: changes, drift, health, correlations, alerts.

use std::ops::Range;

use serde_json::{Map as JsonMap, Value as Json};

use crate::Signal;
use crate::unix_nanos::UnixNanos;

/// The filter of a list of records. An empty or missing field does not restrict the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    pub signals: Vec<Signal>,
    /// A record must name one of these uids. Uids that were merged into them are not included.
    pub uids: Vec<String>,
    /// `open`, `firing`, `failing` …
    pub statuses: Vec<String>,
    pub severities: Vec<String>,
    /// The range of the start of the episode.
    pub opened: Option<Range<UnixNanos>>,
    /// True for records that are not resolved, false for resolved ones. A change is never resolved.
    pub is_open: Option<bool>,
}

/// One episode of a record. An alert that fires again is another episode.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub signal: Signal,
    pub id: String,
    /// The start of the episode.
    pub opened: UnixNanos,
    /// The time of its newest row.
    pub time: UnixNanos,
    pub source: String,
    /// The uid that the record is about.
    pub uid: Option<String>,
    /// Every uid and actor that the record names, `uid` included.
    pub names: Vec<String>,
    pub status: Option<String>,
    pub severity: Option<String>,
    pub resolved: Option<UnixNanos>,
    /// All columns of its newest row, without the impact.
    pub columns: JsonMap<String, Json>,
    /// The impact, from the newest row that has one.
    pub impact: Option<Json>,
}

/// A page of records, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordsPage {
    pub records: Vec<Record>,
    /// The cursor after which the next page starts; `None` on the last page.
    pub last: Option<String>,
}
