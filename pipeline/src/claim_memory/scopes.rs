//! The scans that completed, by source and scope, and whom they saw.

use std::collections::HashMap;
use std::sync::Arc;

use crate::claims::{Class, Key, LastScan, Relation, Removal, above};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::members::Members;
use crate::reports::ReportBatch;

/// A class, source and scope, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyNumber(u32);

/// What all uids share: names of claims, and the newest completions of each scope.
#[derive(Debug)]
pub struct Scopes {
    keys: Vec<Key>,
    numbers: HashMap<Key, KeyNumber>,
    /// Of each key the one of class `Actual` with its source and scope.
    areas: Vec<KeyNumber>,
    /// The key that was asked for last: rows of one scan follow each other.
    last: KeyNumber,
    pub(super) scopes: HashMap<KeyNumber, Scope>,
    /// Scopes of class `Created` and of class `Actual` by their names.
    by_name: HashMap<Arc<str>, Vec<KeyNumber>>,
    /// Completions that are kept of each scope.
    window: usize,
    /// Scans that began later were dated by a clock that was ahead: until then they have not happened.
    until: UnixNanos,
}

/// What is known of a scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Oldest first.
    pub(super) scans: Vec<Scan>,
    /// Completions that began before are not kept any more.
    pub(super) forgotten: UnixNanos,
    /// When something changed that the last completion does not know; 0 for never.
    pub(super) touched: UnixNanos,
    /// The hashes of uids that may have claims here and that the newest scan did not see, each with
    /// when it was last reported.
    pub(super) others: HashMap<u64, UnixNanos>,
}

#[derive(Clone, Debug)]
pub(super) struct Scan {
    pub(super) began: UnixNanos,
    pub(super) members: Arc<Members>,
    /// Of the members.
    pub(super) hash: u64,
    pub(super) miss: Removal,
}

impl Scopes {
    /// `window` is how many completions of each scope are kept, at least one: a report that is older
    /// than all of these is folded without them.
    pub fn new(window: usize) -> Scopes {
        Scopes {
            keys: Vec::new(),
            numbers: HashMap::new(),
            areas: Vec::new(),
            last: KeyNumber(0),
            scopes: HashMap::new(),
            by_name: HashMap::new(),
            window: window.max(1),
            until: UnixNanos(u64::MAX),
        }
    }

    /// What comes now comes when a clock says `now`.
    pub fn set_clock(&mut self, now: Option<UnixNanos>) {
        let until = now.map(|now| now.after(ReportBatch::AHEAD));
        self.until = until.unwrap_or(UnixNanos(u64::MAX));
    }

    /// Before which time scans of a scope are not kept. Where a clock that was ahead dated it, that is not
    /// known.
    pub(super) fn forgotten(&self, scope: &Scope) -> UnixNanos {
        let known = Some(scope.forgotten).filter(|forgotten| *forgotten <= self.until);
        known.unwrap_or_default()
    }

    /// The scans of a scope that have happened, oldest first.
    pub(super) fn happened<'s>(&self, scope: &'s Scope) -> &'s [Scan] {
        let many = scope.scans.partition_point(|scan| scan.began <= self.until);
        &scope.scans[..many]
    }

    pub fn key(&self, number: KeyNumber) -> &Key {
        &self.keys[number.0 as usize]
    }

    pub(super) fn find(&self, class: Class, source: &str, scope: &str) -> Option<KeyNumber> {
        let key = Key {
            class,
            source: source.into(),
            scope: scope.into(),
        };
        self.numbers.get(&key).copied()
    }

    pub fn number(&mut self, class: Class, source: &str, scope: &str) -> KeyNumber {
        let is_it =
            |key: &Key| key.class == class && *key.source == *source && *key.scope == *scope;
        if self.keys.get(self.last.0 as usize).is_some_and(is_it) {
            return self.last;
        }
        let key = Key {
            class,
            source: source.into(),
            scope: scope.into(),
        };
        let known = self.numbers.get(&key).copied();
        self.last = known.unwrap_or_else(|| self.add(key));
        self.last
    }

    fn add(&mut self, key: Key) -> KeyNumber {
        let area = (key.class != Class::Actual)
            .then(|| self.number(Class::Actual, &key.source, &key.scope));
        let number = KeyNumber(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        if matches!(key.class, Class::Actual | Class::Created) && !key.scope.is_empty() {
            let named = self.by_name.entry(key.scope.clone());
            named.or_default().push(number);
        }
        self.areas.push(area.unwrap_or(number));
        self.keys.push(key.clone());
        self.numbers.insert(key, number);
        number
    }

    /// Equal for all claims of one source and scope.
    pub fn area(&self, number: KeyNumber) -> KeyNumber {
        self.areas[number.0 as usize]
    }

    /// The key of another class with the same source and scope, if there is one.
    pub fn sibling(&self, number: KeyNumber, class: Class) -> Option<KeyNumber> {
        let key = Key {
            class,
            ..self.key(number).clone()
        };
        self.numbers.get(&key).copied()
    }

    /// The scopes whose completions mean something for a claim.
    pub(super) fn relations(&self, number: KeyNumber) -> Vec<(Relation, KeyNumber)> {
        let key = self.key(number);
        if key.scope.is_empty() || matches!(key.class, Class::Telemetry | Class::Health) {
            return Vec::new();
        }
        if key.class == Class::Created {
            let named = self.by_name.get(&key.scope).into_iter().flatten();
            let named = named.filter(|it| self.key(**it).class == Class::Actual);
            return named.map(|it| (Relation::SameName, *it)).collect();
        }
        let classes: &[Class] = match key.class {
            Class::Edges | Class::Aliases => &[Class::Actual, Class::Desired],
            Class::Desired => &[Class::Desired],
            _ => &[Class::Actual],
        };
        let mut all = Vec::new();
        for class in classes {
            all.extend(self.sibling(number, *class).map(|it| (Relation::Own, it)));
            for above in above(&key.scope) {
                let above = Key {
                    class: *class,
                    source: key.source.clone(),
                    scope: above.into(),
                };
                let above = self.numbers.get(&above);
                all.extend(above.map(|it| (Relation::Above, *it)));
            }
        }
        all
    }

    /// Scopes of create events with the name of a scope of scans.
    pub(super) fn created_beside(&self, number: KeyNumber) -> Vec<KeyNumber> {
        let key = self.key(number);
        if key.class != Class::Actual {
            return Vec::new();
        }
        let named = self.by_name.get(&key.scope).into_iter().flatten();
        let created = named.filter(|it| self.key(**it).class == Class::Created);
        created.copied().collect()
    }

    /// Scopes of the same source that are below, of scans of whatever class.
    pub(super) fn below(&self, number: KeyNumber) -> Vec<KeyNumber> {
        let key = self.key(number);
        let is_below = |other: &Key| {
            other.class != Class::Created
                && other.source == key.source
                && crate::claims::is_below(&other.scope, &key.scope)
        };
        let scopes = self.scopes.keys();
        let below = scopes.filter(|other| is_below(self.key(**other)));
        match key.scope.is_empty() {
            true => Vec::new(),
            false => below.copied().collect(),
        }
    }

    /// When the newest scan of a claim's scope began.
    pub fn newest_scan(&self, number: KeyNumber) -> Option<UnixNanos> {
        self.last_scan(self.key(number), At::Now)
    }

    /// Adds a scan to those that are kept. Whether one fell out of the window.
    pub(super) fn record(&mut self, number: KeyNumber, scan: Scan) {
        let (window, until) = (self.window, self.until);
        let scope = self.scopes.entry(number).or_default();
        // Equal members are kept once.
        let known = scope.scans.iter().find(|it| it.hash == scan.hash);
        let members = known.map_or(scan.members, |it| it.members.clone());
        scope.scans.push(Scan { members, ..scan });
        scope.scans.sort_by_key(|it| (it.began, it.hash));
        let happened = scope.scans.partition_point(|scan| scan.began <= until);
        for _ in window..happened {
            let dropped = scope.scans.remove(0);
            scope.forgotten = UnixNanos(dropped.began.0 + 1);
        }
    }

    /// Bytes on the heap.
    pub fn held_bytes(&self) -> usize {
        let mut sum = self.keys.capacity() * 2 * size_of::<Key>();
        for scope in self.scopes.values() {
            sum += size_of::<(KeyNumber, Scope)>() + scope.others.capacity() * 17;
            let mut counted: Vec<u64> = Vec::new();
            for scan in &scope.scans {
                if !counted.contains(&scan.hash) {
                    counted.push(scan.hash);
                    sum += scan.members.as_bytes().len();
                }
            }
        }
        sum
    }
}

impl LastScan for Scopes {
    fn last_scan(&self, key: &Key, at: At) -> Option<UnixNanos> {
        let newest = |number: &KeyNumber| {
            let scans = self.happened(self.scopes.get(number)?).iter().rev();
            let mut scans = scans.map(|scan| scan.began);
            match at {
                At::Now => scans.next(),
                At::Time(time) => scans.find(|began| *began <= time),
            }
        };
        if key.class == Class::Created {
            let named = self.by_name.get(&key.scope).into_iter().flatten();
            let scans = named.filter(|it| self.key(**it).class == Class::Actual);
            return scans.filter_map(newest).max();
        }
        self.numbers.get(key).and_then(newest)
    }
}
