//! The interface of a graph store: the queries that it answers, and the types of their results.
//!
//! Each query is about a moment ([`AsOf`]). A query takes a set of uids, so a page of nodes with their neighbours takes
//! a few queries and not one for each node. Queries resolve `same_as` aliases, except for [`GraphStore::list`], which
//! returns the nodes as their sources reported them.
//!
//! ```text
//!  GraphStore ──▶ Node, Edge, GraphAlias …   queries about a moment
//!             ──▶ NodeOutline, ClaimInfo …   what a processor loads to keep the graph in memory
//!             ──▶ Commit                     a stream of what each commit changed
//! ```

mod alias;
mod claim;
mod commit;
mod edge;
mod error;
mod histogram;
mod neighborhood;
mod node;
mod outline;
mod records;
mod search;
mod store;

pub use alias::{AliasesPage, GraphAlias, KnownAlias};
pub use claim::{ClaimInfo, Lease, ScannedPage, ScannedUid};
pub use commit::{Commit, NewRecord};
pub use edge::{Direction, Directions, Edge, EdgeStats};
pub use error::{StoreError, TooOld};
pub use histogram::Histogram;
pub use neighborhood::{Neighbor, Neighborhood, NeighborhoodQuery};
pub use node::{Fact, KindCount, Node, NodeFilter, TagFilter, TimelineEntry};
pub use outline::{NodeOutline, Outlines, OutlinesPage};
pub use records::{Record, RecordFilter, RecordsPage};
pub use search::{MatchRank, MatchedField, SearchHit, SearchQuery, SearchResult};
pub use store::{GraphStore, outlines_by_parts};

pub use crate::unix_nanos::AsOf;
