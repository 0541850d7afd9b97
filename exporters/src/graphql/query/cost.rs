//! The complexity of reads of the store, in fields of a response. One field takes about a microsecond.

/// A read by name, by filter or by text.
pub(super) const READ: usize = 1000;

/// A walk over edges with `depth` steps.
pub(super) fn walk(depth: i32) -> usize {
    READ * usize::try_from(depth.clamp(1, 10)).unwrap_or(1)
}

/// A page of `first` items with their selected fields.
pub(super) fn page(first: i32, child_complexity: usize) -> usize {
    usize::try_from(first).unwrap_or(0) * child_complexity
}
