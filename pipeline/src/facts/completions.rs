//! What completed scans saw.

use std::collections::HashMap;
use std::sync::Arc;

use super::fact::seen;
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::members::Members;

/// A completed scan as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    pub scope: String,
    pub source: String,
    /// What was scanned: `actual` or `desired`.
    pub group: String,
    /// When the scan began.
    pub began: UnixNanos,
    pub members: Arc<Members>,
}

/// Scans of one scope, one after the other, that found the same members: as a store keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When the first of them began.
    pub first: UnixNanos,
    /// When the last of them began.
    pub last: UnixNanos,
    /// When those began that are known one by one, ascending, `first` and `last` among them: the
    /// newest [`Run::KNOWN`], so that a scan that is told late can still part the run.
    pub scans: Vec<UnixNanos>,
    /// [`Members::hash`].
    pub members: u64,
}

/// The rows that a scan changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    pub removed: Vec<Run>,
    pub added: Vec<Run>,
    /// The run that held the moment just before the scan, if any.
    pub before: Option<u64>,
    /// Whether it is the last scan of all.
    pub is_newest: bool,
}

impl Run {
    /// Scans of a run that are known one by one.
    pub const KNOWN: usize = 16;

    fn of(members: u64, mut scans: Vec<UnixNanos>) -> Option<Run> {
        scans.sort_unstable();
        scans.dedup();
        let (first, last) = (*scans.first()?, *scans.last()?);
        let surplus = scans.len().saturating_sub(Run::KNOWN);
        if surplus > 0 {
            scans.drain(1..=surplus);
        }
        Some(Run {
            first,
            last,
            scans,
            members,
        })
    }

    fn and(&self, scans: impl IntoIterator<Item = UnixNanos>) -> Option<Run> {
        let scans = self.scans.iter().copied().chain(scans).collect();
        Run::of(self.members, scans)
    }

    /// Takes a scan in. `runs` are those of its scope that touch it: the last that begins at or
    /// before it, all that hold its moment, and the first after it.
    pub fn record(runs: &[Run], began: UnixNanos, members: u64) -> Recorded {
        let mut runs: Vec<&Run> = runs.iter().collect();
        runs.sort_by_key(|run| (run.first, run.last, run.members));
        let before = runs.iter().rev().find(|run| run.first < began);
        let mut recorded = Recorded {
            before: before.map(|run| run.members),
            is_newest: runs.iter().all(|run| run.last < began),
            ..Recorded::default()
        };
        let holding: Vec<&Run> = runs
            .iter()
            .filter(|run| run.first <= began && began <= run.last)
            .copied()
            .collect();
        if holding
            .iter()
            .any(|run| run.scans.contains(&began) && run.members == members)
        {
            return recorded;
        }
        if let Some(same) = holding.iter().find(|run| run.members == members) {
            recorded.removed.push((*same).clone());
            recorded.added.extend(same.and([began]));
            return recorded;
        }
        let parted = holding
            .iter()
            .find(|run| run.first < began && began < run.last);
        if let Some(parted) = parted {
            let (left, right) = parted.scans.iter().partition(|scan| **scan < began);
            recorded.removed.push((*parted).clone());
            recorded.added.extend(Run::of(parted.members, left));
            recorded.added.extend(Run::of(members, vec![began]));
            recorded.added.extend(Run::of(parted.members, right));
            return recorded;
        }
        let is_mine = |run: &&&Run| run.members == members;
        let left = runs
            .iter()
            .rev()
            .find(|run| run.last < began)
            .filter(is_mine);
        let right = runs.iter().find(|run| run.first > began).filter(is_mine);
        let mut scans = vec![began];
        for run in holding
            .is_empty()
            .then_some([left, right])
            .into_iter()
            .flatten()
            .flatten()
        {
            scans.extend(&run.scans);
            recorded.removed.push((*run).clone());
        }
        recorded.added.extend(Run::of(members, scans));
        recorded
    }
}

/// A run of a scope, with whom its scans saw.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) first: UnixNanos,
    last: UnixNanos,
    pub(super) members: Arc<Members>,
}

impl Seen {
    /// When the last of these scans up to a moment began.
    pub(super) fn at(&self, at: At) -> Option<UnixNanos> {
        seen(self.first, self.last, at)
    }
}

/// The runs of some scopes.
#[derive(Clone, Debug, Default)]
pub struct Completions(HashMap<(String, String, String), Vec<Seen>>);

/// What was scanned, by whom, and whether it is `actual` or `desired`.
pub(super) type Scan<'a> = (&'a str, &'a str, &'a str);

impl Completions {
    /// Takes a run in, of which each is given once.
    pub fn add(&mut self, scan: (String, String, String), run: &Run, members: Arc<Members>) {
        self.0.entry(scan).or_default().push(Seen {
            first: run.first,
            last: run.last,
            members,
        });
    }

    /// All runs of this scope.
    pub(super) fn of(&self, (scope, source, group): Scan<'_>) -> &[Seen] {
        let key = (scope.to_owned(), source.to_owned(), group.to_owned());
        self.0.get(&key).map_or(&[], Vec::as_slice)
    }

    /// When the first scan after a moment began that did not see this uid.
    pub(super) fn first_without(
        &self,
        scan: Scan<'_>,
        uid: u64,
        after: UnixNanos,
    ) -> Option<UnixNanos> {
        self.of(scan)
            .iter()
            .filter(|run| run.members.state_of(uid).is_none())
            .flat_map(|run| [run.first, run.last])
            .filter(|began| *began > after)
            .min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Run;
    use crate::component::UnixNanos;

    fn told(scans: &[(u64, u64)]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (began, members) in scans {
            let recorded = Run::record(&runs, UnixNanos(*began), *members);
            runs.retain(|run| !recorded.removed.contains(run));
            runs.extend(recorded.added);
        }
        runs.sort_by_key(|run| (run.first, run.members));
        runs
    }

    #[test]
    fn scans_that_find_the_same_are_one_run_whatever_their_order() {
        let in_order = told(&[(1, 7), (2, 7), (3, 8), (4, 7), (5, 7)]);
        let spans: Vec<(u64, u64)> = in_order
            .iter()
            .map(|run| (run.first.0, run.last.0))
            .collect();
        assert_eq!(spans, [(1, 2), (3, 3), (4, 5)]);
        assert_eq!(told(&[(5, 7), (1, 7), (4, 7), (2, 7), (3, 8)]), in_order);
        assert_eq!(
            told(&[(3, 8), (5, 7), (2, 7), (2, 7), (1, 7), (4, 7)]),
            in_order
        );
    }

    #[test]
    fn two_scans_that_began_at_once_both_count() {
        let runs = told(&[(1, 7), (3, 7), (2, 7), (2, 8)]);
        assert_eq!(told(&[(2, 8), (2, 7), (3, 7), (1, 7)]).len(), runs.len());
    }

    #[test]
    fn a_long_run_keeps_its_ends_and_its_newest_scans() {
        let scans: Vec<(u64, u64)> = (1..=100).map(|began| (began, 7)).collect();
        let runs = told(&scans);
        assert_eq!(runs.len(), 1);
        assert_eq!((runs[0].first.0, runs[0].last.0), (1, 100));
        assert_eq!(runs[0].scans.len(), Run::KNOWN);
    }
}
