//! What happens in the small world: everything that makes the claim rules hard.

use rand::Rng;
use rand::seq::IndexedRandom;

use crate::claims::{By, Class, Removal, Report, SETTLE, STALE_AFTER};
use crate::component::UnixNanos;

use super::histories::time;
use super::world::{BASE, Scope, World};

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;
const SETTLING: u64 = SETTLE.as_nanos() as u64;
const STALE: u64 = STALE_AFTER.as_nanos() as u64;

const STEPS: [u64; 12] = [
    0,
    0,
    1,
    MINUTE,
    MINUTE,
    2 * MINUTE,
    SETTLING - 1,
    SETTLING,
    SETTLING + 1,
    10 * MINUTE,
    HOUR,
    3 * HOUR,
];
const AROUND_SETTLE: [u64; 6] = [0, 1, MINUTE, SETTLING - 1, SETTLING, SETTLING + 1];
const SILENCES: [u64; 6] = [23 * HOUR, STALE - 1, STALE, STALE + 1, 25 * HOUR, 49 * HOUR];

impl World {
    /// Something happens, and sources report it.
    pub(super) fn act(&mut self) {
        self.wait(&STEPS);
        let scope = self.any_scope();
        match self.rng.random_range(0..100) {
            0..20 => self.scan(scope),
            20..35 => {
                self.change(scope);
                self.scan(scope);
            }
            35..43 => self.refresh(scope),
            43..49 => self.create_before_list(scope),
            49..57 => self.delete_before_list(scope),
            57..62 => self.move_between_scopes(scope),
            62..65 => self.rename_scope(scope),
            65..68 => self.retire_source(scope),
            68..73 => {
                let comes_back = self.rng.random_bool(0.6);
                self.fall_silent(comes_back);
            }
            73..76 => self.scan_unchanged(scope),
            76..80 => self.report_telemetry(),
            80..86 => self.report_snapshot(scope),
            86..91 => self.remove(scope),
            _ => self.repeat_at_another_time(),
        }
    }

    pub(super) fn may_fall_silent(&mut self) {
        if self.rng.random_bool(0.4) {
            self.fall_silent(false);
        }
    }

    /// A uid appears in the scope, changes there or vanishes from it.
    fn change(&mut self, scope: usize) {
        let uid = self.any_uid();
        let state = self.rng.random_range(1..=4);
        let vanishes = self.rng.random_bool(0.4);
        let members = &mut self.scopes[scope].members;
        if vanishes {
            members.remove(&uid);
        } else {
            members.insert(uid, state);
        }
    }

    /// At the time of another report in some cases.
    fn refresh(&mut self, scope: usize) {
        let uid = self.any_uid();
        let now = self.now;
        if self.rng.random_bool(0.4)
            && let Some(report) = self.reports.choose(&mut self.rng)
        {
            self.now = time(report).0;
        }
        let state = match self.scopes[scope].members.get(&uid) {
            Some(state) if self.rng.random_bool(0.7) => *state,
            _ => self.rng.random_range(0..=4),
        };
        self.see(&uid, scope, By::Row, state);
        self.now = now;
    }

    /// The list does not have yet what a create event reported.
    fn create_before_list(&mut self, scope: usize) {
        let uid = self.any_uid();
        let source = if self.rng.random_bool(0.5) {
            "trail".to_owned()
        } else {
            self.scopes[scope].source.clone()
        };
        let named = if self.rng.random_bool(0.8) {
            self.scopes[scope].scope.clone()
        } else {
            String::new()
        };
        let state = self.rng.random_range(0..=4);
        self.push_seen(&uid, Class::Created, (source, named), By::Row, state);
        self.scopes[scope].members.remove(&uid);
        if self.rng.random_bool(0.2) {
            return;
        }
        self.wait(&AROUND_SETTLE);
        self.scan(scope);
        if self.rng.random_bool(0.6) {
            self.scopes[scope].members.insert(uid, state.max(1));
            self.wait(&STEPS);
            self.scan(scope);
        }
    }

    /// The list still has what a delete event reported.
    fn delete_before_list(&mut self, scope: usize) {
        let uid = self.any_uid();
        if self.rng.random_bool(0.8) {
            let state = self.rng.random_range(1..=4);
            self.scopes[scope].members.insert(uid.clone(), state);
        }
        self.push(Report::DeleteEvent {
            uid: uid.clone(),
            source: "trail".to_owned(),
            time: UnixNanos(self.now),
        });
        self.wait(&AROUND_SETTLE);
        self.scan(scope);
        if self.rng.random_bool(0.6) {
            for scope in &mut self.scopes {
                scope.members.remove(&uid);
            }
            self.wait(&STEPS);
            self.scan(scope);
        }
    }

    /// `terraform state mv`, or a resource that moves to another region: both scopes are read as
    /// one round with one time, in either order.
    fn move_between_scopes(&mut self, to: usize) {
        let uid = self.any_uid();
        let Scope { source, class, .. } = self.scopes[to].clone();
        let others = (0..self.scopes.len()).filter(|from| {
            *from != to && self.scopes[*from].source == source && self.scopes[*from].class == class
        });
        let others: Vec<usize> = others.collect();
        let Some(&from) = others.choose(&mut self.rng) else {
            self.scan(to);
            return;
        };
        self.scopes[from].members.insert(uid.clone(), 1);
        self.scopes[to].members.remove(&uid);
        for scope in [from, to] {
            self.scan_as(scope, true, Removal::Deleted);
        }
        self.wait(&STEPS);
        let state = self.scopes[from].members.remove(&uid).unwrap_or(1);
        self.scopes[to].members.insert(uid, state);
        let round = if self.rng.random_bool(0.5) {
            [from, to]
        } else {
            [to, from]
        };
        for scope in round {
            let complete = self.rng.random_bool(0.9);
            self.scan_as(scope, complete, Removal::Deleted);
        }
    }

    /// A receiver starts, no longer scans a scope and releases what it saw there. In some cases it
    /// scans the same under another name.
    fn rename_scope(&mut self, scope: usize) {
        let reported = self.scopes[scope].reported.clone();
        for uid in reported.keys() {
            if self.rng.random_bool(0.9) {
                self.push_removed(uid, scope, Removal::Released);
            }
        }
        if self.scopes.len() > 1 && self.rng.random_bool(0.3) {
            self.scopes.remove(scope);
            return;
        }
        self.renamed += 1;
        let renamed = &mut self.scopes[scope];
        let top = renamed.scope.split('/').next().unwrap_or_default();
        renamed.scope = if self.rng.random_bool(0.5) {
            format!("{top}/new{}", self.renamed)
        } else {
            format!("{top}{}", self.renamed)
        };
        renamed.reported.clear();
        if self.rng.random_bool(0.6) {
            self.wait(&STEPS);
        }
        self.scan(scope);
    }

    /// A receiver is gone for good: all that its source reported is released.
    fn retire_source(&mut self, scope: usize) {
        let source = self.scopes[scope].source.clone();
        for scope in 0..self.scopes.len() {
            if self.scopes[scope].source != source {
                continue;
            }
            for uid in self.uids.clone() {
                self.push_removed(&uid, scope, Removal::Released);
            }
            self.scopes[scope].members.clear();
            self.scopes[scope].reported.clear();
        }
        self.now += 1;
    }

    /// Nothing is heard of one scope for about a day; then another misses the uid.
    fn fall_silent(&mut self, comes_back: bool) {
        let uid = self.any_uid();
        let actual =
            (0..self.scopes.len()).filter(|scope| self.scopes[*scope].class == Class::Actual);
        let actual: Vec<usize> = actual.collect();
        let mut two = actual.choose_multiple(&mut self.rng, 2);
        let (Some(&silent), Some(&other)) = (two.next(), two.next()) else {
            return;
        };
        for scope in [silent, other] {
            self.scopes[scope].members.insert(uid.clone(), 2);
            self.scan_as(scope, true, Removal::Deleted);
        }
        let last = self.now;
        if self.rng.random_bool(0.5) {
            self.now += 2 * HOUR;
            self.scan(other);
        }
        let silence = SILENCES.choose(&mut self.rng).copied();
        self.now = last + silence.unwrap_or_default();
        match self.rng.random_range(0..3) {
            0 => self.push_removed(&uid, other, Removal::Deleted),
            1 => {
                self.scopes[other].members.remove(&uid);
                self.scan_as(other, true, Removal::Released);
            }
            _ => {
                self.scopes[other].members.remove(&uid);
                self.scan_as(other, true, Removal::Deleted);
            }
        }
        if comes_back {
            self.wait(&STEPS);
            if self.rng.random_bool(0.3) {
                self.scopes[silent].members.remove(&uid);
            }
            self.scan(silent);
        }
    }

    /// One scan after the other with the same members, with few things between them.
    fn scan_unchanged(&mut self, scope: usize) {
        let count = if self.had_long_run {
            self.rng.random_range(2..=8)
        } else {
            self.rng.random_range(21..=30)
        };
        self.had_long_run = true;
        let interval = [MINUTE, SETTLING, HOUR].choose(&mut self.rng).copied();
        for _ in 0..count {
            self.now += interval.unwrap_or(HOUR);
            let members = self.scopes[scope].members.clone();
            self.push(Report::Completion {
                source: self.scopes[scope].source.clone(),
                scope: self.scopes[scope].scope.clone(),
                class: self.scopes[scope].class,
                began: UnixNanos(self.now),
                members,
                miss: Removal::Deleted,
            });
            match self.rng.random_range(0..25) {
                0 | 1 => self.refresh(scope),
                2 => self.remove(scope),
                3 => {
                    let uid = self.any_uid();
                    self.now += self.rng.random_range(0..=1);
                    self.push(Report::DeleteEvent {
                        uid,
                        source: "trail".to_owned(),
                        time: UnixNanos(self.now),
                    });
                }
                _ => {}
            }
        }
    }

    /// Of what other sources see as well, or of a service that they do not.
    fn report_telemetry(&mut self) {
        let uid = if self.rng.random_bool(0.3) {
            "service".to_owned()
        } else {
            self.any_uid()
        };
        let class = if self.rng.random_bool(0.7) {
            Class::Telemetry
        } else {
            Class::Health
        };
        let state = self.rng.random_range(0..=4);
        let from = ("otel".to_owned(), String::new());
        self.push_seen(&uid, class, from, By::Row, state);
    }

    /// All edges or aliases of a uid, from a row that no scan made.
    fn report_snapshot(&mut self, scope: usize) {
        let uid = self.any_uid();
        let class = if self.rng.random_bool(0.5) {
            Class::Edges
        } else {
            Class::Aliases
        };
        let source = self.scopes[scope].source.clone();
        let named = if self.rng.random_bool(0.7) {
            self.scopes[scope].scope.clone()
        } else {
            String::new()
        };
        let state = self.rng.random_range(0..=4);
        self.push_seen(&uid, class, (source, named), By::Row, state);
        if self.rng.random_bool(0.5) {
            self.wait(&STEPS);
            self.scan(scope);
        }
    }

    fn remove(&mut self, scope: usize) {
        let uid = self.any_uid();
        let how = if self.rng.random_bool(0.5) {
            Removal::Released
        } else {
            Removal::Deleted
        };
        self.push_removed(&uid, scope, how);
    }

    /// So that all kinds of reports meet at one time, and just beside it.
    fn repeat_at_another_time(&mut self) {
        let Some(mut report) = self.reports.choose(&mut self.rng).cloned() else {
            return;
        };
        let Some(other) = self.reports.choose(&mut self.rng).map(time) else {
            return;
        };
        let at = match self.rng.random_range(0..6) {
            0 => other.0 + 1,
            1 => other.0 - 1,
            2 => other.0 + SETTLING,
            _ => other.0,
        };
        let at = UnixNanos(at.max(BASE));
        match &mut report {
            Report::Seen { time, state, .. } => {
                *time = at;
                if self.rng.random_bool(0.5) {
                    *state = self.rng.random_range(0..=4);
                }
            }
            Report::Removed { time, .. } | Report::DeleteEvent { time, .. } => *time = at,
            Report::Completion { began, .. } => *began = at,
        }
        self.push(report);
    }
}
