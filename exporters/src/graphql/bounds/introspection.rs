//! The lengths of lists in the response to an introspection.

/// The mean length of the list that a field of `__Schema`, `__Type`, `__Field` or `__Directive` returns for this
/// schema, rounded up; 1 for a field that returns no list.
pub(crate) fn items(field: &str) -> u64 {
    match field {
        "types" => 60,
        "fields" => 5,
        "directives" => 6,
        // The mean is at most 1: `args`, `enumValues`, `inputFields`, `interfaces`, `possibleTypes`.
        _ => 1,
    }
}
