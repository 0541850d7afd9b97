//! Why something failed.

use std::fmt;

/// A cause that is passed up; what failed on what is said by the error that holds it.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error with all its causes on one line.
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
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
