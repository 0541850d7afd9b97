//! What was told of one kind of an account in a region.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::component::UnixNanos;
use pipeline::schema::resources::change;
use pipeline::uid;

/// How long it is known of what was released in which state it was.
const RELEASED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// By the hash of its uid, whatever the filter and whoever told it.
#[derive(Debug, Default)]
pub(super) struct Base {
    told: Mutex<HashMap<u64, Told>>,
    /// Whether the account was ever scanned whole.
    is_told_by_owner: AtomicBool,
    /// When what is gone was looked for by itself, and was not there.
    gone: Mutex<HashMap<u64, UnixNanos>>,
}

/// A resource as it was last told, durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) uid: Box<str>,
    /// The scope that it was told in; empty once it was released.
    pub(super) scope: Arc<str>,
    pub(super) state: u64,
    /// When it was seen so, or released.
    pub(super) time: UnixNanos,
}

/// What is new about a resource that is seen in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    Created,
    Updated,
    /// Not the resource: that this scope sees it.
    Moved,
    Nothing,
}

impl Novelty {
    /// As the column `change` says it; none where nothing is new about the resource itself.
    pub(super) fn change(self) -> Option<&'static str> {
        match self {
            Novelty::Created => Some(change::CREATED),
            Novelty::Updated => Some(change::UPDATED),
            Novelty::Moved | Novelty::Nothing => None,
        }
    }
}

impl Told {
    fn is_released(&self) -> bool {
        self.scope.is_empty()
    }

    fn release(&mut self, time: UnixNanos) {
        self.scope = Arc::default();
        self.time = time;
    }
}

impl Base {
    /// The account was scanned whole.
    pub(super) fn told_by_owner(&self) {
        self.is_told_by_owner.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_told_by_owner(&self) -> bool {
        self.is_told_by_owner.load(Ordering::Relaxed)
    }

    /// Whether anything that is told in this scope has not ended.
    pub(super) fn has_told(&self, scope: &str) -> bool {
        let told = lock(&self.told);
        told.values().any(|told| told.scope.as_ref() == scope)
    }

    pub(super) fn novelty(&self, uid: u64, state: u64, scope: &str) -> Novelty {
        match lock(&self.told).get(&uid) {
            None => Novelty::Created,
            Some(told) if told.state != state => Novelty::Updated,
            Some(told) if told.scope.as_ref() != scope => Novelty::Moved,
            Some(_) => Novelty::Nothing,
        }
    }

    /// The state that was told last; none of what was never told in this scope.
    pub(super) fn state(&self, uid: u64, scope: &str) -> Option<u64> {
        let told = lock(&self.told);
        let told = told.get(&uid).filter(|told| told.scope.as_ref() == scope);
        told.map(|told| told.state)
    }

    /// What was looked at by itself since then: its state, 0 where it was gone.
    pub(super) fn looked_at_since(&self, uid: u64, time: UnixNanos) -> Option<u64> {
        let told = lock(&self.told);
        let told = told
            .get(&uid)
            .filter(|told| told.time > time && !told.is_released());
        let gone = || {
            let gone = lock(&self.gone);
            gone.get(&uid).is_some_and(|looked| *looked > time)
        };
        told.map(|told| told.state).or_else(|| gone().then_some(0))
    }

    pub(super) fn knows(&self, uid: u64) -> bool {
        lock(&self.told).contains_key(&uid)
    }

    /// Whether it was told in such a scope, and has not ended.
    pub(super) fn is_told_in(&self, is_of: impl Fn(&str) -> bool, uid: u64) -> bool {
        let told = lock(&self.told);
        told.get(&uid).is_some_and(|told| is_of(&told.scope))
    }

    /// What was told and is durable. What is older than what is known changes nothing.
    pub(super) fn remember(&self, told: impl IntoIterator<Item = Told>) {
        let mut known = lock(&self.told);
        for told in told {
            let hash = uid::hash(&told.uid);
            if known.get(&hash).is_none_or(|known| known.time <= told.time) {
                known.insert(hash, told);
            }
        }
    }

    /// What was told in such scopes and a scan that began then does not see any more.
    pub(super) fn gone(
        &self,
        is_of: impl Fn(&str) -> bool,
        began: UnixNanos,
        is_seen: impl Fn(u64) -> bool,
    ) -> Vec<Box<str>> {
        let told = lock(&self.told);
        let gone = told.iter().filter(|(hash, told)| {
            // What was looked at since the scan began is there, whatever an earlier page says.
            is_of(&told.scope) && told.time <= began && !is_seen(**hash)
        });
        let mut uids: Vec<Box<str>> = gone.map(|(_, told)| told.uid.clone()).collect();
        uids.sort_unstable();
        uids
    }

    /// It was told to be gone.
    pub(super) fn forget(&self, uid: &str) {
        lock(&self.told).remove(&uid::hash(uid));
    }

    /// It was released: to see it again is not to see it created.
    pub(super) fn release(&self, uid: &str, time: UnixNanos) {
        if let Some(told) = lock(&self.told).get_mut(&uid::hash(uid)) {
            told.release(time);
        }
    }

    /// All that was told in such scopes was released.
    pub(super) fn release_scopes(&self, are: impl Fn(&str) -> bool, time: UnixNanos) {
        let mut told = lock(&self.told);
        let told = told.values_mut().filter(|told| are(&told.scope));
        told.for_each(|told| told.release(time));
    }

    /// Likewise, after it was looked for by itself at this time: a scan that read its page before
    /// does not bring it back.
    pub(super) fn forget_at(&self, uid: &str, time: UnixNanos) {
        self.forget(uid);
        lock(&self.gone).insert(uid::hash(uid), time);
    }

    /// A scan that began then is complete: what was gone before it began it has not seen.
    pub(super) fn completed(&self, began: UnixNanos) {
        lock(&self.gone).retain(|_, time| *time > began);
        let is_kept = |told: &Told| !told.is_released() || told.time.after(RELEASED_FOR) > began;
        lock(&self.told).retain(|_, told| is_kept(told));
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use pipeline::component::UnixNanos;
    use pipeline::uid;

    use super::{Base, Novelty, Told};

    fn told(name: &str, scope: &str, state: u64, time: u64) -> Told {
        Told {
            uid: name.into(),
            scope: scope.into(),
            state,
            time: UnixNanos(time),
        }
    }

    #[test]
    fn what_is_new_depends_on_what_was_told() {
        let base = Base::default();
        base.remember([told("a", "s", 7, 1)]);
        let a = uid::hash("a");
        assert_eq!(base.novelty(uid::hash("b"), 7, "s"), Novelty::Created);
        assert_eq!(base.novelty(a, 8, "s"), Novelty::Updated);
        assert_eq!(base.novelty(a, 7, "s/narrow"), Novelty::Moved);
        assert_eq!(base.novelty(a, 7, "s"), Novelty::Nothing);
        assert_eq!(base.state(a, "s/narrow"), None);
    }

    #[test]
    fn what_is_older_than_what_is_known_changes_nothing() {
        let base = Base::default();
        base.remember([told("a", "s", 8, 5), told("a", "s", 7, 4)]);
        assert_eq!(base.state(uid::hash("a"), "s"), Some(8));
    }

    #[test]
    fn only_what_the_same_scope_saw_before_can_be_gone() {
        let base = Base::default();
        base.remember([
            told("a", "s", 7, 1),
            told("b", "s/narrow", 7, 1),
            told("c", "s", 7, 9),
        ]);
        let gone = base.gone(|scope| scope == "s", UnixNanos(5), |_| false);
        assert_eq!(
            gone,
            [Box::<str>::from("a")],
            "b is of another filter, c was looked at since"
        );
    }

    #[test]
    fn what_was_released_is_not_new_when_it_is_seen_again() {
        let base = Base::default();
        base.remember([told("a", "s", 7, 1), told("b", "s/narrow", 7, 1)]);
        base.release("a", UnixNanos(3));
        base.release_scopes(|scope| scope == "s/narrow", UnixNanos(3));
        for uid in ["a", "b"].map(uid::hash) {
            assert_eq!(base.novelty(uid, 7, "s"), Novelty::Moved);
            assert_eq!(base.novelty(uid, 8, "s"), Novelty::Updated);
            assert_eq!(base.looked_at_since(uid, UnixNanos(2)), None);
        }
        base.completed(UnixNanos(3).after(super::RELEASED_FOR));
        assert_eq!(base.novelty(uid::hash("a"), 7, "s"), Novelty::Created);
    }

    #[test]
    fn what_was_looked_at_since_a_scan_began_is_known_better_than_by_its_pages() {
        let base = Base::default();
        base.remember([told("a", "s", 7, 9), told("b", "s", 8, 3)]);
        base.remember([told("c", "s", 9, 1)]);
        base.forget_at("c", UnixNanos(9));
        let since = |name, time| base.looked_at_since(uid::hash(name), UnixNanos(time));
        assert_eq!(
            [since("a", 5), since("b", 5), since("c", 5)],
            [Some(7), None, Some(0)]
        );
        base.completed(UnixNanos(5));
        assert_eq!(since("c", 5), Some(0), "another scan may go on");
        base.completed(UnixNanos(9));
        assert_eq!(since("c", 5), None);
    }
}
