//! The reports of a batch.

use std::time::Duration;

use super::report::{
    AliasObservation, DeleteEvent, EdgeObservation, EdgeStatsReport, RecordReport, RemovalReport,
    ScanCompletion, Sighting, SnapshotReport,
};
use crate::unix_nanos::UnixNanos;

/// The reports of a batch, or of several batches ([`ReportBatch::append`]). They borrow from the batches.
#[derive(Clone, Debug, Default)]
pub struct ReportBatch<'a> {
    pub sightings: Vec<Sighting<'a>>,
    pub removals: Vec<RemovalReport<'a>>,
    pub delete_events: Vec<DeleteEvent<'a>>,
    pub completions: Vec<ScanCompletion<'a>>,
    pub snapshots: Vec<SnapshotReport<'a>>,
    pub edges: Vec<EdgeObservation<'a>>,
    pub aliases: Vec<AliasObservation<'a>>,
    pub edge_stats: Vec<EdgeStatsReport<'a>>,
    pub records: Vec<RecordReport<'a>>,
    /// The numbers of rows that were rejected.
    pub rejected: RejectedRows,
    /// The clock time of the arrival; `None` if it is unknown.
    pub now: Option<UnixNanos>,
}

/// The numbers of rejected rows, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectedRows {
    pub without_uid: usize,
    /// The fact group of the row is unknown.
    pub unknown_group: usize,
    /// A uid or an alias is longer than [`ReportBatch::MAX_NAME_BYTES`].
    pub too_long: usize,
    /// The time is more than [`ReportBatch::MAX_CLOCK_SKEW`] ahead of the clock.
    pub from_the_future: usize,
}

impl<'a> ReportBatch<'a> {
    /// The maximum number of bytes of a uid or of the value of an alias. The index of every store can hold such a text.
    pub const MAX_NAME_BYTES: usize = 2048;

    /// How far a time may be ahead of the clock. The rules compare times, so a row with a time in the year 2099 would
    /// have an effect until that year.
    pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

    /// Appends the reports of another batch, without its numbers of rejected rows.
    pub fn append(&mut self, mut other: ReportBatch<'a>) {
        self.sightings.append(&mut other.sightings);
        self.removals.append(&mut other.removals);
        self.delete_events.append(&mut other.delete_events);
        self.completions.append(&mut other.completions);
        self.snapshots.append(&mut other.snapshots);
        self.edges.append(&mut other.edges);
        self.aliases.append(&mut other.aliases);
        self.edge_stats.append(&mut other.edge_stats);
        self.records.append(&mut other.records);
    }

    /// Whether a uid or the value of an alias is short enough. If not, counts a rejected row.
    pub(super) fn accepts_name(&mut self, text: &str) -> bool {
        let is_accepted = text.len() <= ReportBatch::MAX_NAME_BYTES;
        self.rejected.too_long += usize::from(!is_accepted);
        is_accepted
    }

    /// Whether a time is at most [`ReportBatch::MAX_CLOCK_SKEW`] ahead of the clock. If not, counts a rejected row.
    pub(super) fn accepts_time(&mut self, time: UnixNanos, now: UnixNanos) -> bool {
        let is_accepted = time <= now + ReportBatch::MAX_CLOCK_SKEW;
        self.rejected.from_the_future += usize::from(!is_accepted);
        is_accepted
    }
}

impl RejectedRows {
    /// The number of rejected rows.
    pub fn total(&self) -> usize {
        self.without_uid + self.unknown_group + self.too_long + self.from_the_future
    }

    /// The reasons, for a sender: `3 rows without a uid, 1 row more than 5 minutes ahead of the clock`.
    pub fn reason(&self) -> String {
        let parts = [
            (self.without_uid, "without a uid"),
            (self.unknown_group, "of an unknown group"),
            (
                self.too_long,
                "with a uid or a name of more than 2048 bytes",
            ),
            (
                self.from_the_future,
                "more than 5 minutes ahead of the clock",
            ),
        ];
        let parts = parts.iter().filter(|(rows, _)| *rows > 0);
        let parts = parts.map(|(rows, reason)| match rows {
            1 => format!("1 row {reason}"),
            rows => format!("{rows} rows {reason}"),
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}
