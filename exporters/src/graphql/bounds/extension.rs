//! The limits that apply inside the schema: complexity after validation, and time during execution.
//!
//! Also suggests a known name for an unknown field or argument. The suggestions of async-graphql are disabled, since
//! they compare every unknown field of a query with every known field, which takes 150 ms for a query of 64 KiB.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation,
};
use async_graphql::registry::Registry;
use async_graphql::{Response, ServerError, ValidationResult, async_trait};
use pipeline::config::nearest;
use tokio::time::{Instant, timeout_at};

use super::limits::{bound, timed_out};

/// The maximum number of validation errors in a response: a query may have one for each token.
const ERRORS: usize = 20;

/// The time by which a query must have its response: `query_timeout` after its arrival. Subscriptions have no deadline.
#[derive(Clone, Copy)]
pub(super) struct Deadline(pub(super) Instant);

/// The extension of async-graphql that enforces these limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExecutionLimits {
    pub(super) max_complexity: usize,
    /// The timeout of requests without a [`Deadline`], that is of each response of a subscription.
    pub(super) query_timeout: Duration,
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

/// Appends the nearest known name to the error of an unknown field or argument, or all known names if none is near.
fn suggest(error: &mut ServerError, registry: &Registry) {
    let Some((written, known)) = unknown_name(&error.message, registry) else {
        return;
    };
    error.message += &match nearest(&written, known.iter().copied()) {
        Some(name) => format!(" Did you mean \"{name}\"?"),
        None if known.is_empty() => " It has none.".to_owned(),
        None => format!(" It has {}.", known.join(", ")),
    };
}

/// The unknown name in an error message, and the known names in its place. Parses `Unknown field "x" on type "T".` and
/// `Unknown argument "x" on field "f" of type "T".`
fn unknown_name<'r>(message: &str, registry: &'r Registry) -> Option<(String, Vec<&'r str>)> {
    let quoted: Vec<&str> = message.split('"').skip(1).step_by(2).collect();
    let (written, known) = match (message.split(' ').nth(1)?, quoted.as_slice()) {
        ("field", [field, type_name]) => {
            let fields = registry.types.get(*type_name)?.fields()?;
            (field, fields.keys().map(String::as_str).collect())
        }
        ("argument", [argument, field, type_name]) => {
            let field = registry.types.get(*type_name)?.field_by_name(field)?;
            (argument, field.args.keys().map(String::as_str).collect())
        }
        _ => return None,
    };
    Some(((*written).to_owned(), known))
}
