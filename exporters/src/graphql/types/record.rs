//! `Record`: changes, drift, health, correlations and alerts.

use async_graphql::{Enum, InputObject, Json, Object};
use pipeline::Signal;
use pipeline::component::UnixNanos;
use pipeline::graph_store;
use serde_json::{Map as JsonMap, Value};

use crate::graphql::time::DateTime;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(in crate::graphql) enum RecordKind {
    /// An actor did something to a resource.
    Change,
    /// A resource differs from its declared configuration.
    Drift,
    /// The health of a node in a time range.
    Health,
    /// Two events that happened close to each other.
    Correlation,
    /// An alert of a monitoring system.
    Alert,
}

impl RecordKind {
    const ALL: [(RecordKind, Signal); 5] = [
        (RecordKind::Change, Signal::Changes),
        (RecordKind::Drift, Signal::Drift),
        (RecordKind::Health, Signal::Health),
        (RecordKind::Correlation, Signal::Correlations),
        (RecordKind::Alert, Signal::Alerts),
    ];

    fn signal(self) -> Signal {
        let pair = RecordKind::ALL.into_iter().find(|(kind, _)| *kind == self);
        pair.map_or(Signal::Changes, |(_, signal)| signal)
    }

    pub(in crate::graphql) fn of(signal: Signal) -> RecordKind {
        let pair = RecordKind::ALL
            .into_iter()
            .find(|(_, candidate)| *candidate == signal);
        pair.map_or(RecordKind::Change, |(kind, _)| kind)
    }
}

/// Selects records that match all given fields.
#[derive(Default, InputObject)]
pub(in crate::graphql) struct RecordFilter {
    /// Any of these kinds.
    kinds: Option<Vec<RecordKind>>,
    /// Records that refer to any of these uids or aliases.
    pub(in crate::graphql) of: Option<Vec<String>>,
    statuses: Option<Vec<String>>,
    severities: Option<Vec<String>>,
    /// Records that were opened at this time or later.
    from: Option<DateTime>,
    /// Records that were opened before this time.
    to: Option<DateTime>,
    /// True: only unresolved records, which includes all changes. False: only resolved records.
    open: Option<bool>,
}

impl RecordFilter {
    /// `uids` are the resolved names of `of`.
    pub(in crate::graphql) fn with_uids(self, uids: Vec<String>) -> graph_store::RecordFilter {
        let kinds = self.kinds.unwrap_or_default().into_iter();
        let opened = match (self.from, self.to) {
            (None, None) => None,
            (from, to) => {
                let from = from.map_or(UnixNanos(0), |DateTime(from)| from);
                let to = to.map_or(UnixNanos(u64::MAX), |DateTime(to)| to);
                Some(from..to)
            }
        };
        graph_store::RecordFilter {
            signals: kinds.map(RecordKind::signal).collect(),
            uids,
            statuses: self.statuses.unwrap_or_default(),
            severities: self.severities.unwrap_or_default(),
            opened,
            is_open: self.open,
        }
    }
}

/// One episode of a change, drift, health state, correlation or alert. An alert that fires again is another record.
pub(in crate::graphql) struct Record(pub(in crate::graphql) graph_store::Record);

#[Object]
impl Record {
    async fn kind(&self) -> RecordKind {
        RecordKind::of(self.0.signal)
    }

    async fn id(&self) -> &str {
        &self.0.id
    }

    /// When the episode was opened.
    async fn opened(&self) -> DateTime {
        DateTime(self.0.opened)
    }

    /// When the record was last reported.
    async fn time(&self) -> DateTime {
        DateTime(self.0.time)
    }

    /// When the episode was resolved; null while it is open, and for changes.
    async fn resolved(&self) -> Option<DateTime> {
        self.0.resolved.map(DateTime)
    }

    /// The source that reported the record.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// The uid of the node that the record is about.
    async fn uid(&self) -> Option<&str> {
        self.0.uid.as_deref()
    }

    /// All uids that the record refers to.
    async fn names(&self) -> &[String] {
        &self.0.names
    }

    async fn status(&self) -> Option<&str> {
        self.0.status.as_deref()
    }

    async fn severity(&self) -> Option<&str> {
        self.0.severity.as_deref()
    }

    /// All columns of the newest row of the record.
    async fn details(&self) -> Json<&JsonMap<String, Value>> {
        Json(&self.0.columns)
    }

    /// The impact of the record: `{count, depth, top, truncated}`; null if it was not computed.
    async fn impact(&self) -> Option<Json<&Value>> {
        self.0.impact.as_ref().map(Json)
    }
}
