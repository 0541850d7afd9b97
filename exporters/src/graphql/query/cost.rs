//! What a read of the store costs, in fields of a response: a field takes about a microsecond.

/// One read by name, by filter or by text.
pub(super) const READ: usize = 1000;

/// A walk over edges of so many steps.
pub(super) fn walk(depth: i32) -> usize {
    READ * usize::try_from(depth.clamp(1, 10)).unwrap_or(1)
}

/// So many items, each with what is selected of it.
pub(super) fn page(first: i32, child_complexity: usize) -> usize {
    usize::try_from(first).unwrap_or(0) * child_complexity
}
