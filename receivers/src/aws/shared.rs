//! What is shared with the accounts that are scanned by one that does not tell of it itself.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pipeline::component::UnixNanos;
use pipeline::rows::Rows;
use pipeline::schema::aliases::kind::SAME_AS;
use pipeline::{Signal, uid};

use super::failure::Failure;
use super::found::Item;
use super::known::Known;
use super::leases::Leases;
use super::names::{Names, parts};
use super::sink::{Progress, Sink};
use super::telling::{Listing, Telling};

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

/// How the scan of an account ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Failed,
    /// Another process scans it.
    LeftOut,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Scans that have not ended yet.
    running: usize,
    /// Whether one has failed: then what is missing is not deleted.
    failed: bool,
    /// Whether one has ended well: else nothing is known.
    succeeded: bool,
    /// Whether one was left to another process: then that one tells.
    left_out: bool,
    /// Hashes of uids that the filter does not take.
    passed_over: HashSet<u64>,
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

    /// Not all who may see something are scanned: then what is missing is not deleted.
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

    /// The filter does not take this one.
    pub(super) fn pass_over(&self, uid: u64) {
        self.seen().passed_over.insert(uid);
    }

    /// A scan has ended, well or not. All that was seen, once it was the last.
    pub(super) fn ended(&self, how: Ended) -> Option<Seen> {
        let mut seen = self.seen();
        seen.running -= 1;
        match how {
            Ended::Well => seen.succeeded = true,
            Ended::Failed => seen.failed = true,
            Ended::LeftOut => seen.left_out = true,
        }
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
        leases: &Leases,
    ) -> Result<usize, Failure> {
        if seen.left_out {
            return Ok(0);
        }
        // Also those of whom nothing was seen this time.
        for owner in self.known.sharing(&self.names.place()) {
            seen.items.entry(owner).or_default();
        }
        let Seen {
            failed,
            succeeded,
            passed_over,
            items,
            ..
        } = seen;
        let mut listing = Listing {
            passed_over,
            is_partial: failed,
            ..Listing::default()
        };
        let mut count = 0;
        for (owner, items) in items {
            if !self.is_left_to(&owner) {
                let items = items.into_values().map(|(_, item)| item);
                listing.members.clear();
                let scope = self.names.shared(&owner).into();
                let told = self.tell_of(&owner, items, succeeded, &mut listing, source, sink);
                count += leases.hold(&scope, told).await.unwrap_or(Ok(0))?;
            }
        }
        self.release_left(succeeded, source, sink, leases).await?;
        Ok(count)
    }

    /// Tells of what one owner shares.
    async fn tell_of(
        &self,
        owner: &str,
        items: impl Iterator<Item = Item>,
        succeeded: bool,
        listing: &mut Listing,
        source: &str,
        sink: &dyn Sink,
    ) -> Result<usize, Failure> {
        let telling = self.telling(owner);
        let id = format!("{:x}", self.began.0);
        let scan = telling.begin(source, Some(&id), self.began);
        let (mut rows, mut told) = (Rows::new(Signal::Resources), Vec::new());
        for mut item in items {
            // Without the views of all, what was told of it may be better.
            item.is_whole &= !listing.is_partial;
            if let Some(state) = telling.see(&item, &scan, &mut rows, &mut told) {
                let hash = uid::hash(&item.resource.uid);
                listing.members.insert(hash, state);
            }
            if rows.len() >= PAGE {
                let page = std::mem::replace(&mut rows, Rows::new(Signal::Resources));
                telling.deliver(page, sink).await?;
                telling.base.remember(told.drain(..));
            }
        }
        // What nobody was told of has no scans.
        let is_known = || telling.base.has_told(&telling.scope);
        let is_complete = succeeded && (!listing.members.is_empty() || is_known());
        let is_of = |scope: &str| scope == telling.scope.as_ref();
        let missed = is_complete.then(|| telling.complete(is_of, listing, &scan, &mut rows));
        if !rows.is_empty() {
            telling.deliver(rows, sink).await?;
            telling.base.remember(told);
        }
        if let Some(missed) = missed {
            telling.completed(&missed, self.began);
        }
        let (scope, resources) = (telling.scope.as_ref(), listing.members.len());
        sink.tell(Progress::Found { scope, resources });
        Ok(resources)
    }

    /// Releases what accounts told here that are not scanned any more, and what other accounts saw of
    /// what is shared: the ones that are scanned now have told what they see.
    async fn release_left(
        &self,
        succeeded: bool,
        source: &str,
        sink: &dyn Sink,
        leases: &Leases,
    ) -> Result<(), Failure> {
        if !self.names.know_all_accounts() {
            return Ok(());
        }
        let is_left = |scope: &Arc<str>| match parts(scope) {
            None => false,
            Some((owner, _, true)) => {
                let is_current = self.names.shared(owner) == **scope;
                succeeded && !is_current && !self.is_left_to(owner)
            }
            Some((account, _, false)) => !self.names.has_account(account),
        };
        let mut left = self.known.scopes.in_place(&self.names.place());
        left.retain(is_left);
        let released = self.known.release(left, source, self.began, sink, leases);
        let released = released.await;
        released.map_err(|reason| self.names.undelivered("", reason))
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
