//! Resources that a scan, a watch or a state file reports, and their rows in the signal `resources`.
//!
//! ```text
//!  a page of an API ──▶ Resource ──ScanContext::push_observed──▶ Rows ──▶ Batch ──ResourceRow::all──▶ `graph`
//! ```

mod model;
mod row;
mod scan;

pub use model::{Resource, ResourceAlias, ResourceRelation};
pub use row::{AliasCell, RelationCell, ResourceRow, StructItems};
pub use scan::ScanContext;

#[cfg(test)]
mod tests;
