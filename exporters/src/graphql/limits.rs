//! Limits of page sizes.

use async_graphql::{Error, Result};

/// The most items of one page.
pub(super) const MAX_PAGE: i32 = 500;

/// Checks `first`, the requested number of items.
///
/// # Errors
/// If it is negative or larger than [`MAX_PAGE`].
pub(super) fn page(first: i32) -> Result<usize> {
    page_of(first, MAX_PAGE as usize)
}

/// Checks `first` against another limit.
///
/// # Errors
/// If it is negative or larger than `max`.
pub(super) fn page_of(first: i32, max: usize) -> Result<usize> {
    match usize::try_from(first) {
        Ok(first) if first <= max => Ok(first),
        Ok(_) => Err(Error::new(format!(
            "first must be at most {max}, not {first}"
        ))),
        Err(_) => Err(Error::new(format!("first must not be negative: {first}"))),
    }
}
