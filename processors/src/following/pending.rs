//! Decides which uids and pages a follower reads next.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use pipeline::graph_store::Commit;
use pipeline::uid;
use tokio::time::Instant;

/// For at least this long after a uid was read, the follower reads it again when an own commit names it. Within this
/// period, a report that passes this process reaches the store.
pub(super) const WATCH_PERIOD: Duration = Duration::from_secs(600);

/// The maximum number of uids in one read.
const BATCH_SIZE: usize = if cfg!(test) { 3 } else { 500 };

/// The maximum number of queued uids, and of uids in [`WatchedUids::newer`]. If the queue exceeds it, a full read
/// replaces the queue. If `newer` exceeds it, all uids are watched for a [`WATCH_PERIOD`].
const MAX_UIDS: usize = 100_000;

/// The pause after a full read, as a multiple of the read's duration. A pause takes at least [`MIN_PAUSE`].
const PAUSE_FACTOR: u32 = 10;
const MIN_PAUSE: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 60 });

/// One read of the store.
#[derive(Debug)]
pub(super) enum ReadTask {
    Uids(Vec<String>),
    /// The page of a full read after this uid, or the first page.
    Page(Option<String>),
}

/// The uids to read, the uids to watch, and the state of a full read.
#[derive(Debug, Default)]
pub(super) struct PendingReads {
    /// Uids to read, in order.
    queue: VecDeque<Arc<str>>,
    /// The uids in `queue`.
    queued: HashSet<Arc<str>>,
    watched: WatchedUids,
    full_read: FullRead,
    /// Hashes of the uids that the current or last full read found. Kept until [`PendingReads::add_missing`].
    found: HashSet<u64>,
}

/// Uids that were read recently. They are read again when an own commit names them.
#[derive(Debug, Default)]
struct WatchedUids {
    /// Uids that were read since `since`.
    newer: HashSet<Arc<str>>,
    /// Uids that were read in the period before `since`.
    older: HashSet<Arc<str>>,
    /// The start of the current period. The first read after a [`WATCH_PERIOD`] starts the next period.
    since: Option<Instant>,
    /// All uids are watched until this time.
    all_until: Option<Instant>,
}

/// The state of a full read.
#[derive(Debug, Default)]
struct FullRead {
    is_requested: bool,
    /// When the full read in progress began, and the uid after which its next page begins.
    reading: Option<(Instant, Option<String>)>,
    /// The next full read begins at this time at the earliest.
    not_before: Option<Instant>,
}

impl PendingReads {
    /// Queues the reads that a commit makes necessary.
    pub(super) fn add_commit(&mut self, commit: &Commit, now: Instant) {
        let names_all_changes = !commit.truncated && !commit.has_more_links;
        if commit.missed > 0 || (!names_all_changes && !commit.is_own) {
            self.request_full_read();
        }
        if commit.is_own && !names_all_changes {
            self.add_watched(now);
        }
        let reads_all_uids = !commit.is_own || self.are_all_watched(now);
        for uid in commit.uids() {
            if reads_all_uids || self.watched.contains(uid) {
                self.add(uid.into());
            }
        }
        if commit.is_own {
            commit.unsettled().for_each(|uid| self.add(uid.into()));
            // The store truncates both lists to this length, so a list of this length may lack uids.
            let longest = commit.to_refresh.len().max(commit.relisted.len());
            if longest == Commit::MAX_ITEMS {
                self.request_full_read();
            }
        }
        if self.queue.len() > MAX_UIDS {
            self.queue.clear();
            self.queued.clear();
            self.request_full_read();
        }
    }

    /// Queues all watched uids, since an own commit that does not name all its changes may have changed any of them. If
    /// all uids are watched, requests a full read.
    fn add_watched(&mut self, now: Instant) {
        if self.are_all_watched(now) {
            self.request_full_read();
        }
        let watched = self.watched.newer.iter().chain(&self.watched.older);
        for uid in watched.cloned().collect::<Vec<_>>() {
            self.add(uid);
        }
    }

    /// Requests a full read.
    pub(super) fn request_full_read(&mut self) {
        self.full_read.is_requested = true;
    }

    /// Queues a uid unless it is already queued.
    pub(super) fn add(&mut self, uid: Arc<str>) {
        if self.queued.insert(uid.clone()) {
            self.queue.push_back(uid);
        }
    }

    /// Queues the uids in `held` that the last full read did not find.
    pub(super) fn add_missing(&mut self, held: impl Iterator<Item = Arc<str>>) {
        let found = std::mem::take(&mut self.found);
        for uid in held.filter(|held| !found.contains(&uid::hash(held))) {
            self.add(uid);
        }
    }

    /// Takes the next read if one is due. Queued uids come before pages, and are watched from now on.
    pub(super) fn take(&mut self, now: Instant) -> Option<ReadTask> {
        if !self.queue.is_empty() {
            let count = self.queue.len().min(BATCH_SIZE);
            let uids: Vec<Arc<str>> = self.queue.drain(..count).collect();
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
        if !self.full_read.is_requested || !is_due {
            return None;
        }
        self.full_read.is_requested = false;
        self.full_read.reading = Some((now, None));
        self.found.clear();
        Some(ReadTask::Page(None))
    }

    /// The time before which a requested full read must not begin. `None` if no full read is requested, or if no full
    /// read was made before.
    pub(super) fn full_read_not_before(&self) -> Option<Instant> {
        self.full_read
            .not_before
            .filter(|_| self.full_read.is_requested)
    }

    /// Records that a page was read. After the last page, returns how long the full read took.
    pub(super) fn end_page(
        &mut self,
        uids: &[String],
        last: Option<String>,
        now: Instant,
    ) -> Option<Duration> {
        self.found.extend(uids.iter().map(|uid| uid::hash(uid)));
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

    /// Whether all uids are watched: during a full read and for a [`WATCH_PERIOD`] after it.
    fn are_all_watched(&self, now: Instant) -> bool {
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

    /// Takes the next read, as text: its uids, or the uid after which its page begins.
    fn taken(pending: &mut PendingReads, now: Instant) -> String {
        match pending.take(now) {
            None => "nothing".to_owned(),
            Some(ReadTask::Uids(uids)) => uids.join(" "),
            Some(ReadTask::Page(after)) => format!("page after {}", after.unwrap_or_default()),
        }
    }

    #[test]
    fn an_own_commit_queues_only_uids_that_were_read_recently() {
        let (mut pending, now) = (PendingReads::default(), Instant::now());
        pending.add_commit(&commit(&["a", "b"], true), now);
        assert_eq!(taken(&mut pending, now), "nothing");
        pending.add_commit(&commit(&["a", "c", "a"], false), now);
        assert_eq!(taken(&mut pending, now), "a c");
        pending.add_commit(&commit(&["a", "b"], true), now);
        assert_eq!(taken(&mut pending, now), "a");
        let [first, second] = [2_u32, 3].map(|periods| now + periods * WATCH_PERIOD);
        for (uid, time) in [("x", first), ("y", second)] {
            pending.add_commit(&commit(&[uid], false), time);
            assert_eq!(taken(&mut pending, time), uid);
        }
        pending.add_commit(&commit(&["a", "b"], true), second);
        assert_eq!(taken(&mut pending, second), "nothing");
    }

    #[test]
    fn a_truncated_commit_of_another_process_causes_a_full_read() {
        let (mut pending, now) = (PendingReads::default(), Instant::now());
        let truncated = |is_own| Commit {
            truncated: true,
            ..commit(&["a"], is_own)
        };
        pending.add_commit(&truncated(true), now);
        assert_eq!(
            taken(&mut pending, now),
            "nothing",
            "this process wrote the commit"
        );
        pending.add_commit(&truncated(false), now);
        assert_eq!(taken(&mut pending, now), "a");
        assert_eq!(taken(&mut pending, now), "page after ");
        // Uids of commits are read before the next page. During a full read, these include uids of own commits.
        pending.add_commit(&commit(&["b"], false), now);
        pending.add_commit(&commit(&["c"], true), now);
        assert_eq!(taken(&mut pending, now), "b c");
        let page = ["a".to_owned(), "b".to_owned()];
        let ended = pending.end_page(&page, Some("b".to_owned()), now);
        assert_eq!(ended, None);
        assert_eq!(taken(&mut pending, now), "page after b");
        let end = now + Duration::from_secs(3);
        let took = pending.end_page(&["d".to_owned()], None, end);
        assert_eq!(took, Some(Duration::from_secs(3)));
        pending.add_missing(["a", "e", "d"].map(Into::into).into_iter());
        assert_eq!(
            taken(&mut pending, end),
            "e",
            "the processor holds e, and the store lacks it"
        );
        // The next full read waits for the pause.
        pending.request_full_read();
        assert_eq!(taken(&mut pending, end), "nothing");
        let due = end + Duration::from_secs(30);
        assert_eq!(pending.full_read_not_before(), Some(due));
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
        pending.add_commit(&own, now);
        assert_eq!(taken(&mut pending, now), "b c");
        let full_list = Commit {
            to_refresh: (0..Commit::MAX_ITEMS).map(|uid| uid.to_string()).collect(),
            ..Commit::default()
        };
        let own = Commit {
            is_own: true,
            ..full_list
        };
        pending.add_commit(&own, now);
        while pending.queue.len() > 1 {
            pending.take(now);
        }
        pending.take(now);
        assert_eq!(taken(&mut pending, now), "page after ", "the list is full");
    }

    #[test]
    fn a_truncated_own_commit_causes_a_read_of_all_watched_uids() {
        let (mut pending, now) = (PendingReads::default(), Instant::now());
        pending.add_commit(&commit(&["a", "b"], false), now);
        assert_eq!(taken(&mut pending, now), "a b");
        let own = Commit {
            truncated: true,
            ..commit(&["c"], true)
        };
        pending.add_commit(&own, now);
        let again = taken(&mut pending, now);
        assert!(["a b", "b a"].contains(&again.as_str()), "{again}");
    }
}
