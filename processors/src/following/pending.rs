//! The uids and pages that must still be read.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use pipeline::graph_store::Commit;
use pipeline::uid;
use tokio::time::Instant;

/// How long after a uid was read own commits that name it are read, too. Longer than a report takes from
/// passing this process to being written.
pub(super) const WATCH_PERIOD: Duration = Duration::from_secs(600);

/// Uids that are read at a time.
const BATCH_SIZE: usize = if cfg!(test) { 3 } else { 500 };

/// Uids that are queued at most, or watched at most. Beyond it, the whole store is read, or all uids are
/// watched.
const MAX_UIDS: usize = 100_000;

/// After the whole store was read, the next such read waits for this multiple of its duration, and at least
/// for the minimum.
const PAUSE_FACTOR: u32 = 10;
const MIN_PAUSE: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 60 });

#[derive(Debug)]
pub(super) enum ReadTask {
    Uids(Vec<String>),
    /// The page of the whole store that follows a uid.
    Page(Option<String>),
}

#[derive(Debug, Default)]
pub(super) struct PendingReads {
    /// Uids to read, in order.
    uids: VecDeque<Arc<str>>,
    /// The same uids.
    queued: HashSet<Arc<str>>,
    watched: WatchedUids,
    full_read: FullRead,
    /// Hashes of the uids that the last read of the whole store found. Kept until
    /// [`PendingReads::add_unseen`].
    seen: HashSet<u64>,
}

/// Uids that were read during the last [`WATCH_PERIOD`] or two: own commits that name them are read, too.
#[derive(Debug, Default)]
struct WatchedUids {
    /// Read since `since`.
    newer: HashSet<Arc<str>>,
    /// Read in the period before.
    older: HashSet<Arc<str>>,
    since: Option<Instant>,
    /// Until this time all uids are watched.
    all_until: Option<Instant>,
}

/// The state of reading the whole store.
#[derive(Debug, Default)]
struct FullRead {
    is_wanted: bool,
    /// When the read in progress began, and the uid after which its next page begins.
    reading: Option<(Instant, Option<String>)>,
    /// The next read begins at this time at the earliest.
    not_before: Option<Instant>,
}

impl PendingReads {
    /// Queues what must be read because of a commit.
    pub(super) fn note(&mut self, commit: &Commit, now: Instant) {
        let is_whole = !commit.truncated && !commit.has_more_links;
        if commit.missed > 0 || (!is_whole && !commit.is_own) {
            self.read_all();
        }
        if commit.is_own && !is_whole {
            self.note_incomplete(now);
        }
        let is_all = !commit.is_own || self.is_all_watched(now);
        for uid in commit.uids() {
            if is_all || self.watched.contains(uid) {
                self.add(uid.into());
            }
        }
        if commit.is_own {
            commit.unsettled().for_each(|uid| self.add(uid.into()));
            // A list of this length may have been cut off.
            let longest = commit.to_refresh.len().max(commit.relisted.len());
            if longest == Commit::MOST {
                self.read_all();
            }
        }
        if self.uids.len() > MAX_UIDS {
            self.uids.clear();
            self.queued.clear();
            self.read_all();
        }
    }

    /// Queues what an own commit that does not name all its changes may have changed.
    fn note_incomplete(&mut self, now: Instant) {
        if self.is_all_watched(now) {
            self.read_all();
        }
        let watched = self.watched.newer.iter().chain(&self.watched.older);
        for uid in watched.cloned().collect::<Vec<_>>() {
            self.add(uid);
        }
    }

    /// Requests a read of the whole store.
    pub(super) fn read_all(&mut self) {
        self.full_read.is_wanted = true;
    }

    pub(super) fn add(&mut self, uid: Arc<str>) {
        if self.queued.insert(uid.clone()) {
            self.uids.push_back(uid);
        }
    }

    /// Queues the held uids that the last read of the whole store did not find.
    pub(super) fn add_unseen(&mut self, held: impl Iterator<Item = Arc<str>>) {
        let seen = std::mem::take(&mut self.seen);
        for uid in held.filter(|held| !seen.contains(&uid::hash(held))) {
            self.add(uid);
        }
    }

    /// Takes what to read now. Its uids are watched from now on.
    pub(super) fn take(&mut self, now: Instant) -> Option<ReadTask> {
        if !self.uids.is_empty() {
            let count = self.uids.len().min(BATCH_SIZE);
            let uids: Vec<Arc<str>> = self.uids.drain(..count).collect();
            for uid in &uids {
                self.queued.remove(uid);
                self.watched.add(uid, now);
            }
            return Some(ReadTask::Uids(
                uids.iter().map(ToString::to_string).collect(),
            ));
        }
        if let Some((_, after)) = &self.full_read.reading {
            return Some(ReadTask::Page(after.clone()));
        }
        let is_due = self.full_read.not_before.is_none_or(|due| due <= now);
        if !self.full_read.is_wanted || !is_due {
            return None;
        }
        self.full_read.is_wanted = false;
        self.full_read.reading = Some((now, None));
        self.seen.clear();
        Some(ReadTask::Page(None))
    }

    /// The time at which a requested read of the whole store may begin.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.full_read
            .not_before
            .filter(|_| self.full_read.is_wanted)
    }

    /// Notes that a page was read. After the last page, returns how long the read of the whole store took.
    pub(super) fn end_page(
        &mut self,
        uids: &[String],
        last: Option<String>,
        now: Instant,
    ) -> Option<Duration> {
        self.seen.extend(uids.iter().map(|uid| uid::hash(uid)));
        let (since, after) = self.full_read.reading.as_mut()?;
        if last.is_some() {
            *after = last;
            return None;
        }
        let took = now - *since;
        self.full_read.reading = None;
        self.full_read.not_before = Some(now + MIN_PAUSE.max(took * PAUSE_FACTOR));
        self.watched.all_until = Some(now + WATCH_PERIOD);
        Some(took)
    }

    /// Whether own commits are read whichever uids they name.
    fn is_all_watched(&self, now: Instant) -> bool {
        let until = self.watched.all_until;
        self.full_read.reading.is_some() || until.is_some_and(|until| now < until)
    }
}

impl WatchedUids {
    fn contains(&self, uid: &str) -> bool {
        self.newer.contains(uid) || self.older.contains(uid)
    }

    fn add(&mut self, uid: &Arc<str>, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now - since >= WATCH_PERIOD {
            self.older = std::mem::take(&mut self.newer);
            self.since = Some(now);
        }
        self.newer.insert(uid.clone());
        if self.newer.len() > MAX_UIDS {
            self.newer.clear();
            self.all_until = Some(now + WATCH_PERIOD);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pipeline::graph_store::Commit;
    use tokio::time::Instant;

    use super::{PendingReads, ReadTask, WATCH_PERIOD};

    fn commit(uids: &[&str], is_own: bool) -> Commit {
        Commit {
            nodes: uids.iter().map(|uid| (*uid).to_owned()).collect(),
            is_own,
            ..Commit::default()
        }
    }

    /// What is read now, as text: uids, or the uid after which a page begins.
    fn taken(pending: &mut PendingReads, now: Instant) -> String {
        match pending.take(now) {
            None => "nothing".to_owned(),
            Some(ReadTask::Uids(uids)) => uids.join(" "),
            Some(ReadTask::Page(after)) => format!("page after {}", after.unwrap_or_default()),
        }
    }

    #[test]
    fn own_commits_are_read_only_for_uids_that_were_read_recently() {
        let (mut pending, now) = (PendingReads::default(), Instant::now());
        pending.note(&commit(&["a", "b"], true), now);
        assert_eq!(taken(&mut pending, now), "nothing");
        pending.note(&commit(&["a", "c", "a"], false), now);
        assert_eq!(taken(&mut pending, now), "a c");
        pending.note(&commit(&["a", "b"], true), now);
        assert_eq!(taken(&mut pending, now), "a");
        let later = now + 2 * WATCH_PERIOD;
        for (uid, time) in [("x", later), ("y", later + WATCH_PERIOD)] {
            pending.note(&commit(&[uid], false), time);
            assert_eq!(taken(&mut pending, time), uid);
        }
        pending.note(&commit(&["a", "b"], true), later + WATCH_PERIOD);
        assert_eq!(taken(&mut pending, later + WATCH_PERIOD), "nothing");
    }

    #[test]
    fn a_truncated_commit_of_another_process_causes_a_full_read() {
        let (mut pending, now) = (PendingReads::default(), Instant::now());
        let truncated = |is_own| Commit {
            truncated: true,
            ..commit(&["a"], is_own)
        };
        pending.note(&truncated(true), now);
        assert_eq!(taken(&mut pending, now), "nothing", "the commit is own");
        pending.note(&truncated(false), now);
        assert_eq!(taken(&mut pending, now), "a");
        assert_eq!(taken(&mut pending, now), "page after ");
        // Uids of commits are read before the next page, during a full read also those of own commits.
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
        assert_eq!(taken(&mut pending, end), "e", "held, but not in the store");
        // The next full read waits for the pause.
        pending.read_all();
        assert_eq!(taken(&mut pending, end), "nothing");
        let due = end + Duration::from_secs(30);
        assert_eq!(pending.not_before(), Some(due));
        assert_eq!(taken(&mut pending, due), "page after ");
    }

    #[test]
    fn uids_to_refresh_and_relisted_uids_of_own_commits_are_read() {
        let (mut pending, now) = (PendingReads::default(), Instant::now());
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
        assert_eq!(taken(&mut pending, now), "page after ", "the list is full");
    }

    #[test]
    fn a_truncated_own_commit_causes_a_read_of_all_watched_uids() {
        let (mut pending, now) = (PendingReads::default(), Instant::now());
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
