//! The completed scans of each scope, with their members.

use std::collections::HashMap;
use std::sync::Arc;

use crate::claims::{
    ClaimClass, LastScan, Removal, ScopeRelation, SourceKey, is_below, parent_scopes,
};
use crate::reports::ReportBatch;
use crate::scan_members::Members;
use crate::unix_nanos::{AsOf, UnixNanos};

/// The number of a [`SourceKey`] in a [`ClaimScopes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyNumber(u32);

/// The data that the claims of all uids share: the keys of claims, and the newest completed scans of each scope.
#[derive(Debug)]
pub struct ClaimScopes {
    /// Keys by number. This is no [`Interner`](crate::interner::Interner), since a key has several texts, which
    /// `numbers` and `by_name` share.
    keys: Vec<SourceKey>,
    numbers: HashMap<SourceKey, KeyNumber>,
    /// For each key, the key of class `Actual` with the same source and scope.
    scope_keys: Vec<KeyNumber>,
    /// The key that was looked up last. The rows of one scan follow each other, so the next look-up often hits it.
    last: KeyNumber,
    pub(super) scopes: HashMap<KeyNumber, MemoryScope>,
    /// The keys of the classes `Created` and `Actual`, by scope name.
    by_name: HashMap<Arc<str>, Vec<KeyNumber>>,
    /// How many completions are kept for each scope.
    window: usize,
    /// The latest start time that a scan can have now. A scan with a later time is ignored until that time, since the
    /// clock that dated it was ahead.
    latest_start: UnixNanos,
}

/// A scope and its completed scans.
#[derive(Debug, Default)]
pub(super) struct MemoryScope {
    /// Oldest first.
    pub(super) scans: Vec<CompletedScan>,
    /// Completions of scans that began before this time are dropped.
    pub(super) dropped_before: UnixNanos,
    /// The time of the last change that no completion covers yet; 0 if there is none.
    pub(super) last_change: UnixNanos,
    /// The uids that may have claims in this scope although the newest scan did not see them: the hash of each uid,
    /// with the time of its last report.
    pub(super) unconfirmed: HashMap<u64, UnixNanos>,
}

#[derive(Clone, Debug)]
pub(super) struct CompletedScan {
    pub(super) began: UnixNanos,
    pub(super) members: Arc<Members>,
    /// The hash of the members.
    pub(super) hash: u64,
    /// Whether a uid that is not among the members was deleted or released.
    pub(super) miss: Removal,
}

impl ClaimScopes {
    /// `window` is the number of completions that are kept for each scope, at least one. A report that is older than
    /// all kept completions is folded without them.
    pub fn new(window: usize) -> ClaimScopes {
        ClaimScopes {
            keys: Vec::new(),
            numbers: HashMap::new(),
            scope_keys: Vec::new(),
            last: KeyNumber(0),
            scopes: HashMap::new(),
            by_name: HashMap::new(),
            window: window.max(1),
            latest_start: UnixNanos(u64::MAX),
        }
    }

    /// Sets the clock time at which the next reports arrive; `None` if it is unknown.
    pub fn set_clock(&mut self, now: Option<UnixNanos>) {
        let latest_start = now.map(|now| now + ReportBatch::MAX_CLOCK_SKEW);
        self.latest_start = latest_start.unwrap_or(UnixNanos(u64::MAX));
    }

    /// The time before which completions of a scope are dropped; 0 if that time is in the future.
    pub(super) fn dropped_before(&self, scope: &MemoryScope) -> UnixNanos {
        let past = Some(scope.dropped_before).filter(|time| *time <= self.latest_start);
        past.unwrap_or_default()
    }

    /// The scans of a scope that are not in the future, oldest first.
    pub(super) fn past_scans<'s>(&self, scope: &'s MemoryScope) -> &'s [CompletedScan] {
        let count = scope
            .scans
            .partition_point(|scan| scan.began <= self.latest_start);
        &scope.scans[..count]
    }

    /// The key with a number.
    pub fn key(&self, number: KeyNumber) -> &SourceKey {
        &self.keys[number.0 as usize]
    }

    /// The number of a key, if it has one.
    pub(super) fn find(&self, class: ClaimClass, source: &str, scope: &str) -> Option<KeyNumber> {
        let key = SourceKey {
            class,
            source: source.into(),
            scope: scope.into(),
        };
        self.numbers.get(&key).copied()
    }

    /// The number of a key, which is added if it is missing.
    pub fn number(&mut self, class: ClaimClass, source: &str, scope: &str) -> KeyNumber {
        let is_same =
            |key: &SourceKey| key.class == class && *key.source == *source && *key.scope == *scope;
        if self.keys.get(self.last.0 as usize).is_some_and(is_same) {
            return self.last;
        }
        let key = SourceKey {
            class,
            source: source.into(),
            scope: scope.into(),
        };
        let known = self.numbers.get(&key).copied();
        self.last = known.unwrap_or_else(|| self.add(key));
        self.last
    }

    fn add(&mut self, key: SourceKey) -> KeyNumber {
        let scope_key = (key.class != ClaimClass::Actual)
            .then(|| self.number(ClaimClass::Actual, &key.source, &key.scope));
        let number = KeyNumber(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        if matches!(key.class, ClaimClass::Actual | ClaimClass::Created) && !key.scope.is_empty() {
            let named = self.by_name.entry(key.scope.clone());
            named.or_default().push(number);
        }
        self.scope_keys.push(scope_key.unwrap_or(number));
        self.keys.push(key.clone());
        self.numbers.insert(key, number);
        number
    }

    /// The key of class `Actual` with the same source and scope. It identifies a source and scope, whatever the class.
    pub fn scope_key(&self, number: KeyNumber) -> KeyNumber {
        self.scope_keys[number.0 as usize]
    }

    /// The key of another class with the same source and scope, if it exists.
    pub fn sibling(&self, number: KeyNumber, class: ClaimClass) -> Option<KeyNumber> {
        let key = SourceKey {
            class,
            ..self.key(number).clone()
        };
        self.numbers.get(&key).copied()
    }

    /// The scopes whose completions have an effect on a claim, each with its relation to the claim.
    pub(super) fn relations(&self, number: KeyNumber) -> Vec<(ScopeRelation, KeyNumber)> {
        let key = self.key(number);
        if key.scope.is_empty() || matches!(key.class, ClaimClass::Telemetry | ClaimClass::Health) {
            return Vec::new();
        }
        if key.class == ClaimClass::Created {
            let named = self.by_name.get(&key.scope).into_iter().flatten();
            let named = named.filter(|it| self.key(**it).class == ClaimClass::Actual);
            return named.map(|it| (ScopeRelation::SameName, *it)).collect();
        }
        let classes: &[ClaimClass] = match key.class {
            ClaimClass::Edges | ClaimClass::Aliases => &[ClaimClass::Actual, ClaimClass::Desired],
            ClaimClass::Desired => &[ClaimClass::Desired],
            _ => &[ClaimClass::Actual],
        };
        let mut all = Vec::new();
        for class in classes {
            all.extend(
                self.sibling(number, *class)
                    .map(|it| (ScopeRelation::Own, it)),
            );
            for parent in parent_scopes(&key.scope) {
                let parent = SourceKey {
                    class: *class,
                    source: key.source.clone(),
                    scope: parent.into(),
                };
                let parent = self.numbers.get(&parent);
                all.extend(parent.map(|it| (ScopeRelation::Above, *it)));
            }
        }
        all
    }

    /// The scopes of create events that have the name of a scanned scope.
    pub(super) fn create_event_scopes(&self, number: KeyNumber) -> Vec<KeyNumber> {
        let key = self.key(number);
        if key.class != ClaimClass::Actual {
            return Vec::new();
        }
        let named = self.by_name.get(&key.scope).into_iter().flatten();
        let created = named.filter(|it| self.key(**it).class == ClaimClass::Created);
        created.copied().collect()
    }

    /// The scopes of the same source below this one, of all classes except `Created`.
    pub(super) fn scopes_below(&self, number: KeyNumber) -> Vec<KeyNumber> {
        let key = self.key(number);
        let is_below_key = |other: &SourceKey| {
            other.class != ClaimClass::Created
                && other.source == key.source
                && is_below(&other.scope, &key.scope)
        };
        let scopes = self.scopes.keys();
        let below = scopes.filter(|other| is_below_key(self.key(**other)));
        match key.scope.is_empty() {
            true => Vec::new(),
            false => below.copied().collect(),
        }
    }

    /// The start of the newest completed scan of a claim's scope.
    pub fn newest_scan(&self, number: KeyNumber) -> Option<UnixNanos> {
        self.last_scan(self.key(number), AsOf::Now)
    }

    /// Adds a completed scan. Drops the oldest past scans beyond the window.
    pub(super) fn add_scan(&mut self, number: KeyNumber, scan: CompletedScan) {
        let (window, latest_start) = (self.window, self.latest_start);
        let scope = self.scopes.entry(number).or_default();
        // Scans with equal members share one `Members`.
        let known = scope.scans.iter().find(|it| it.hash == scan.hash);
        let members = known.map_or(scan.members, |it| it.members.clone());
        scope.scans.push(CompletedScan { members, ..scan });
        scope.scans.sort_by_key(|it| (it.began, it.hash));
        let past = scope
            .scans
            .partition_point(|scan| scan.began <= latest_start);
        for _ in window..past {
            let dropped = scope.scans.remove(0);
            scope.dropped_before = UnixNanos(dropped.began.0 + 1);
        }
    }

    /// The number of bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let mut sum = self.keys.capacity() * 2 * size_of::<SourceKey>();
        for scope in self.scopes.values() {
            sum += size_of::<(KeyNumber, MemoryScope)>() + scope.unconfirmed.capacity() * 17;
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

impl LastScan for ClaimScopes {
    fn last_scan(&self, key: &SourceKey, at: AsOf) -> Option<UnixNanos> {
        let newest = |number: &KeyNumber| {
            let scans = self.past_scans(self.scopes.get(number)?).iter().rev();
            let mut scans = scans.map(|scan| scan.began);
            match at {
                AsOf::Now => scans.next(),
                AsOf::Time(time) => scans.find(|began| *began <= time),
            }
        };
        if key.class == ClaimClass::Created {
            let named = self.by_name.get(&key.scope).into_iter().flatten();
            let scans = named.filter(|it| self.key(**it).class == ClaimClass::Actual);
            return scans.filter_map(newest).max();
        }
        self.numbers.get(key).and_then(newest)
    }
}
