//! The events of generated histories: all cases that the claim rules must handle.

use rand::Rng;
use rand::seq::IndexedRandom;

use crate::claims::{ClaimClass, Removal, Report, ReportedBy, SETTLE, STALE_AFTER};
use crate::component::UnixNanos;

use super::generator::{BASE, GeneratedScope, HistoryGenerator};

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;
const SETTLE_NANOS: u64 = SETTLE.as_nanos() as u64;
const STALE_NANOS: u64 = STALE_AFTER.as_nanos() as u64;

/// Possible times between two events.
const STEPS: [u64; 12] = [
    0,
    0,
    1,
    MINUTE,
    MINUTE,
    2 * MINUTE,
    SETTLE_NANOS - 1,
    SETTLE_NANOS,
    SETTLE_NANOS + 1,
    10 * MINUTE,
    HOUR,
    3 * HOUR,
];
/// Possible times between a create or delete event and the next scan.
const AROUND_SETTLE: [u64; 6] = [
    0,
    1,
    MINUTE,
    SETTLE_NANOS - 1,
    SETTLE_NANOS,
    SETTLE_NANOS + 1,
];
/// Possible times without a report of a scope.
const SILENCES: [u64; 6] = [
    23 * HOUR,
    STALE_NANOS - 1,
    STALE_NANOS,
    STALE_NANOS + 1,
    25 * HOUR,
    49 * HOUR,
];

impl HistoryGenerator {
    /// Advances the time, chooses an event and appends its reports.
    pub(super) fn add_random_event(&mut self) {
        self.advance(&STEPS);
        let scope = self.random_scope();
        match self.rng.random_range(0..100) {
            0..20 => self.scan(scope),
            20..35 => {
                self.change_members(scope);
                self.scan(scope);
            }
            35..43 => self.push_refresh_row(scope),
            43..49 => self.create_event_before_scan(scope),
            49..57 => self.delete_event_before_scan(scope),
            57..62 => self.move_between_scopes(scope),
            62..65 => self.rename_scope(scope),
            65..68 => self.retire_source(scope),
            68..73 => {
                let scans_again = self.rng.random_bool(0.6);
                self.silence_scope(scans_again);
            }
            73..76 => self.scan_unchanged(scope),
            76..80 => self.report_telemetry(),
            80..86 => self.report_snapshot(scope),
            86..91 => self.push_random_removal(scope),
            _ => self.repeat_at_another_time(),
        }
    }

    /// In some histories, silences a scope permanently.
    pub(super) fn maybe_silence_scope(&mut self) {
        if self.rng.random_bool(0.4) {
            self.silence_scope(false);
        }
    }

    /// A uid appears in the scope, changes its state there, or disappears from it. Appends no report.
    fn change_members(&mut self, scope: usize) {
        let uid = self.random_uid();
        let state = self.rng.random_range(1..=4);
        let vanishes = self.rng.random_bool(0.4);
        let members = &mut self.scopes[scope].members;
        if vanishes {
            members.remove(&uid);
        } else {
            members.insert(uid, state);
        }
    }

    /// Appends a refresh row of a uid; in some cases with the time of an earlier report.
    fn push_refresh_row(&mut self, scope: usize) {
        let uid = self.random_uid();
        let now = self.now;
        if self.rng.random_bool(0.4)
            && let Some(report) = self.reports.choose(&mut self.rng)
        {
            self.now = report.time().0;
        }
        let state = match self.scopes[scope].members.get(&uid) {
            Some(state) if self.rng.random_bool(0.7) => *state,
            _ => self.rng.random_range(0..=4),
        };
        self.push_sighting(&uid, scope, ReportedBy::Row, state);
        self.now = now;
    }

    /// A create event reports a uid, and the next scan does not list it yet.
    fn create_event_before_scan(&mut self, scope: usize) {
        let uid = self.random_uid();
        let source = if self.rng.random_bool(0.5) {
            "trail".to_owned()
        } else {
            self.scopes[scope].source.clone()
        };
        let scope_name = if self.rng.random_bool(0.8) {
            self.scopes[scope].scope.clone()
        } else {
            String::new()
        };
        let state = self.rng.random_range(0..=4);
        self.push_seen(
            &uid,
            ClaimClass::Created,
            (source, scope_name),
            ReportedBy::Row,
            state,
        );
        self.scopes[scope].members.remove(&uid);
        if self.rng.random_bool(0.2) {
            return;
        }
        self.advance(&AROUND_SETTLE);
        self.scan(scope);
        if self.rng.random_bool(0.6) {
            self.scopes[scope].members.insert(uid, state.max(1));
            self.advance(&STEPS);
            self.scan(scope);
        }
    }

    /// A delete event reports a uid, and the next scan still lists it.
    fn delete_event_before_scan(&mut self, scope: usize) {
        let uid = self.random_uid();
        if self.rng.random_bool(0.8) {
            let state = self.rng.random_range(1..=4);
            self.scopes[scope].members.insert(uid.clone(), state);
        }
        self.push(Report::DeleteEvent {
            uid: uid.clone(),
            source: "trail".to_owned(),
            time: UnixNanos(self.now),
        });
        self.advance(&AROUND_SETTLE);
        self.scan(scope);
        if self.rng.random_bool(0.6) {
            for scope in &mut self.scopes {
                scope.members.remove(&uid);
            }
            self.advance(&STEPS);
            self.scan(scope);
        }
    }

    /// A uid moves from one scope to another, as with `terraform state mv`. Both scopes are then scanned at the same
    /// time, in either order.
    fn move_between_scopes(&mut self, to: usize) {
        let uid = self.random_uid();
        let GeneratedScope { source, class, .. } = self.scopes[to].clone();
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
            self.scan_with(scope, true, Removal::Deleted);
        }
        self.advance(&STEPS);
        let state = self.scopes[from].members.remove(&uid).unwrap_or(1);
        self.scopes[to].members.insert(uid, state);
        let round = if self.rng.random_bool(0.5) {
            [from, to]
        } else {
            [to, from]
        };
        for scope in round {
            let completes = self.rng.random_bool(0.9);
            self.scan_with(scope, completes, Removal::Deleted);
        }
    }

    /// A receiver restarts without a scope and releases the members of the scope. In some cases it scans the same
    /// resources under another scope name.
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
            self.advance(&STEPS);
        }
        self.scan(scope);
    }

    /// A receiver is removed permanently: every scope of its source releases all uids.
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

    /// Two scopes have a uid. One is silent for about a day, and then the other misses the uid. If `scans_again`, the
    /// silent scope is scanned once more.
    fn silence_scope(&mut self, scans_again: bool) {
        let uid = self.random_uid();
        let actual =
            (0..self.scopes.len()).filter(|scope| self.scopes[*scope].class == ClaimClass::Actual);
        let actual: Vec<usize> = actual.collect();
        let mut two = actual.choose_multiple(&mut self.rng, 2);
        let (Some(&silent), Some(&other)) = (two.next(), two.next()) else {
            return;
        };
        for scope in [silent, other] {
            self.scopes[scope].members.insert(uid.clone(), 2);
            self.scan_with(scope, true, Removal::Deleted);
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
                self.scan_with(other, true, Removal::Released);
            }
            _ => {
                self.scopes[other].members.remove(&uid);
                self.scan_with(other, true, Removal::Deleted);
            }
        }
        if scans_again {
            self.advance(&STEPS);
            if self.rng.random_bool(0.3) {
                self.scopes[silent].members.remove(&uid);
            }
            self.scan(silent);
        }
    }

    /// Appends a run of completions with the same members, and a few other reports between them. The first run of a
    /// history has more than 20 completions.
    fn scan_unchanged(&mut self, scope: usize) {
        let count = if self.had_long_run {
            self.rng.random_range(2..=8)
        } else {
            self.rng.random_range(21..=30)
        };
        self.had_long_run = true;
        let interval = [MINUTE, SETTLE_NANOS, HOUR].choose(&mut self.rng).copied();
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
                0 | 1 => self.push_refresh_row(scope),
                2 => self.push_random_removal(scope),
                3 => {
                    let uid = self.random_uid();
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

    /// Appends a row of telemetry or health, about a uid of the scopes or about a service that no scope has.
    fn report_telemetry(&mut self) {
        let uid = if self.rng.random_bool(0.3) {
            "service".to_owned()
        } else {
            self.random_uid()
        };
        let class = if self.rng.random_bool(0.7) {
            ClaimClass::Telemetry
        } else {
            ClaimClass::Health
        };
        let state = self.rng.random_range(0..=4);
        let from = ("otel".to_owned(), String::new());
        self.push_seen(&uid, class, from, ReportedBy::Row, state);
    }

    /// Appends a snapshot of all edges or aliases of a uid that no scan made.
    fn report_snapshot(&mut self, scope: usize) {
        let uid = self.random_uid();
        let class = if self.rng.random_bool(0.5) {
            ClaimClass::Edges
        } else {
            ClaimClass::Aliases
        };
        let source = self.scopes[scope].source.clone();
        let scope_name = if self.rng.random_bool(0.7) {
            self.scopes[scope].scope.clone()
        } else {
            String::new()
        };
        let state = self.rng.random_range(0..=4);
        self.push_seen(&uid, class, (source, scope_name), ReportedBy::Row, state);
        if self.rng.random_bool(0.5) {
            self.advance(&STEPS);
            self.scan(scope);
        }
    }

    /// Appends a removal of a uid in the scope.
    fn push_random_removal(&mut self, scope: usize) {
        let uid = self.random_uid();
        let how = if self.rng.random_bool(0.5) {
            Removal::Released
        } else {
            Removal::Deleted
        };
        self.push_removed(&uid, scope, how);
    }

    /// Repeats a report with the time of another report, a nanosecond before or after it, or the settle time after it.
    /// So reports of all kinds occur with equal times.
    fn repeat_at_another_time(&mut self) {
        let Some(mut report) = self.reports.choose(&mut self.rng).cloned() else {
            return;
        };
        let Some(other) = self.reports.choose(&mut self.rng).map(Report::time) else {
            return;
        };
        let at = match self.rng.random_range(0..6) {
            0 => other.0 + 1,
            1 => other.0 - 1,
            2 => other.0 + SETTLE_NANOS,
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
