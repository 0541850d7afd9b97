//! The unit of a scan: one kind in one account and region.

use std::sync::Arc;

use super::known::Inventory;
use super::names::ScopeNames;
use super::place::AccountRegion;
use super::shared::SharedScan;
use super::telling::ScopeWriter;

#[derive(Clone)]
pub(super) struct ScanScope {
    pub(super) names: ScopeNames,
    pub(super) at: Arc<AccountRegion>,
    /// Writes the resources that the account owns.
    pub(super) own: ScopeWriter,
    /// Collects the resources that other accounts own.
    pub(super) shared: Arc<SharedScan>,
}

impl ScanScope {
    pub(super) fn new(
        names: ScopeNames,
        at: Arc<AccountRegion>,
        inventory: &Inventory,
        shared: Arc<SharedScan>,
    ) -> ScanScope {
        ScanScope {
            own: ScopeWriter::own(&names, &at.account, inventory),
            names,
            at,
            shared,
        }
    }
}
