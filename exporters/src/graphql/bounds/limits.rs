//! How much a query may have.

use std::time::Duration;

use async_graphql::{Response, ServerError};

/// Bytes of the text.
pub(super) const BYTES: u64 = 64 << 10;

/// Tokens of the text: names, numbers, strings, punctuation.
pub(super) const TOKENS: u64 = 5_000;

/// Bytes of a name or a number.
pub(super) const WORD: u64 = 128;

/// Brackets that are open at once. The parser recurses at each.
pub(super) const BRACKETS: u64 = 64;

/// Selection sets inside each other, with fragments expanded. Validation recurses at each.
pub(super) const NESTING: u64 = 32;

/// Fields, spreads and inline fragments of all operations, with fragments expanded.
pub(super) const SELECTIONS: u64 = 10_000;

/// Fragment spreads among them.
pub(super) const SPREADS: u64 = 1_000;

/// Directives, likewise.
pub(super) const DIRECTIVES: u64 = 1_000;

/// Aliases, likewise.
pub(super) const ALIASES: u64 = 1_000;

/// Values in arguments, with fragments expanded and variables substituted, in units of `values::size`.
pub(super) const VALUES: u64 = 20_000;

/// Arguments of one field or directive. Validation compares each with each.
pub(super) const ARGUMENTS: u64 = 32;

/// Variables of one operation. Validation looks each use up in their list.
pub(super) const VARIABLES: u64 = 100;

/// Fields and arguments that validation compares, so that no two of one name differ.
pub(super) const COMPARISONS: u64 = 20_000;

/// Fields in the response to an introspection, with the mean lengths of its lists. GraphiQL's query has 20,000.
pub(super) const INTROSPECTED: u64 = 50_000;

/// Why a query is not validated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejection {
    /// `what` is a plural, and names the key of the configuration where one sets the limit.
    #[error("the query has {found} {what}; the limit is {limit}")]
    TooMany {
        what: &'static str,
        found: u64,
        limit: u64,
    },
    #[error("the fragment {0} spreads itself")]
    Cycle(String),
    #[error("the string that begins at byte {0} of the query does not end")]
    OpenString(usize),
}

/// # Errors
/// When there are more than the limit.
pub(super) fn bound(what: &'static str, found: u64, limit: u64) -> Result<(), Rejection> {
    match found > limit {
        true => Err(Rejection::TooMany { what, found, limit }),
        false => Ok(()),
    }
}

/// A response that consists of one error.
pub(super) fn error_response(message: impl Into<String>) -> Response {
    Response::from_errors(vec![ServerError::new(message, None)])
}

/// The response to a query that takes too long.
pub(super) fn timed_out(query_timeout: Duration) -> Response {
    error_response(format!(
        "the query took longer than {}: ask for less, or set query_timeout",
        humantime::format_duration(query_timeout)
    ))
}
