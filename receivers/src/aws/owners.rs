//! The accounts that own resources which other resources reference by id alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::kind::id_of;

/// Owning accounts by id, of all VPCs, subnets and security groups that were ever seen: an account may use
/// those that another account shares with it. (EC2 never reuses an id.)
#[derive(Clone, Debug, Default)]
pub(super) struct Owners(Arc<Mutex<HashMap<Box<str>, Box<str>>>>);

impl Owners {
    /// Records the account of a resource's ARN.
    pub(super) fn record(&self, arn: &str) {
        let account = arn.split(':').nth(4).unwrap_or_default();
        let mut owners = self.all();
        if owners.get(id_of(arn)).map(Box::as_ref) != Some(account) {
            owners.insert(id_of(arn).into(), account.into());
        }
    }

    pub(super) fn owner_of(&self, id: &str) -> Option<Box<str>> {
        self.all().get(id).cloned()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Box<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
