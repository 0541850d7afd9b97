//! The root type of queries: its fields, their page sizes and their complexity.

use async_graphql::connection::CursorType;
use async_graphql::{Error, MergedObject, Result};

mod history_queries;
mod limits;
mod node_queries;
mod walk_queries;

use history_queries::HistoryQueries;
use node_queries::NodeQueries;
use walk_queries::WalkQueries;

#[derive(MergedObject, Default)]
pub(super) struct Query(NodeQueries, WalkQueries, HistoryQueries);

/// Decodes the cursor `after`.
///
/// # Errors
/// If it is not a cursor of this kind.
fn decode<C: CursorType>(cursor: &str) -> Result<C> {
    C::decode_cursor(cursor).map_err(|_| {
        Error::new(format!(
            "after is not a valid cursor: {cursor:?}; use endCursor of the previous page"
        ))
    })
}
