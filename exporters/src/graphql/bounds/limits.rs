//! The limits of a query, and the errors for exceeding them.

use std::time::Duration;

use async_graphql::{Response, ServerError};

/// Bytes of the text.
pub(super) const BYTES: u64 = 64 << 10;

/// Tokens of the text: names, numbers, strings, punctuation.
pub(super) const TOKENS: u64 = 5_000;

/// Bytes of a name or a number.
pub(super) const WORD: u64 = 128;

/// Brackets that are open at the same time. The parser recurses at each.
pub(super) const BRACKETS: u64 = 64;

/// Levels of nested selection sets, with fragments expanded. Validation recurses at each.
pub(super) const NESTING: u64 = 32;

/// Fields, spreads and inline fragments of all operations, with fragments expanded.
pub(super) const SELECTIONS: u64 = 10_000;

/// Fragment spreads of all operations, with fragments expanded.
pub(super) const SPREADS: u64 = 1_000;

/// Directives of all operations, with fragments expanded.
pub(super) const DIRECTIVES: u64 = 1_000;

/// Aliases of all operations, with fragments expanded.
pub(super) const ALIASES: u64 = 1_000;

/// Values in arguments, with fragments expanded and variables substituted, in units of `values::size`.
pub(super) const VALUES: u64 = 20_000;

/// Arguments of one field or directive. Validation compares every pair.
pub(super) const ARGUMENTS: u64 = 32;

/// Variables of one operation. Validation searches their list at each use.
pub(super) const VARIABLES: u64 = 100;

/// Comparisons by which validation checks that fields with the same response name do not conflict.
pub(super) const COMPARISONS: u64 = 20_000;

/// Fields in the response to an introspection, computed with mean lengths of lists. The query of GraphiQL has 20,000.
pub(super) const INTROSPECTED: u64 = 50_000;

/// Why a query is rejected before validation.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejection {
    /// `what` is a plural noun, followed by the configuration key if there is one for the limit.
    #[error("the query has {count} {what}; the limit is {limit}")]
    TooMany {
        what: &'static str,
        count: u64,
        limit: u64,
    },
    #[error("the fragment {0} spreads itself")]
    Cycle(String),
    #[error("the string at byte {0} of the query is not closed")]
    OpenString(usize),
}

/// Checks one count.
///
/// # Errors
/// If `count` exceeds the limit.
pub(super) fn bound(what: &'static str, count: u64, limit: u64) -> Result<(), Rejection> {
    match count > limit {
        true => Err(Rejection::TooMany { what, count, limit }),
        false => Ok(()),
    }
}

/// A response with one error.
pub(super) fn error_response(message: impl Into<String>) -> Response {
    Response::from_errors(vec![ServerError::new(message, None)])
}

/// The response to a query that exceeds `query_timeout`.
pub(super) fn timed_out(query_timeout: Duration) -> Response {
    error_response(format!(
        "the query took longer than {}: request less, or raise query_timeout",
        humantime::format_duration(query_timeout)
    ))
}
