//! The state of the generator of histories, and the steps of its events. `scenarios.rs` combines the steps to events.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::claims::{ClaimClass, Removal, Report, ReportedBy};
use crate::component::UnixNanos;

/// The time at which every history begins, in nanoseconds since 1970.
pub(super) const BASE: u64 = 1_700_000_000_000_000_000;

/// The source, name and class of the scopes that the generator chooses from. Among them are two scopes of different
/// sources with the same name, scopes below another scope, Terraform states between which a uid moves, and a scope with
/// scans of two classes.
const SCOPES: [(&str, &str, ClaimClass); 9] = [
    ("aws", "eu", ClaimClass::Actual),
    ("aws", "eu/vpc", ClaimClass::Actual),
    ("aws", "us", ClaimClass::Actual),
    ("backup", "eu", ClaimClass::Actual),
    ("backup", "us", ClaimClass::Actual),
    ("terraform", "states/app", ClaimClass::Desired),
    ("terraform", "states/net", ClaimClass::Desired),
    ("terraform", "states", ClaimClass::Desired),
    ("terraform", "states/app", ClaimClass::Actual),
];

/// A scope with its current members.
#[derive(Clone)]
pub(super) struct GeneratedScope {
    pub(super) source: String,
    pub(super) scope: String,
    pub(super) class: ClaimClass,
    /// The uids that a scan would find now, with their states.
    pub(super) members: BTreeMap<String, u64>,
    /// The members at the last scan.
    pub(super) reported: BTreeMap<String, u64>,
}

/// Simulates a few scopes and appends the reports that their sources write.
pub(super) struct HistoryGenerator {
    pub(super) rng: StdRng,
    /// The current time, in nanoseconds since 1970.
    pub(super) now: u64,
    pub(super) uids: Vec<String>,
    pub(super) scopes: Vec<GeneratedScope>,
    /// The number of scopes that were renamed so far.
    pub(super) renamed: usize,
    /// Whether the history has a run of more than 20 unchanged scans.
    pub(super) had_long_run: bool,
    pub(super) reports: Vec<Report>,
    /// The source, scope, class and time of each completion.
    completed: BTreeSet<(String, String, ClaimClass, u64)>,
}

impl HistoryGenerator {
    /// Chooses uids, scopes and their first members at random.
    pub(super) fn new(seed: u64) -> HistoryGenerator {
        let mut rng = StdRng::seed_from_u64(seed);
        let uids = (1..=rng.random_range(1..=5)).map(|index| format!("u{index}"));
        let uids: Vec<String> = uids.collect();
        let count = rng.random_range(2..=6);
        let mut scopes = Vec::new();
        for (source, scope, class) in SCOPES.choose_multiple(&mut rng, count) {
            let mut members = BTreeMap::new();
            for uid in &uids {
                if rng.random_bool(0.6) {
                    members.insert(uid.clone(), rng.random_range(1..=4));
                }
            }
            scopes.push(GeneratedScope {
                source: (*source).to_owned(),
                scope: (*scope).to_owned(),
                class: *class,
                members,
                reported: BTreeMap::new(),
            });
        }
        HistoryGenerator {
            rng,
            now: BASE,
            uids,
            scopes,
            renamed: 0,
            had_long_run: false,
            reports: Vec::new(),
            completed: BTreeSet::new(),
        }
    }

    /// Scans a scope. Some scans do not complete. Some completions release the missing uids instead of deleting them.
    pub(super) fn scan(&mut self, scope: usize) {
        let completes = self.rng.random_bool(0.85);
        let miss = if self.rng.random_bool(0.2) {
            Removal::Released
        } else {
            Removal::Deleted
        };
        self.scan_with(scope, completes, miss);
    }

    /// Scans a scope. Most scans write rows of the new and changed members, some of all members, and some write no
    /// rows. Writes removals of some missing uids. If `completes`, then writes the completion.
    pub(super) fn scan_with(&mut self, scope: usize, completes: bool, miss: Removal) {
        let current = self.scopes[scope].clone();
        let all_rows = self.rng.random_bool(0.15);
        let no_rows = self.rng.random_bool(0.2);
        for (uid, state) in &current.members {
            let is_new = current.reported.get(uid) != Some(state);
            if all_rows || (is_new && !no_rows) {
                let state = self.state_or_unknown(*state);
                self.push_sighting(uid, scope, ReportedBy::Scan, state);
            }
        }
        for uid in current.reported.keys() {
            if !current.members.contains_key(uid) && self.rng.random_bool(0.3) {
                self.push_removed(uid, scope, miss);
            }
        }
        if completes {
            let mut members = BTreeMap::new();
            for (uid, state) in &current.members {
                members.insert(uid.clone(), self.state_or_unknown(*state));
            }
            self.push(Report::Completion {
                source: current.source.clone(),
                scope: current.scope.clone(),
                class: current.class,
                began: UnixNanos(self.now),
                members,
                miss,
            });
        }
        self.scopes[scope].reported = current.members;
    }

    /// Appends a sighting of the uid in the scope, with the class of the scope.
    pub(super) fn push_sighting(&mut self, uid: &str, scope: usize, by: ReportedBy, state: u64) {
        let GeneratedScope {
            source,
            scope,
            class,
            ..
        } = self.scopes[scope].clone();
        self.push_seen(uid, class, (source, scope), by, state);
    }

    /// Appends a sighting.
    pub(super) fn push_seen(
        &mut self,
        uid: &str,
        class: ClaimClass,
        (source, scope): (String, String),
        by: ReportedBy,
        state: u64,
    ) {
        self.push(Report::Seen {
            uid: uid.to_owned(),
            class,
            source,
            scope,
            time: UnixNanos(self.now),
            state,
            by,
        });
    }

    /// Appends a removal of the uid in the scope, with the class of the scope.
    pub(super) fn push_removed(&mut self, uid: &str, scope: usize, how: Removal) {
        let scope = &self.scopes[scope];
        self.push(Report::Removed {
            uid: uid.to_owned(),
            class: scope.class,
            source: scope.source.clone(),
            scope: scope.scope.clone(),
            time: UnixNanos(self.now),
            how,
        });
    }

    /// Appends a report, unless the history already has it. Also drops a completion if the scope already has a
    /// completion of the same time: one process at a time scans a scope, so no two of its scans begin at the same time.
    pub(super) fn push(&mut self, report: Report) {
        if let Report::Completion {
            source,
            scope,
            class,
            began,
            ..
        } = &report
        {
            let scan = (source.clone(), scope.clone(), *class, began.0);
            if !self.completed.insert(scan) {
                return;
            }
        } else if self.reports.contains(&report) {
            return;
        }
        self.reports.push(report);
    }

    /// Advances the current time by one of these durations, in nanoseconds.
    pub(super) fn advance(&mut self, steps: &[u64]) {
        self.now += steps.choose(&mut self.rng).copied().unwrap_or_default();
    }

    pub(super) fn random_scope(&mut self) -> usize {
        self.rng.random_range(0..self.scopes.len())
    }

    pub(super) fn random_uid(&mut self) -> String {
        let index = self.rng.random_range(0..self.uids.len());
        self.uids[index].clone()
    }

    /// Returns the state, or 0 (unknown) in a tenth of the calls.
    pub(super) fn state_or_unknown(&mut self, state: u64) -> u64 {
        if self.rng.random_bool(0.1) { 0 } else { state }
    }
}
