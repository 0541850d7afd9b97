//! The effect of a completed scan on one claim.

use super::report::{ClaimClass, Removal};

/// The effect of a completed scan on one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEffect {
    /// The scan saw the uid in this state.
    Seen(u64),
    /// The uid is no member of the scan, which ends the claim.
    Missing(Removal),
    /// The uid is no member of the scan, and a create event opened the claim. That ends the claim only if the scan
    /// began at least [`SETTLE`](super::SETTLE) after the last sighting.
    MissingOnceSettled(Removal),
}

/// The relation of a scanned scope to the scope of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeRelation {
    /// It is the scope of the claim.
    Own,
    /// The scope of the claim is below the scanned scope.
    Above,
    /// The claim is of a create event that names this scope.
    SameName,
}

/// Returns the effect of a scan on a claim; `None` if it has none. `member` is the state in which the scan saw the
/// uid, `None` if it did not see it; `miss` is what a missing uid means in this scan.
pub fn scan_effect(
    relation: ScopeRelation,
    (claim, scan): (ClaimClass, ClaimClass),
    member: Option<u64>,
    miss: Removal,
) -> Option<ScanEffect> {
    match (relation, member) {
        (ScopeRelation::SameName, None) => Some(ScanEffect::MissingOnceSettled(miss)),
        (ScopeRelation::SameName, Some(_)) => None,
        (ScopeRelation::Above, Some(_)) => Some(ScanEffect::Missing(Removal::Released)),
        (ScopeRelation::Own, Some(state)) => (claim == scan).then_some(ScanEffect::Seen(state)),
        (ScopeRelation::Own | ScopeRelation::Above, None) => Some(ScanEffect::Missing(miss)),
    }
}
