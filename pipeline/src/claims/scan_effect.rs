//! The effect of a completed scan on one claim.

use super::report::{ClaimClass, Removal};

/// The effect of a completed scan on one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEffect {
    /// The scan saw the uid in this state.
    Seen(u64),
    /// The scan did not see the uid, so the claim ends.
    Missing(Removal),
    /// The scan did not see the uid, and a create event opened the claim. The claim ends only if the scan
    /// began at least [`SETTLE`](super::SETTLE) after the last sighting.
    MissingOnceSettled(Removal),
}

/// The relation of a scanned scope to the scope of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeRelation {
    /// The scanned scope is the scope of the claim.
    Own,
    /// The scope of the claim is below the scanned scope.
    Above,
    /// A create event opened the claim and named the scanned scope.
    SameName,
}

/// Returns the effect of a scan on a claim, `None` if there is no effect. `member` is the state in which the scan saw
/// the uid, `None` if it did not see the uid. `miss` states whether the scan reports a missing uid as deleted or as
/// released.
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
