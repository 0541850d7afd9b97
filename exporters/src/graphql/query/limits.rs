//! Checks page sizes, and computes the complexity of fields.
//!
//! The unit of complexity is one field of a response, which takes about a microsecond.

use async_graphql::{Error, Result};

/// The maximum number of items of one page.
const MAX_PAGE: i32 = 500;

/// The complexity of a read by name, by filter or by text.
pub(super) const READ_COST: usize = 1000;

/// Checks `first`, the requested number of items.
///
/// # Errors
/// If it is negative or larger than [`MAX_PAGE`].
pub(super) fn page_size(first: i32) -> Result<usize> {
    page_size_up_to(first, MAX_PAGE as usize)
}

/// Checks `first` against the limit `max`.
///
/// # Errors
/// If it is negative or larger than `max`.
pub(super) fn page_size_up_to(first: i32, max: usize) -> Result<usize> {
    match usize::try_from(first) {
        Ok(first) if first <= max => Ok(first),
        Ok(_) => Err(Error::new(format!(
            "first must be at most {max}, not {first}"
        ))),
        Err(_) => Err(Error::new(format!("first must not be negative: {first}"))),
    }
}

/// The complexity of a walk over edges with `depth` steps.
pub(super) fn walk_cost(depth: i32) -> usize {
    READ_COST * usize::try_from(depth.clamp(1, 10)).unwrap_or(1)
}

/// The complexity of a page of `first` items with their selected fields.
pub(super) fn page_cost(first: i32, child_complexity: usize) -> usize {
    usize::try_from(first).unwrap_or(0) * child_complexity
}
