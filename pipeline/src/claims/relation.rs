//! What a completed scan means for a claim.

use super::claim::Meaning;
use super::report::{Class, Removal};

/// How a scope of scans stands to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Own,
    /// The claim's scope is below it.
    Above,
    /// The claim is of a create event in a scope of this name.
    SameName,
}

/// What a scan means for a claim; none where it means nothing. `member` is the state in which the
/// scan saw the uid.
pub fn meaning(
    relation: Relation,
    (claim, scan): (Class, Class),
    member: Option<u64>,
    miss: Removal,
) -> Option<Meaning> {
    match (relation, member) {
        (Relation::SameName, None) => Some(Meaning::GoneOnceSettled(miss)),
        (Relation::SameName, Some(_)) => None,
        (Relation::Above, Some(_)) => Some(Meaning::Gone(Removal::Released)),
        (Relation::Own, Some(state)) => (claim == scan).then_some(Meaning::Seen(state)),
        (Relation::Own | Relation::Above, None) => Some(Meaning::Gone(miss)),
    }
}

/// The scopes that a scope is below, the nearest first.
pub fn above(scope: &str) -> impl Iterator<Item = &str> {
    let ends = scope.match_indices('/').map(|(end, _)| end);
    let ends: Vec<usize> = ends.filter(|end| *end > 0).collect();
    ends.into_iter().rev().map(move |end| &scope[..end])
}
