//! The rows that a graph store keeps, and the functions of a backend that keeps them.
//!
//! All logic is above ([`super::Store`]): a backend finds, writes and pages rows, nothing else.
//! Texts of which there are few (sources, scopes, kinds …) are numbers, [`Word`]s; nodes are
//! numbers, [`NodeId`]s, which grow in the order in which nodes were first written.

mod aging;
mod backend;
mod lease;
mod row;

pub use super::texts::{RESERVED, kept};
pub use aging::{RecordPage, RecordTime, Resolution, Sizes, StatsEdge};
pub use backend::{Backend, ReadRows, RowsError, WriteRows};
pub use lease::{LeaseRow, LeaseRows};
pub use row::{
    AliasKey, AliasRow, ClaimKey, ClaimRow, Content, CountRow, EdgeKey, EdgePage, EdgeRow,
    EdgeStatsRow, FoundTexts, Listing, NO_WORD, NodeId, NodeRow, Part, Projection, RecordRow,
    RowFilter, ScanRow, ScopeKey, ScopeRow, SnapshotKey, TextField, TextMatch, TextRow, VersionKey,
    VersionRow, WantedText, Word,
};
