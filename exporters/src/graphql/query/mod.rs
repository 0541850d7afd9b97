//! The root type of queries.

use async_graphql::connection::CursorType;
use async_graphql::{Error, MergedObject, Result};

mod cost;
mod nodes;
mod past;
mod walks;

#[derive(MergedObject, Default)]
pub(super) struct Query(nodes::Nodes, walks::Walks, past::Past);

fn decode<C: CursorType>(cursor: &str) -> Result<C> {
    C::decode_cursor(cursor).map_err(|_| {
        Error::new(format!(
            "after is not a valid cursor: {cursor:?}; use endCursor of the previous page"
        ))
    })
}
