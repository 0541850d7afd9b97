//! The scopes that a transaction reads and changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::Transaction;
use crate::claims::{Class, Key, LastScan, above};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::members::Members;
use crate::reports::ReportBatch;
use crate::store::rows::{
    NO_WORD, ReadRows, RowsError, ScanRow, ScopeKey, ScopeRow, Word, WriteRows,
};
use crate::store::words::Words;

#[derive(Debug, Default)]
pub(in crate::store) struct Scopes {
    pub(super) rows: BTreeMap<ScopeKey, ScopeRow>,
    /// Names of which all scopes are loaded.
    loaded: BTreeSet<Word>,
    pub(super) members: HashMap<(ScopeKey, u64), Arc<Members>>,
    pub(super) changed: BTreeSet<ScopeKey>,
    /// Scans that began later were dated by a clock that was ahead: until then they have not happened. None
    /// where all have.
    until: Option<UnixNanos>,
    /// What is left out of the rows because of it.
    ahead: BTreeMap<ScopeKey, Ahead>,
}

/// Of a scope, what a clock dated that was ahead.
#[derive(Debug, Default)]
struct Ahead {
    scans: Vec<ScanRow>,
    forgotten: UnixNanos,
}

impl Scopes {
    /// As a clock sees them that says `now`.
    pub(super) fn at(now: UnixNanos) -> Scopes {
        Scopes {
            until: Some(now.after(ReportBatch::AHEAD)),
            ..Scopes::default()
        }
    }

    /// Leaves out what was dated by a clock that was ahead.
    fn leave_out_ahead(&mut self, mut row: ScopeRow) -> ScopeRow {
        let Some(until) = self.until else {
            return row;
        };
        let happened = row.scans.partition_point(|scan| scan.began <= until);
        if happened < row.scans.len() || row.forgotten > until {
            let ahead = self.ahead.entry(row.key).or_default();
            ahead.scans = row.scans.split_off(happened);
            if row.forgotten > until {
                // Which present ones were dropped is not known.
                ahead.forgotten = std::mem::take(&mut row.forgotten);
            }
        }
        row
    }

    /// The row as it is to be stored.
    pub(super) fn stored(&self, row: &ScopeRow) -> ScopeRow {
        let mut row = row.clone();
        if let Some(ahead) = self.ahead.get(&row.key) {
            row.scans.extend(&ahead.scans);
            row.forgotten = row.forgotten.max(ahead.forgotten);
        }
        row
    }

    pub(super) fn row(&mut self, key: ScopeKey) -> &mut ScopeRow {
        self.rows.entry(key).or_insert_with(|| ScopeRow {
            key,
            scans: Vec::new(),
            forgotten: UnixNanos(0),
            touched: UnixNanos(0),
        })
    }

    /// A claim of the scope was changed by another report than a completion.
    pub(super) fn touch(&mut self, key: ScopeKey, time: UnixNanos) {
        let row = self.row(key);
        if row.touched < time.max(UnixNanos(1)) {
            row.touched = time.max(UnixNanos(1));
            self.changed.insert(key);
        }
    }

    /// When the newest scan began.
    pub(super) fn last(&self, key: ScopeKey) -> Option<UnixNanos> {
        let row = self.rows.get(&key)?;
        row.scans.last().map(|scan| scan.began)
    }

    /// Loads the scopes of these names.
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
                let row = self.leave_out_ahead(row);
                self.rows.insert(row.key, row);
            }
        }
        self.loaded.extend(names);
        Ok(())
    }

    /// Scopes of class `Actual` with this name, of any source.
    pub(super) fn of_any_source(&self, scope: Word) -> impl Iterator<Item = &ScopeRow> {
        let rows = self.rows.values();
        rows.filter(move |row| row.key.class == Class::Actual && row.key.scope == scope)
    }
}

/// The scopes with the words that name them.
pub(in crate::store) struct NamedScopes<'s> {
    pub(in crate::store) scopes: &'s Scopes,
    pub(in crate::store) words: &'s Words,
}

impl LastScan for NamedScopes<'_> {
    fn last_scan(&self, key: &Key, at: At) -> Option<UnixNanos> {
        let scope = self.words.number(&key.scope);
        if scope == NO_WORD {
            return None;
        }
        let newest = |row: &ScopeRow| {
            let scans = row.scans.iter().rev();
            let mut until = scans.filter(|scan| match at {
                At::Now => true,
                At::Time(time) => scan.began <= time,
            });
            until.next().map(|scan| scan.began)
        };
        if key.class == Class::Created {
            return self.scopes.of_any_source(scope).filter_map(newest).max();
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
    /// Loads scopes of these names, and of those that they are below.
    pub(super) async fn load_scopes_of(&mut self, names: Vec<Word>) -> Result<(), RowsError> {
        let texts: BTreeSet<Arc<str>> = names.iter().map(|name| self.words.text(*name)).collect();
        let above: BTreeSet<&str> = texts.iter().flat_map(|text| above(text)).collect();
        self.words.find(self.rows, above.iter().copied()).await?;
        let above = above.into_iter().map(|text| self.words.number(text));
        let all = names.into_iter().chain(above).collect();
        self.scopes.load(self.rows, all).await?;
        let sources = self.scopes.rows.keys().map(|key| key.source);
        self.words.read(self.rows, sources).await
    }
}

impl<R: WriteRows> Transaction<'_, R> {
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

    pub(super) async fn members(
        &mut self,
        scope: ScopeKey,
        hash: u64,
    ) -> Result<Arc<Members>, RowsError> {
        if let Some(known) = self.scopes.members.get(&(scope, hash)) {
            return Ok(known.clone());
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
            .filter_map(|key| Some(self.scopes.stored(self.scopes.rows.get(key)?)))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.rows.put_scopes(&rows).await
    }
}
