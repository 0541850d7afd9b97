//! The scopes that a transaction or a read session has loaded, with their completed scans.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::Transaction;
use crate::claims::{ClaimClass, LastScan, SourceKey, parent_scopes};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::reports::ReportBatch;
use crate::scan_members::Members;
use crate::store::rows::{
    NO_WORD, ReadRows, RowsError, ScanRow, ScopeKey, ScopeRow, Word, WriteRows,
};
use crate::store::word_map::WordMap;

/// Loaded scopes. A transaction changes the rows here and writes them with `flush_scopes`.
#[derive(Debug, Default)]
pub(in crate::store) struct ScopeCache {
    pub(super) rows: BTreeMap<ScopeKey, ScopeRow>,
    /// Names whose scopes are all loaded, of any source and class.
    loaded: BTreeSet<Word>,
    /// Loaded members of scans, by scope and hash.
    pub(super) members: HashMap<(ScopeKey, u64), Arc<Members>>,
    /// Scopes that `flush_scopes` must write.
    pub(super) changed: BTreeSet<ScopeKey>,
    /// `rows` has no scan that began after this time. Such scans were dated by a clock that was ahead; the cache
    /// ignores them until their time has come. `None` if `rows` has all scans.
    scans_until: Option<UnixNanos>,
    /// The parts of stored rows that are not in `rows`.
    future_scans: BTreeMap<ScopeKey, FutureScans>,
}

/// The part of a scope's row that was dated by a clock that was ahead.
#[derive(Debug, Default)]
struct FutureScans {
    scans: Vec<ScanRow>,
    dropped_before: UnixNanos,
}

impl ScopeCache {
    /// A cache that ignores scans that began more than [`ReportBatch::MAX_CLOCK_SKEW`] after `now`, the time of the
    /// store's clock.
    pub(super) fn with_clock(now: UnixNanos) -> ScopeCache {
        ScopeCache {
            scans_until: Some(now + ReportBatch::MAX_CLOCK_SKEW),
            ..ScopeCache::default()
        }
    }

    /// Moves scans that began after `scans_until` from the row to `future_scans`.
    fn split_future_scans(&mut self, mut row: ScopeRow) -> ScopeRow {
        let Some(until) = self.scans_until else {
            return row;
        };
        let happened = row.scans.partition_point(|scan| scan.began <= until);
        if happened < row.scans.len() || row.dropped_before > until {
            let future = self.future_scans.entry(row.key).or_default();
            future.scans = row.scans.split_off(happened);
            if row.dropped_before > until {
                // It is unknown which scans up to now were dropped.
                future.dropped_before = std::mem::take(&mut row.dropped_before);
            }
        }
        row
    }

    /// The row to write, which includes the scans in `future_scans`.
    pub(super) fn stored_row(&self, row: &ScopeRow) -> ScopeRow {
        let mut row = row.clone();
        if let Some(future) = self.future_scans.get(&row.key) {
            row.scans.extend(&future.scans);
            row.dropped_before = row.dropped_before.max(future.dropped_before);
        }
        row
    }

    /// The row of a scope; adds an empty one if the scope is not loaded or does not exist.
    pub(super) fn row(&mut self, key: ScopeKey) -> &mut ScopeRow {
        self.rows.entry(key).or_insert_with(|| ScopeRow {
            key,
            scans: Vec::new(),
            dropped_before: UnixNanos(0),
            last_direct_report: UnixNanos(0),
        })
    }

    /// Sets `last_direct_report`: a report at `time` changed a claim of the scope, or a claim disagrees with a
    /// completion of that time. The next completion then examines all claims of the scope, even if its members are
    /// unchanged.
    pub(super) fn mark_for_examination(&mut self, key: ScopeKey, time: UnixNanos) {
        let row = self.row(key);
        if row.last_direct_report < time.max(UnixNanos(1)) {
            row.last_direct_report = time.max(UnixNanos(1));
            self.changed.insert(key);
        }
    }

    /// The begin of the newest scan of a scope.
    pub(super) fn last_scan_time(&self, key: ScopeKey) -> Option<UnixNanos> {
        let row = self.rows.get(&key)?;
        row.scans.last().map(|scan| scan.began)
    }

    /// Loads the scopes with these names, of any source and class.
    pub(in crate::store) async fn load(
        &mut self,
        rows: &mut impl ReadRows,
        mut names: Vec<Word>,
    ) -> Result<(), RowsError> {
        names.retain(|name| *name != NO_WORD && !self.loaded.contains(name));
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Ok(());
        }
        for row in rows.scopes(Some(&names)).await? {
            if !self.rows.contains_key(&row.key) {
                let row = self.split_future_scans(row);
                self.rows.insert(row.key, row);
            }
        }
        self.loaded.extend(names);
        Ok(())
    }

    /// The loaded scopes of class `Actual` with this name, of any source.
    pub(super) fn actual_scopes_named(&self, scope: Word) -> impl Iterator<Item = &ScopeRow> {
        let rows = self.rows.values();
        rows.filter(move |row| row.key.class == ClaimClass::Actual && row.key.scope == scope)
    }
}

/// Looks up when the last scan of a claim's scope began. All scopes and words of the claims must be loaded.
pub(in crate::store) struct ScopeScanTimes<'s> {
    pub(in crate::store) scopes: &'s ScopeCache,
    pub(in crate::store) words: &'s WordMap,
}

impl LastScan for ScopeScanTimes<'_> {
    fn last_scan(&self, key: &SourceKey, at: AsOf) -> Option<UnixNanos> {
        let scope = self.words.number(&key.scope);
        if scope == NO_WORD {
            return None;
        }
        let newest = |row: &ScopeRow| {
            let scans = row.scans.iter().rev();
            let mut until = scans.filter(|scan| match at {
                AsOf::Now => true,
                AsOf::Time(time) => scan.began <= time,
            });
            until.next().map(|scan| scan.began)
        };
        if key.class == ClaimClass::Created {
            return self
                .scopes
                .actual_scopes_named(scope)
                .filter_map(newest)
                .max();
        }
        let key = ScopeKey {
            class: key.class,
            source: self.words.number(&key.source),
            scope,
        };
        self.scopes.rows.get(&key).and_then(newest)
    }
}

impl<R: ReadRows> Transaction<'_, R> {
    /// Loads the scopes with these names and their parent scopes.
    pub(super) async fn load_scopes_of(&mut self, names: Vec<Word>) -> Result<(), RowsError> {
        let texts: BTreeSet<Arc<str>> = names.iter().map(|name| self.words.text(*name)).collect();
        let above: BTreeSet<&str> = texts.iter().flat_map(|text| parent_scopes(text)).collect();
        self.words
            .load_numbers(self.rows, above.iter().copied())
            .await?;
        let above = above.into_iter().map(|text| self.words.number(text));
        let all = names.into_iter().chain(above).collect();
        self.scopes.load(self.rows, all).await?;
        let sources = self.scopes.rows.keys().map(|key| key.source);
        self.words.load_texts(self.rows, sources).await
    }
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Loads the scopes that a batch names, and their parent scopes.
    pub(super) async fn load_scopes(&mut self, reports: &ReportBatch<'_>) -> Result<(), RowsError> {
        let sightings = reports.sightings.iter().map(|it| it.scope);
        let removals = reports.removals.iter().map(|it| it.scope);
        let completions = reports.completions.iter().map(|it| it.scope);
        let snapshots = reports.snapshots.iter().map(|it| it.scope);
        let names: BTreeSet<&str> = sightings
            .chain(removals)
            .chain(completions)
            .chain(snapshots)
            .filter(|scope| !scope.is_empty())
            .collect();
        let words = names.into_iter().map(|name| self.words.number(name));
        let words: Vec<Word> = words.collect();
        self.load_scopes_of(words).await
    }

    /// The members of a scan, by their hash.
    pub(super) async fn load_members(
        &mut self,
        scope: ScopeKey,
        hash: u64,
    ) -> Result<Arc<Members>, RowsError> {
        if let Some(members) = self.scopes.members.get(&(scope, hash)) {
            return Ok(members.clone());
        }
        let bytes = self.rows.members(scope, hash).await?.unwrap_or_default();
        let members = Arc::new(Members::from_bytes(bytes).unwrap_or_default());
        self.scopes.members.insert((scope, hash), members.clone());
        Ok(members)
    }

    /// Writes the scopes that changed.
    pub(super) async fn flush_scopes(&mut self) -> Result<(), RowsError> {
        let changed = std::mem::take(&mut self.scopes.changed);
        let rows: Vec<ScopeRow> = changed
            .iter()
            .filter_map(|key| Some(self.scopes.stored_row(self.scopes.rows.get(key)?)))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.rows.put_scopes(&rows).await
    }
}
