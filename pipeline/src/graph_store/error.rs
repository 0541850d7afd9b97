//! Errors of a graph store.

use std::error::Error as _;
use std::time::{Duration, UNIX_EPOCH};

use crate::error_cause::Cause;
use crate::unix_nanos::UnixNanos;

/// A query failed.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub struct StoreError {
    /// What the store tried to do: `read 20 nodes`.
    pub action: String,
    pub source: Option<Cause>,
}

impl StoreError {
    /// A query that failed for a cause.
    pub fn new(action: impl Into<String>, source: impl Into<Cause>) -> StoreError {
        StoreError {
            action: action.into(),
            source: Some(source.into()),
        }
    }

    /// The error [`TooOld`] among the causes. It is an error of the caller, not of the store.
    pub fn too_old(&self) -> Option<&TooOld> {
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(too_old) = error.downcast_ref() {
                return Some(too_old);
            }
            cause = error.source();
        }
        None
    }
}

/// The query is about a moment for which the store no longer keeps the whole history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is too long ago: the store keeps history from {} on (see its setting `retention.history`)",
    rfc3339(*.asked),
    rfc3339(*.oldest)
)]
pub struct TooOld {
    /// The moment of the query.
    pub asked: UnixNanos,
    /// The oldest moment that queries may be about.
    pub oldest: UnixNanos,
}

fn rfc3339(time: UnixNanos) -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_nanos(time.0))
}
