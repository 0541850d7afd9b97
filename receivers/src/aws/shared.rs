//! What is shared with the accounts that are scanned by one that does not tell of it itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::component::UnixNanos;
use pipeline::rows::Rows;
use pipeline::schema::aliases::kind::SAME_AS;
use pipeline::{Signal, uid};

use super::failure::Failure;
use super::found::Item;
use super::known::Known;
use super::names::Names;
use super::sink::{Progress, Sink};
use super::telling::Telling;

/// Rows that are told together.
const PAGE: usize = 1000;

/// One kind in one region, as all accounts that are scanned see it: filled by their scans, told once
/// all of these have ended, so that of several who see a thing one tells it.
pub(super) struct Shared {
    names: Names,
    known: Known,
    /// Before any of the scans.
    began: UnixNanos,
    seen: Mutex<Seen>,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Scans that have not ended yet.
    running: usize,
    /// Whether one has failed: then nothing is missing.
    failed: bool,
    /// By the owner and by the uid, with the account whose view it is.
    items: BTreeMap<String, BTreeMap<String, (String, Item)>>,
}

impl Shared {
    pub(super) fn new(names: Names, known: &Known) -> Shared {
        Shared {
            names,
            known: known.clone(),
            began: UnixNanos::now(),
            seen: Mutex::default(),
        }
    }

    /// Not all who may see something are scanned: then nothing is missing.
    pub(super) fn is_partial(&self) {
        self.seen().failed = true;
    }

    /// One more scan is to be waited for.
    pub(super) fn expect(&self) {
        self.seen().running += 1;
    }

    /// This account sees what another one owns.
    pub(super) fn see(&self, account: &str, item: Item) {
        self.seen().see(account, item);
    }

    /// A scan has ended, well or not. All that was seen, once it was the last.
    pub(super) fn ended(&self, failed: bool) -> Option<Seen> {
        let mut seen = self.seen();
        seen.running -= 1;
        seen.failed |= failed;
        (seen.running == 0).then(|| std::mem::take(&mut *seen))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is told of an owner's.
    pub(super) fn telling(&self, owner: &str) -> Telling {
        self.known.shares(&self.names.place(), owner);
        Telling::shared(&self.names, owner, &self.known)
    }

    /// Whether the owner tells it itself: it is scanned, and has been seen whole.
    pub(super) fn is_left_to(&self, owner: &str) -> bool {
        let base = self.known.base(&self.names.base(owner));
        self.names.has_account(owner) && base.is_told_by_owner()
    }

    /// Tells of all that was seen but what its owner tells. How many there are.
    pub(super) async fn tell(
        &self,
        mut seen: Seen,
        source: &str,
        sink: &dyn Sink,
    ) -> Result<usize, Failure> {
        // Also those of whom nothing was seen this time.
        for owner in self.known.sharing(&self.names.place()) {
            seen.items.entry(owner).or_default();
        }
        let mut count = 0;
        for (owner, items) in seen.items {
            if !self.is_left_to(&owner) {
                let items = items.into_values().map(|(_, item)| item);
                count += self
                    .tell_of(&owner, items, seen.failed, source, sink)
                    .await?;
            }
        }
        Ok(count)
    }

    /// Tells of what one owner shares.
    async fn tell_of(
        &self,
        owner: &str,
        items: impl Iterator<Item = Item>,
        failed: bool,
        source: &str,
        sink: &dyn Sink,
    ) -> Result<usize, Failure> {
        let telling = self.telling(owner);
        let id = format!("{:x}", self.began.0);
        let scan = telling.begin(source, Some(&id), self.began);
        let (mut rows, mut told) = (Rows::new(Signal::Resources), Vec::new());
        let mut members = HashMap::new();
        for mut item in items {
            // Without the views of all, what was told of it may be better.
            item.is_whole &= !failed;
            if let Some(state) = telling.see(&item, &scan, &mut rows, &mut told) {
                members.insert(uid::hash(&item.resource.uid), state);
            }
            if rows.len() >= PAGE {
                let page = std::mem::replace(&mut rows, Rows::new(Signal::Resources));
                telling.deliver(page, sink).await?;
                telling.base.remember(told.drain(..));
            }
        }
        // What nobody was told of has no scans.
        let is_known = || telling.base.has_told(&telling.scope);
        let is_complete = !failed && (!members.is_empty() || is_known());
        let mut gone = Vec::new();
        if is_complete {
            let is_of = |scope: &str| scope == telling.scope.as_ref();
            gone = telling.complete(is_of, &members, &scan, &mut rows);
        }
        if !rows.is_empty() {
            telling.deliver(rows, sink).await?;
            telling.base.remember(told);
        }
        if is_complete {
            telling.completed(&gone, self.began);
        }
        let (scope, resources) = (telling.scope.as_ref(), members.len());
        sink.tell(Progress::Found { scope, resources });
        Ok(resources)
    }
}

impl Seen {
    pub(super) fn see(&mut self, account: &str, item: Item) {
        let of_owner = self.items.entry(item.resource.account.clone()).or_default();
        let uid = item.resource.uid.clone();
        let Some((viewer, known)) = of_owner.get_mut(&uid) else {
            of_owner.insert(uid, (account.to_owned(), item));
            return;
        };
        // Always the same view, whoever is faster; and each has its own name for the thing.
        let is_better = (!item.is_whole, account) < (!known.is_whole, viewer.as_str());
        let mut other = item;
        if is_better {
            std::mem::swap(known, &mut other);
            account.clone_into(viewer);
        }
        for alias in other.resource.aliases {
            if alias.kind == SAME_AS && !known.resource.aliases.contains(&alias) {
                known.resource.aliases.push(alias);
            }
        }
    }

    /// The one thing that was looked for.
    pub(super) fn into_one(self) -> Option<Item> {
        let mut items = self.items.into_values().flat_map(BTreeMap::into_values);
        items.next().map(|(_, item)| item)
    }
}

#[cfg(test)]
mod tests {
    use pipeline::resource::{Alias, Resource};
    use pipeline::schema::aliases::kind::SAME_AS;

    use super::Seen;
    use crate::aws::found::Item;

    /// A subnet as an account sees it, which has its own name of the zone.
    fn view(account: &str, zone: &str, is_whole: bool) -> Item {
        let resource = Resource {
            uid: "arn:owner:subnet".to_owned(),
            account: "owner".to_owned(),
            name: Some(zone.to_owned()),
            aliases: vec![
                Alias::new("id", "subnet"),
                Alias::new(SAME_AS, format!("arn:{account}:subnet")),
            ],
            ..Resource::default()
        };
        Item {
            resource,
            is_whole,
            is_taken: true,
        }
    }

    #[test]
    fn of_several_views_it_is_always_the_same_with_the_names_of_all() {
        let views = [("2", "b", true), ("1", "a", false), ("3", "c", true)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut seen = Seen::default();
            for (account, zone, is_whole) in order.map(|place| views[place]) {
                seen.see(account, view(account, zone, is_whole));
            }
            let resource = seen.into_one().unwrap().resource;
            assert_eq!(
                resource.name.as_deref(),
                Some("b"),
                "the first that is whole"
            );
            let mut names: Vec<_> = resource.aliases.into_iter().map(|it| it.value).collect();
            names.sort();
            assert_eq!(
                names,
                ["arn:1:subnet", "arn:2:subnet", "arn:3:subnet", "subnet"]
            );
        }
    }
}
