//! How many items a page may have.

use async_graphql::{Error, Result};

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
