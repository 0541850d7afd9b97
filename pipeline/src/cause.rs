//! Causes of errors.

use std::fmt;

/// The cause of an error. The error that contains it states what failed on what.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Formats an error with all its causes on one line.
pub struct ErrorChain<'a>(pub &'a (dyn std::error::Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
