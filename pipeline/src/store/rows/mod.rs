//! The rows that a graph store keeps, and the traits of a backend that keeps them.
//!
//! A backend reads, writes and pages rows. [`Store`](super::Store) holds all other logic. Texts with few distinct
//! values (sources, scopes, kinds …) are interned: a row holds the number of the text, a [`Word`]. A [`NodeId`] is the
//! number of a node; numbers grow in the order in which nodes are first written.
//!
//! ```text
//!  Store ──▶ Backend ──▶ ReadRows, WriteRows, LeaseRows    backend.rs: the traits
//!                            ▲                ▲
//!         filters, page limits: query.rs      rows and their keys: row.rs
//! ```

mod backend;
mod query;
mod row;

pub use backend::{Backend, LeaseRows, ReadRows, RowsError, WriteRows};
pub use query::{
    EdgePage, NodeRowFilter, Projection, RecordQuery, RecordTime, StatsEdge, StatsResolution,
    StoreSize, TextCondition, TextHits, TextMatch,
};
pub use row::{
    AliasKey, AliasRow, ClaimKey, ClaimRow, CountRow, EdgeKey, EdgeRow, EdgeStatsRow, LeaseRow,
    Listing, NO_WORD, NodeId, NodeRow, RESERVED_CHARS, RecordRow, ScanRow, ScopeKey, ScopeRow,
    SnapshotKey, SnapshotKind, TextField, TextRow, VersionContent, VersionKey, VersionRow, Word,
    stored_text,
};
