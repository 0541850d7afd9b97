//! Converts the rows of a batch into reports, the input of the rules in [`claims`](crate::claims). The store, the
//! impact graph and the alias index use the same reports.
//!
//! ```text
//!  Batch ──ReportBatch::from_batch──▶ sightings, removals, completions, snapshots … ──▶ store, impact, alias index
//! ```

mod batch;
mod conversion;
mod direct;
mod edges;
mod nodes;
mod records;
mod report;
mod resources;
pub(crate) mod row;

pub use batch::{RejectedRows, ReportBatch};
pub use direct::DirectReport;
pub use report::{
    AliasItem, AliasObservation, DeleteEvent, EdgeItem, EdgeObservation, EdgeStatsReport,
    NodeContent, RecordReport, RemovalReport, ScanCompletion, Sighting, SnapshotItems,
    SnapshotReport,
};
