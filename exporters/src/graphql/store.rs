//! The store that is asked.

use std::sync::Arc;

use async_graphql::{Context, Error};
use pipeline::component::Chain;
use pipeline::graph_store::{GraphStore, StoreError};

/// As data of the schema.
pub(super) type Store = Arc<dyn GraphStore>;

/// The store that the schema is about.
pub(super) fn store<'c>(context: &Context<'c>) -> &'c dyn GraphStore {
    context.data_unchecked::<Store>().as_ref()
}

/// What failed is told, why is logged: it may name what a client need not know.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(super) fn unanswered(error: StoreError) -> Error {
    if let Some(reason) = error.too_old() {
        return Error::new(reason.to_string());
    }
    tracing::error!(error = %Chain(&error), "a query could not be answered");
    Error::new(format!("the store could not {error}"))
}
