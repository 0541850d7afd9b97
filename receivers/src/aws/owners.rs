//! Whose is what others name by its id alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::kind::id_of;

/// Accounts by the ids of all VPCs, subnets and security groups that were ever seen: one account may use
/// what another shares with it. (EC2 uses no id twice.)
#[derive(Clone, Debug, Default)]
pub(super) struct Owners(Arc<Mutex<HashMap<Box<str>, Box<str>>>>);

impl Owners {
    /// Takes in whose a thing is, by its ARN.
    pub(super) fn learn(&self, arn: &str) {
        let account = arn.split(':').nth(4).unwrap_or_default();
        let mut owners = self.all();
        if owners.get(id_of(arn)).map(Box::as_ref) != Some(account) {
            owners.insert(id_of(arn).into(), account.into());
        }
    }

    pub(super) fn of(&self, id: &str) -> Option<Box<str>> {
        self.all().get(id).cloned()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Box<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
