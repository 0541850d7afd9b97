//! A query may take only so long, and a page only so much.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::{Error, Response, Result, ServerError, async_trait};

/// Items of one page.
pub(super) const MOST: i32 = 500;

/// How many items were asked for.
///
/// # Errors
/// When these are too many, or fewer than none.
pub(super) fn page(first: i32) -> Result<usize> {
    page_of(first, MOST as usize)
}

/// Likewise, of another largest page.
///
/// # Errors
/// When these are too many, or fewer than none.
pub(super) fn page_of(first: i32, most: usize) -> Result<usize> {
    match usize::try_from(first) {
        Ok(first) if first <= most => Ok(first),
        Ok(_) => Err(Error::new(format!(
            "first may be {most} at most, not {first}"
        ))),
        Err(_) => Err(Error::new(format!("first may not be negative: {first}"))),
    }
}

/// Ends a query that takes too long; of a subscription, each answer.
pub(super) struct QueryTimeout(pub(super) Duration);

impl ExtensionFactory for QueryTimeout {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(QueryTimeout(self.0))
    }
}

#[async_trait::async_trait]
impl Extension for QueryTimeout {
    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let answer = next.run(context, operation_name);
        tokio::time::timeout(self.0, answer)
            .await
            .unwrap_or_else(|_| {
                let message = format!(
                    "the query took longer than {}: ask for less, or set query_timeout",
                    humantime::format_duration(self.0)
                );
                Response::from_errors(vec![ServerError::new(message, None)])
            })
    }
}
