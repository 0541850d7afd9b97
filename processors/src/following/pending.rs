//! What is still to be read, and of what own commits count.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use pipeline::graph_store::Commit;
use pipeline::uid;
use tokio::time::Instant;

/// How long after a uid was read own commits that name it are read, too: longer than a report that
/// passed waits to be written.
pub(super) const KEPT: Duration = Duration::from_secs(600);

/// Uids that are read at a time.
const AT_ONCE: usize = if cfg!(test) { 3 } else { 500 };

/// Uids that wait to be read, or are watched, at most: beyond it all is read.
const MOST: usize = 100_000;

/// The part of the time that reading the whole store again may take, and the shortest pause.
const PART: u32 = 10;
const PAUSE: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 60 });

#[derive(Debug)]
pub(super) enum Task {
    Uids(Vec<String>),
    /// The page of the whole store that follows a uid.
    Page(Option<String>),
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    uids: VecDeque<Arc<str>>,
    /// The same.
    queued: HashSet<Arc<str>>,
    watched: Watched,
    all: All,
    /// Hashes of the uids that were in the store when all of it was last read; until what else is held is
    /// known.
    seen: HashSet<u64>,
}

/// Uids that were read of late: own commits that name them are read, too.
#[derive(Debug, Default)]
struct Watched {
    newer: HashSet<Arc<str>>,
    older: HashSet<Arc<str>>,
    since: Option<Instant>,
    /// Until when all uids are watched.
    all_until: Option<Instant>,
}

/// Reading the whole store.
#[derive(Debug, Default)]
struct All {
    is_wanted: bool,
    /// Since when it is read, and the uid after which it goes on.
    reading: Option<(Instant, Option<String>)>,
    /// The next time begins then at the earliest.
    not_before: Option<Instant>,
}

impl Pending {
    pub(super) fn note(&mut self, commit: &Commit, now: Instant) {
        let is_whole = !commit.truncated && !commit.has_more_links;
        if commit.missed > 0 || (!is_whole && !commit.is_own) {
            self.read_all();
        }
        if commit.is_own && !is_whole {
            self.note_unknown(now);
        }
        let is_all = !commit.is_own || self.is_all_watched(now);
        for uid in commit.uids() {
            if is_all || self.watched.contains(uid) {
                self.add(uid.into());
            }
        }
        if commit.is_own {
            commit.unsettled().for_each(|uid| self.add(uid.into()));
            let most = commit.to_refresh.len().max(commit.relisted.len());
            if most == Commit::MOST {
                self.read_all();
            }
        }
        if self.uids.len() > MOST {
            self.uids.clear();
            self.queued.clear();
            self.read_all();
        }
    }

    /// An own commit changed more than it says.
    fn note_unknown(&mut self, now: Instant) {
        if self.is_all_watched(now) {
            self.read_all();
        }
        let watched = self.watched.newer.iter().chain(&self.watched.older);
        for uid in watched.cloned().collect::<Vec<_>>() {
            self.add(uid);
        }
    }

    pub(super) fn read_all(&mut self) {
        self.all.is_wanted = true;
    }

    pub(super) fn add(&mut self, uid: Arc<str>) {
        if self.queued.insert(uid.clone()) {
            self.uids.push_back(uid);
        }
    }

    pub(super) fn add_unseen(&mut self, held: impl Iterator<Item = Arc<str>>) {
        let seen = std::mem::take(&mut self.seen);
        for uid in held.filter(|held| !seen.contains(&uid::hash(held))) {
            self.add(uid);
        }
    }

    /// What to read now. Own commits that come from now on count for it.
    pub(super) fn take(&mut self, now: Instant) -> Option<Task> {
        if !self.uids.is_empty() {
            let many = self.uids.len().min(AT_ONCE);
            let uids: Vec<Arc<str>> = self.uids.drain(..many).collect();
            for uid in &uids {
                self.queued.remove(uid);
                self.watched.add(uid, now);
            }
            return Some(Task::Uids(uids.iter().map(ToString::to_string).collect()));
        }
        if let Some((_, after)) = &self.all.reading {
            return Some(Task::Page(after.clone()));
        }
        let is_due = self.all.not_before.is_none_or(|due| due <= now);
        if !self.all.is_wanted || !is_due {
            return None;
        }
        self.all.is_wanted = false;
        self.all.reading = Some((now, None));
        self.seen.clear();
        Some(Task::Page(None))
    }

    /// When there is something to read without another commit.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.all.not_before.filter(|_| self.all.is_wanted)
    }

    /// A page was read: how long all of them took where it is the last one.
    pub(super) fn end_page(
        &mut self,
        uids: &[String],
        last: Option<String>,
        now: Instant,
    ) -> Option<Duration> {
        self.seen.extend(uids.iter().map(|uid| uid::hash(uid)));
        let (since, after) = self.all.reading.as_mut()?;
        if last.is_some() {
            *after = last;
            return None;
        }
        let took = now - *since;
        self.all.reading = None;
        self.all.not_before = Some(now + PAUSE.max(took * PART));
        self.watched.all_until = Some(now + KEPT);
        Some(took)
    }

    fn is_all_watched(&self, now: Instant) -> bool {
        let until = self.watched.all_until;
        self.all.reading.is_some() || until.is_some_and(|until| now < until)
    }
}

impl Watched {
    fn contains(&self, uid: &str) -> bool {
        self.newer.contains(uid) || self.older.contains(uid)
    }

    fn add(&mut self, uid: &Arc<str>, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now - since >= KEPT {
            self.older = std::mem::take(&mut self.newer);
            self.since = Some(now);
        }
        self.newer.insert(uid.clone());
        if self.newer.len() > MOST {
            self.newer.clear();
            self.all_until = Some(now + KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pipeline::graph_store::Commit;
    use tokio::time::Instant;

    use super::{KEPT, Pending, Task};

    fn commit(uids: &[&str], is_own: bool) -> Commit {
        Commit {
            nodes: uids.iter().map(|uid| (*uid).to_owned()).collect(),
            is_own,
            ..Commit::default()
        }
    }

    /// What is read now: uids, or a page after one.
    fn taken(pending: &mut Pending, now: Instant) -> String {
        match pending.take(now) {
            None => "nothing".to_owned(),
            Some(Task::Uids(uids)) => uids.join(" "),
            Some(Task::Page(after)) => format!("page after {}", after.unwrap_or_default()),
        }
    }

    #[test]
    fn own_commits_are_read_only_of_what_others_wrote_of_late() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        pending.note(&commit(&["a", "b"], true), now);
        assert_eq!(taken(&mut pending, now), "nothing");
        pending.note(&commit(&["a", "c", "a"], false), now);
        assert_eq!(taken(&mut pending, now), "a c");
        pending.note(&commit(&["a", "b"], true), now);
        assert_eq!(taken(&mut pending, now), "a");
        let later = now + 2 * KEPT;
        for (uid, time) in [("x", later), ("y", later + KEPT)] {
            pending.note(&commit(&[uid], false), time);
            assert_eq!(taken(&mut pending, time), uid);
        }
        pending.note(&commit(&["a", "b"], true), later + KEPT);
        assert_eq!(taken(&mut pending, later + KEPT), "nothing");
    }

    #[test]
    fn what_a_truncated_commit_leaves_out_is_read_with_all() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        let truncated = |is_own| Commit {
            truncated: true,
            ..commit(&["a"], is_own)
        };
        pending.note(&truncated(true), now);
        assert_eq!(taken(&mut pending, now), "nothing", "it was folded here");
        pending.note(&truncated(false), now);
        assert_eq!(taken(&mut pending, now), "a");
        assert_eq!(taken(&mut pending, now), "page after ");
        // What others write meanwhile comes first, and own commits count of everything.
        pending.note(&commit(&["b"], false), now);
        pending.note(&commit(&["c"], true), now);
        assert_eq!(taken(&mut pending, now), "b c");
        let page = ["a".to_owned(), "b".to_owned()];
        let ended = pending.end_page(&page, Some("b".to_owned()), now);
        assert_eq!(ended, None);
        assert_eq!(taken(&mut pending, now), "page after b");
        let end = now + Duration::from_secs(3);
        let took = pending.end_page(&["d".to_owned()], None, end);
        assert_eq!(took, Some(Duration::from_secs(3)));
        pending.add_unseen(["a", "e", "d"].map(Into::into).into_iter());
        assert_eq!(taken(&mut pending, end), "e", "it is held, and gone");
        // The next time is later.
        pending.read_all();
        assert_eq!(taken(&mut pending, end), "nothing");
        let due = end + Duration::from_secs(30);
        assert_eq!(pending.not_before(), Some(due));
        assert_eq!(taken(&mut pending, due), "page after ");
    }

    #[test]
    fn what_depends_on_scans_of_others_is_read_after_own_commits_too() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        let own = Commit {
            to_refresh: vec!["b".to_owned()],
            relisted: vec!["c".to_owned()],
            ..commit(&["a", "b", "c"], true)
        };
        pending.note(&own, now);
        assert_eq!(taken(&mut pending, now), "b c");
        let most = Commit {
            to_refresh: (0..Commit::MOST).map(|uid| uid.to_string()).collect(),
            ..Commit::default()
        };
        let own = Commit {
            is_own: true,
            ..most
        };
        pending.note(&own, now);
        while pending.uids.len() > 1 {
            pending.take(now);
        }
        pending.take(now);
        assert_eq!(taken(&mut pending, now), "page after ", "there may be more");
    }

    #[test]
    fn an_own_commit_that_does_not_say_all_counts_for_all_that_is_watched() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        pending.note(&commit(&["a", "b"], false), now);
        assert_eq!(taken(&mut pending, now), "a b");
        let own = Commit {
            truncated: true,
            ..commit(&["c"], true)
        };
        pending.note(&own, now);
        let again = taken(&mut pending, now);
        assert!(["a b", "b a"].contains(&again.as_str()), "{again}");
    }
}
