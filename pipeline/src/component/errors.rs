//! The errors of components.

use std::time::Duration;

use crate::error_cause::Cause;

/// The configuration is valid, but the component cannot be built from it.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct BuildError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The component cannot start. `reason` says what failed and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct StartError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The running component failed and cannot continue.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct RunError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The processor rejects the batch permanently.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ProcessError {
    pub reason: String,
    pub source: Option<Cause>,
}

/// The batch was not exported. `reason` says what failed on what. It contains no secret, since the sender reads it.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Another attempt may succeed. `after` is the wait before it, if the destination requests one.
    #[error("{reason}")]
    Retryable {
        reason: String,
        after: Option<Duration>,
        source: Option<Cause>,
    },
    /// The destination rejects this batch permanently.
    #[error("{reason}")]
    Permanent {
        reason: String,
        source: Option<Cause>,
    },
}

impl ExportError {
    /// A retryable error; the destination requests no wait.
    pub fn retryable(reason: impl Into<String>, source: impl Into<Cause>) -> ExportError {
        ExportError::Retryable {
            reason: reason.into(),
            after: None,
            source: Some(source.into()),
        }
    }

    /// A permanent error.
    pub fn permanent(reason: impl Into<String>, source: impl Into<Cause>) -> ExportError {
        ExportError::Permanent {
            reason: reason.into(),
            source: Some(source.into()),
        }
    }
}

macro_rules! reason_and_source {
    ($($error:ident),+) => { $(
        impl $error {
            /// An error without a cause.
            pub fn new(reason: impl Into<String>) -> $error {
                $error { reason: reason.into(), source: None }
            }

            /// An error with its cause, which `reason` does not repeat.
            pub fn because(reason: impl Into<String>, source: impl Into<Cause>) -> $error {
                $error { reason: reason.into(), source: Some(source.into()) }
            }
        }
    )+ };
}
reason_and_source!(BuildError, StartError, RunError, ProcessError);
