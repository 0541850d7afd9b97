//! Whose is what others name by its id alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::kind::{Turn, id_of, of_uid};
use super::kinds;

/// Accounts by the ids of all VPCs, subnets and security groups that were ever seen: one account may use
/// what another shares with it. (EC2 uses no id twice.)
#[derive(Clone, Debug, Default)]
pub(super) struct Owners(Arc<Mutex<HashMap<Box<str>, Box<str>>>>);

impl Owners {
    /// Takes in whose a thing is, by its uid; of kinds that others do not name so it is left.
    pub(super) fn learn(&self, uid: &str) {
        let kind = of_uid(kinds::ALL, uid).filter(|(kind, ..)| kind.turn() == Turn::First);
        if let Some((_, account, _)) = kind {
            let mut owners = self.all();
            let known = owners.get(id_of(uid)).map(Box::as_ref);
            if known != Some(account) {
                owners.insert(id_of(uid).into(), account.into());
            }
        }
    }

    pub(super) fn of(&self, id: &str) -> Option<Box<str>> {
        self.all().get(id).cloned()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Box<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
