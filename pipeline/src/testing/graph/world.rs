//! A small world that sources scan and report.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::claims::{By, Class, Removal, Report};
use crate::component::UnixNanos;

pub(super) const BASE: u64 = 1_700_000_000_000_000_000;

/// Scopes of the same name in two sources, one scope below another, and states that a uid moves
/// between. One scope is scanned for both classes.
const SCOPES: [(&str, &str, Class); 9] = [
    ("aws", "eu", Class::Actual),
    ("aws", "eu/vpc", Class::Actual),
    ("aws", "us", Class::Actual),
    ("backup", "eu", Class::Actual),
    ("backup", "us", Class::Actual),
    ("terraform", "states/app", Class::Desired),
    ("terraform", "states/net", Class::Desired),
    ("terraform", "states", Class::Desired),
    ("terraform", "states/app", Class::Actual),
];

/// A scope, and what a scan of it would find now.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) source: String,
    pub(super) scope: String,
    pub(super) class: Class,
    pub(super) members: BTreeMap<String, u64>,
    /// What its last scan found.
    pub(super) reported: BTreeMap<String, u64>,
}

pub(super) struct World {
    pub(super) rng: StdRng,
    pub(super) now: u64,
    pub(super) uids: Vec<String>,
    pub(super) scopes: Vec<Scope>,
    pub(super) renamed: usize,
    pub(super) had_long_run: bool,
    pub(super) reports: Vec<Report>,
    completed: BTreeSet<(String, String, Class, u64)>,
}

impl World {
    pub(super) fn new(seed: u64) -> World {
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
            scopes.push(Scope {
                source: (*source).to_owned(),
                scope: (*scope).to_owned(),
                class: *class,
                members,
                reported: BTreeMap::new(),
            });
        }
        World {
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

    pub(super) fn scan(&mut self, scope: usize) {
        let complete = self.rng.random_bool(0.85);
        let miss = if self.rng.random_bool(0.2) {
            Removal::Released
        } else {
            Removal::Deleted
        };
        self.scan_as(scope, complete, miss);
    }

    /// Rows of what is new, and of some that is not; then the completion.
    pub(super) fn scan_as(&mut self, scope: usize, complete: bool, miss: Removal) {
        let scope_now = self.scopes[scope].clone();
        let all_rows = self.rng.random_bool(0.15);
        let no_rows = self.rng.random_bool(0.2);
        for (uid, state) in &scope_now.members {
            let is_new = scope_now.reported.get(uid) != Some(state);
            if all_rows || (is_new && !no_rows) {
                let state = self.state_or_unknown(*state);
                self.see(uid, scope, By::Scan, state);
            }
        }
        for uid in scope_now.reported.keys() {
            if !scope_now.members.contains_key(uid) && self.rng.random_bool(0.3) {
                self.push_removed(uid, scope, miss);
            }
        }
        if complete {
            let mut members = BTreeMap::new();
            for (uid, state) in &scope_now.members {
                members.insert(uid.clone(), self.state_or_unknown(*state));
            }
            self.push(Report::Completion {
                source: scope_now.source.clone(),
                scope: scope_now.scope.clone(),
                class: scope_now.class,
                began: UnixNanos(self.now),
                members,
                miss,
            });
        }
        self.scopes[scope].reported = scope_now.members;
    }

    pub(super) fn see(&mut self, uid: &str, scope: usize, by: By, state: u64) {
        let Scope {
            source,
            scope,
            class,
            ..
        } = self.scopes[scope].clone();
        self.push_seen(uid, class, (source, scope), by, state);
    }

    pub(super) fn push_seen(
        &mut self,
        uid: &str,
        class: Class,
        from: (String, String),
        by: By,
        state: u64,
    ) {
        let (source, scope) = from;
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

    /// One process at a time scans a scope, so no two completions of it began at once.
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

    pub(super) fn wait(&mut self, steps: &[u64]) {
        self.now += steps.choose(&mut self.rng).copied().unwrap_or_default();
    }

    pub(super) fn any_scope(&mut self) -> usize {
        self.rng.random_range(0..self.scopes.len())
    }

    pub(super) fn any_uid(&mut self) -> String {
        let index = self.rng.random_range(0..self.uids.len());
        self.uids[index].clone()
    }

    pub(super) fn state_or_unknown(&mut self, state: u64) -> u64 {
        if self.rng.random_bool(0.1) { 0 } else { state }
    }
}
