//! Access of resolvers to the store, and its errors.

use std::sync::Arc;

use async_graphql::{Context, Error};
use pipeline::component::ErrorChain;
use pipeline::graph_store::{GraphStore, StoreError};

/// The store, as context data of the schema.
pub(super) type Store = Arc<dyn GraphStore>;

/// The store from the context data.
pub(super) fn store<'c>(context: &Context<'c>) -> &'c dyn GraphStore {
    context.data_unchecked::<Store>().as_ref()
}

/// Logs a store error with its cause, and returns the error for the client. The returned error names only the failed
/// action, since the cause may name internals. A read before the retention horizon is a mistake of the client: the
/// returned error has the whole reason, and nothing is logged.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(super) fn store_error(error: StoreError) -> Error {
    if let Some(reason) = error.too_old() {
        return Error::new(reason.to_string());
    }
    tracing::error!(error = %ErrorChain(&error), "query failed");
    Error::new(format!("the store could not {error}"))
}
