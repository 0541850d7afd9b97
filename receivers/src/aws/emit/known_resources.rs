//! The last reports of the resources of one kind in one account and region.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::schema::resources::change;
use pipeline::sync::lock;
use pipeline::uid;

/// The time for which the state of a released resource is kept.
const RELEASED_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// The last report of each resource, by the hash of its uid. There is one per uid: scans of all accounts and under all
/// filters replace the same entry.
#[derive(Debug, Default)]
pub(in crate::aws) struct KnownResources {
    reported: Mutex<HashMap<u64, ReportedResource>>,
    /// Whether a scan of the owning account has completed, or reported a resource before a restart.
    is_reported_by_owner: AtomicBool,
    /// The times at which a refresh found that a uid does not exist, by the hash of the uid.
    found_deleted: Mutex<HashMap<u64, UnixNanos>>,
}

/// A resource as the receiver last reported it, after the acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::aws) struct ReportedResource {
    pub(in crate::aws) uid: Box<str>,
    /// The scope in which it was reported; empty once it is released.
    pub(in crate::aws) scope: Arc<str>,
    pub(in crate::aws) state: u64,
    /// The time at which it was observed in this state, or released.
    pub(in crate::aws) time: UnixNanos,
}

/// The difference between a listed resource and its last report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum ResourceChange {
    Created,
    Updated,
    /// The resource is unchanged, but its last report was in another scope, or the resource was released since.
    Moved,
    Unchanged,
}

impl ResourceChange {
    /// The value of the column `change`; `None` if the resource itself did not change.
    pub(in crate::aws) fn column_value(self) -> Option<&'static str> {
        match self {
            ResourceChange::Created => Some(change::CREATED),
            ResourceChange::Updated => Some(change::UPDATED),
            ResourceChange::Moved | ResourceChange::Unchanged => None,
        }
    }
}

impl ReportedResource {
    fn is_released(&self) -> bool {
        self.scope.is_empty()
    }

    fn release(&mut self, time: UnixNanos) {
        self.scope = Arc::default();
        self.time = time;
    }
}

impl KnownResources {
    /// Records that a scan of the owning account has completed, or reported a resource before a restart.
    pub(in crate::aws) fn set_reported_by_owner(&self) {
        self.is_reported_by_owner.store(true, Ordering::Relaxed);
    }

    /// Whether [`set_reported_by_owner`](Self::set_reported_by_owner) was called.
    pub(in crate::aws) fn is_reported_by_owner(&self) -> bool {
        self.is_reported_by_owner.load(Ordering::Relaxed)
    }

    /// Whether any resource is currently reported in this scope.
    pub(in crate::aws) fn has_reported(&self, scope: &str) -> bool {
        let reported = lock(&self.reported);
        reported.values().any(|it| it.scope.as_ref() == scope)
    }

    /// Compares a resource in this state, listed in this scope, with its last report.
    pub(in crate::aws) fn change_of(&self, uid: u64, state: u64, scope: &str) -> ResourceChange {
        match lock(&self.reported).get(&uid) {
            None => ResourceChange::Created,
            Some(last) if last.state != state => ResourceChange::Updated,
            Some(last) if last.scope.as_ref() != scope => ResourceChange::Moved,
            Some(_) => ResourceChange::Unchanged,
        }
    }

    /// The state in the last report, or `None` if that report is not in this scope.
    pub(in crate::aws) fn state_in(&self, uid: u64, scope: &str) -> Option<u64> {
        let reported = lock(&self.reported);
        let last = reported.get(&uid);
        let last = last.filter(|last| last.scope.as_ref() == scope);
        last.map(|last| last.state)
    }

    /// The state that a refresh after this time found, or 0 if the refresh found that the uid does not exist. `None` if
    /// there was no such refresh.
    pub(in crate::aws) fn refreshed_since(&self, uid: u64, time: UnixNanos) -> Option<u64> {
        let reported = lock(&self.reported);
        let last = reported
            .get(&uid)
            .filter(|last| last.time > time && !last.is_released());
        let is_deleted = || {
            let found_deleted = lock(&self.found_deleted);
            found_deleted.get(&uid).is_some_and(|found| *found > time)
        };
        last.map(|last| last.state)
            .or_else(|| is_deleted().then_some(0))
    }

    /// Whether the uid has a last report, current or released.
    pub(in crate::aws) fn contains(&self, uid: u64) -> bool {
        lock(&self.reported).contains_key(&uid)
    }

    /// Whether the uid is currently reported in a scope that `accepts_scope` accepts.
    pub(in crate::aws) fn is_reported_in(
        &self,
        accepts_scope: impl Fn(&str) -> bool,
        uid: u64,
    ) -> bool {
        let reported = lock(&self.reported);
        let last = reported.get(&uid);
        last.is_some_and(|last| accepts_scope(&last.scope))
    }

    /// Records reports whose rows were acknowledged. A report that is older than the last one changes nothing.
    pub(in crate::aws) fn record(&self, resources: impl IntoIterator<Item = ReportedResource>) {
        let mut reported = lock(&self.reported);
        for resource in resources {
            let hash = uid::hash(&resource.uid);
            let last = reported.get(&hash);
            if last.is_none_or(|last| last.time <= resource.time) {
                reported.insert(hash, resource);
            }
        }
    }

    /// The uids that a scan misses: their last report is in a scope that `accepts_scope` accepts and not newer than
    /// the start of the scan, and the scan did not see them.
    pub(in crate::aws) fn missing(
        &self,
        accepts_scope: impl Fn(&str) -> bool,
        began: UnixNanos,
        is_seen: impl Fn(u64) -> bool,
    ) -> Vec<Box<str>> {
        let reported = lock(&self.reported);
        let missing = reported.iter().filter(|(hash, last)| {
            // A resource that a refresh reported after the start of the scan exists, although no page lists it.
            accepts_scope(&last.scope) && last.time <= began && !is_seen(**hash)
        });
        let mut uids: Vec<Box<str>> = missing.map(|(_, last)| last.uid.clone()).collect();
        uids.sort_unstable();
        uids
    }

    /// Removes a uid that was reported as deleted.
    pub(in crate::aws) fn remove(&self, uid: &str) {
        lock(&self.reported).remove(&uid::hash(uid));
    }

    /// Marks a uid as released. Its state is kept, so that its next report is not a creation.
    pub(in crate::aws) fn release(&self, uid: &str, time: UnixNanos) {
        if let Some(last) = lock(&self.reported).get_mut(&uid::hash(uid)) {
            last.release(time);
        }
    }

    /// Marks as released all uids whose scope `is_released` accepts.
    pub(in crate::aws) fn release_scopes(
        &self,
        is_released: impl Fn(&str) -> bool,
        time: UnixNanos,
    ) {
        let mut reported = lock(&self.reported);
        let released = reported.values_mut();
        let released = released.filter(|last| is_released(&last.scope));
        released.for_each(|last| last.release(time));
    }

    /// Removes a uid that a refresh at this time reported as deleted. A scan that began earlier does not report the uid
    /// again.
    pub(in crate::aws) fn remove_refreshed(&self, uid: &str, time: UnixNanos) {
        self.remove(uid);
        lock(&self.found_deleted).insert(uid::hash(uid), time);
    }

    /// Drops what is not needed after the completion of a scan that began at this time: deletions that a refresh
    /// found until then, and resources that were released [`RELEASED_RETENTION`] earlier.
    pub(in crate::aws) fn expire(&self, began: UnixNanos) {
        lock(&self.found_deleted).retain(|_, time| *time > began);
        let is_kept =
            |last: &ReportedResource| !last.is_released() || last.time + RELEASED_RETENTION > began;
        lock(&self.reported).retain(|_, last| is_kept(last));
    }
}

#[cfg(test)]
mod tests {
    use pipeline::component::UnixNanos;
    use pipeline::uid;

    use super::{KnownResources, ReportedResource, ResourceChange};

    fn reported(name: &str, scope: &str, state: u64, time: u64) -> ReportedResource {
        ReportedResource {
            uid: name.into(),
            scope: scope.into(),
            state,
            time: UnixNanos(time),
        }
    }

    #[test]
    fn change_is_relative_to_the_last_report() {
        let known = KnownResources::default();
        known.record([reported("a", "s", 7, 1)]);
        let a = uid::hash("a");
        let b = uid::hash("b");
        assert_eq!(known.change_of(b, 7, "s"), ResourceChange::Created);
        assert_eq!(known.change_of(a, 8, "s"), ResourceChange::Updated);
        assert_eq!(known.change_of(a, 7, "s/narrow"), ResourceChange::Moved);
        assert_eq!(known.change_of(a, 7, "s"), ResourceChange::Unchanged);
        assert_eq!(known.state_in(a, "s/narrow"), None);
    }

    #[test]
    fn older_report_does_not_replace_a_newer_one() {
        let known = KnownResources::default();
        known.record([reported("a", "s", 8, 5), reported("a", "s", 7, 4)]);
        assert_eq!(known.state_in(uid::hash("a"), "s"), Some(8));
    }

    #[test]
    fn only_uids_of_the_same_scope_can_be_missing() {
        let known = KnownResources::default();
        known.record([
            reported("a", "s", 7, 1),
            reported("b", "s/narrow", 7, 1),
            reported("c", "s", 7, 9),
        ]);
        let missing = known.missing(|scope| scope == "s", UnixNanos(5), |_| false);
        assert_eq!(
            missing,
            [Box::<str>::from("a")],
            "b is in the scope of another filter; c was refreshed after the scan began"
        );
    }

    #[test]
    fn released_resource_is_not_created_when_it_is_seen_again() {
        let known = KnownResources::default();
        known.record([reported("a", "s", 7, 1), reported("b", "s/narrow", 7, 1)]);
        known.release("a", UnixNanos(3));
        known.release_scopes(|scope| scope == "s/narrow", UnixNanos(3));
        for uid in ["a", "b"].map(uid::hash) {
            assert_eq!(known.change_of(uid, 7, "s"), ResourceChange::Moved);
            assert_eq!(known.change_of(uid, 8, "s"), ResourceChange::Updated);
            assert_eq!(known.refreshed_since(uid, UnixNanos(2)), None);
        }
        known.expire(UnixNanos(3) + super::RELEASED_RETENTION);
        let a = uid::hash("a");
        assert_eq!(known.change_of(a, 7, "s"), ResourceChange::Created);
    }

    #[test]
    fn refresh_during_a_scan_overrides_the_pages_of_the_scan() {
        let known = KnownResources::default();
        known.record([reported("a", "s", 7, 9), reported("b", "s", 8, 3)]);
        known.record([reported("c", "s", 9, 1)]);
        known.remove_refreshed("c", UnixNanos(9));
        let since = |name, time| known.refreshed_since(uid::hash(name), UnixNanos(time));
        assert_eq!(
            [since("a", 5), since("b", 5), since("c", 5)],
            [Some(7), None, Some(0)]
        );
        known.expire(UnixNanos(5));
        assert_eq!(since("c", 5), Some(0), "another scan may still run");
        known.expire(UnixNanos(9));
        assert_eq!(since("c", 5), None);
    }
}
