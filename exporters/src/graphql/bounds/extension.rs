//! The limits that apply inside the schema: complexity after validation, and time during execution.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation,
};
use async_graphql::{Response, ServerError, ValidationResult, async_trait};
use tokio::time::{Instant, timeout_at};

use super::limits::{bound, timed_out};
use super::suggestions::suggest;

/// The most errors of validation that are returned: a query may have one for each token.
const ERRORS: usize = 20;

/// The time by which a query must have its response: `query_timeout` after its arrival. Subscriptions have none.
#[derive(Clone, Copy)]
pub(super) struct Deadline(pub(super) Instant);

#[derive(Clone, Copy, Debug)]
pub(crate) struct ExecutionLimits {
    pub(crate) max_complexity: usize,
    /// Applies to requests without a [`Deadline`]: to each response of a subscription.
    pub(crate) query_timeout: Duration,
}

impl ExtensionFactory for ExecutionLimits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait::async_trait]
impl Extension for ExecutionLimits {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let valid = next.run(context).await.map_err(|errors| {
            let mut errors = first_errors(errors);
            for error in &mut errors {
                suggest(error, &context.schema_env.registry);
            }
            errors
        })?;
        let what = "fields in its response, with full pages and 1000 for each read of the store (max_complexity)";
        bound(what, valid.complexity as u64, self.max_complexity as u64)
            .map_err(|error| vec![ServerError::new(error.to_string(), None)])?;
        Ok(valid)
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let deadline = context.data_opt::<Deadline>().map(|deadline| deadline.0);
        let deadline = deadline.unwrap_or_else(|| Instant::now() + self.query_timeout);
        let response = next.run(context, operation_name);
        timeout_at(deadline, response)
            .await
            .unwrap_or_else(|_| timed_out(self.query_timeout))
    }
}

fn first_errors(mut errors: Vec<ServerError>) -> Vec<ServerError> {
    let more = errors.len().saturating_sub(ERRORS);
    errors.truncate(ERRORS);
    if more > 0 {
        let message = format!("{more} more errors are not shown");
        errors.push(ServerError::new(message, None));
    }
    errors
}
